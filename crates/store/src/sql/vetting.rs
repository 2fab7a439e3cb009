//! Tables `pending_validation` and `vetted_check`.

super::statements! {
    /// process; once is enough
    PEND = "INSERT INTO pending_validation (process) VALUES ($1) ON CONFLICT (process) DO NOTHING";
    /// process
    SETTLE = "DELETE FROM pending_validation WHERE process = $1";
    /// customer, organization, kind, facts, obtained, process
    INSERT = "INSERT INTO vetted_check (customer, organization, kind, facts, obtained, process) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    /// customer, organization, since → customer, kind, facts, obtained, process; the newest first
    SELECT = "SELECT customer, kind, facts, obtained, process FROM vetted_check WHERE customer = $1 \
        AND organization = $2 AND obtained >= $3 AND withdrawn IS NULL ORDER BY obtained DESC";
    /// customer, organization, obtained, kind, process
    STANDS = "SELECT 1 FROM vetted_check WHERE customer = $1 AND organization = $2 AND obtained = $3 AND kind = $4 \
        AND process = $5 AND withdrawn IS NULL";
    /// now, customer, organization, kind
    WITHDRAW = "UPDATE vetted_check SET withdrawn = $1 WHERE customer = $2 AND organization = $3 AND kind = $4 \
        AND withdrawn IS NULL";
}
