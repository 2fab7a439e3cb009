//! Table `subscription`.

super::statements! {
    /// customer, product, start, end, months, included names, extra domains, extra wildcards → id
    INSERT = "INSERT INTO subscription (customer, product, starts, ends, months, included_names, extra_domains, \
        extra_wildcards) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// id → row
    SELECT = "SELECT id, customer, product, starts, ends, months, included_names, extra_domains, \
        extra_wildcards FROM subscription WHERE id = $1";
    /// included names, extra domains, extra wildcards, id; what was paid for stays so
    SET_ALLOWANCE = "UPDATE subscription SET \
        included_names = CASE WHEN included_names < $1 THEN $1 ELSE included_names END, \
        extra_domains = CASE WHEN extra_domains < $2 THEN $2 ELSE extra_domains END, \
        extra_wildcards = CASE WHEN extra_wildcards < $3 THEN $3 ELSE extra_wildcards END WHERE id = $4";
}
