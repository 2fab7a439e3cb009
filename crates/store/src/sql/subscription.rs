//! Table `subscription`.

super::statements! {
    /// customer, product, start, end, months, included names, extra domains, extra wildcards → id
    INSERT = "INSERT INTO subscription (customer, product, starts, ends, months, included_names, extra_domains, \
        extra_wildcards) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// id → row
    SELECT = "SELECT id, customer, product, starts, ends, months, included_names, extra_domains, \
        extra_wildcards FROM subscription WHERE id = $1";
    /// included names, extra domains, extra wildcards, id; what was paid for stays so. PostgreSQL: `GREATEST`
    SET_ALLOWANCE = "UPDATE subscription SET included_names = MAX(included_names, $1), \
        extra_domains = MAX(extra_domains, $2), extra_wildcards = MAX(extra_wildcards, $3) WHERE id = $4";
}
