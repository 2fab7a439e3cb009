//! Table `api_key`. Rows read: id, customer, login, role, created, revoked.

super::statements! {
    /// customer, login, role, hash of the secret, created → id
    INSERT = "INSERT INTO api_key (customer, login, role, secret_hash, created) \
        VALUES ($1, $2, $3, $4, $5)";
    /// → rows by number
    SELECT_ALL = "SELECT id, customer, login, role, created, revoked FROM api_key ORDER BY id";
    /// hash of the secret → row
    SELECT_UNREVOKED = "SELECT id, customer, login, role, created, revoked FROM api_key \
        WHERE secret_hash = $1 AND revoked IS NULL";
    /// since when, id; a revocation is never moved
    REVOKE = "UPDATE api_key SET revoked = COALESCE(revoked, $1) WHERE id = $2";
}
