-- A customer's certificates that end soon, the soonest first.
CREATE INDEX certificate_customer_expiry ON certificate (customer, not_after, id);
