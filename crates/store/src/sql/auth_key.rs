//! Table `auth_key`.

super::statements! {
    /// created before, how many: what nobody can use any more
    FORGET = "DELETE FROM auth_key WHERE id IN \
              (SELECT id FROM auth_key WHERE created < $1 ORDER BY created LIMIT $2)";
    /// customer, product, csr, token, created
    INSERT = "INSERT INTO auth_key (customer, product, csr, token, created) VALUES ($1, $2, $3, $4, $5)";
    /// csr, customer, product, created after → keys that led to no certificate and are not about to, newest first
    SELECT_USABLE = "SELECT auth_key.id, auth_key.customer, auth_key.product, auth_key.csr, auth_key.token, \
              auth_key.created FROM auth_key LEFT JOIN process ON process.id = auth_key.process \
              WHERE auth_key.csr = $1 AND auth_key.customer = $2 AND auth_key.product = $3 \
              AND auth_key.created > $4 \
              AND (auth_key.process IS NULL OR (process.open = 0 AND process.certificate IS NULL)) \
              ORDER BY auth_key.id DESC";
    /// process, id: of a key that no other process uses or has used up
    USE = "UPDATE auth_key SET process = $1 WHERE id = $2 AND (process IS NULL OR EXISTS \
              (SELECT 1 FROM process WHERE process.id = auth_key.process AND process.open = 0 \
              AND process.certificate IS NULL))";
}
