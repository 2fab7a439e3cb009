//! Table `subscription`.

super::statements! {
    /// customer, product, start, end, months, paid names, paid wildcards → id
    INSERT = "INSERT INTO subscription (customer, product, starts, ends, months, paid_names, paid_wildcards) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// id → row
    SELECT = "SELECT id, customer, product, starts, ends, months, paid_names, paid_wildcards \
        FROM subscription WHERE id = $1";
    /// paid names, paid wildcards, id; what was paid for stays so. PostgreSQL: `GREATEST`
    SET_PAID = "UPDATE subscription SET paid_names = MAX(paid_names, $1), \
        paid_wildcards = MAX(paid_wildcards, $2) WHERE id = $3";
}
