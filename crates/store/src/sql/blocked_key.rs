//! Table `blocked_key`.

super::statements! {
    /// SHA-256 of the SubjectPublicKeyInfo, reason, created; the first reason stays
    INSERT = "INSERT INTO blocked_key (spki_sha256, reason, created) VALUES ($1, $2, $3) \
        ON CONFLICT (spki_sha256) DO NOTHING";
    /// SHA-256 of the SubjectPublicKeyInfo → 1
    SELECT = "SELECT 1 FROM blocked_key WHERE spki_sha256 = $1";
    /// SHA-256 of the SubjectPublicKeyInfo, customer, issuer of imports → blocked, used by another customer.
    /// Anybody can import anybody's certificate: that says nothing about whose the key is.
    SELECT_HISTORY = "SELECT \
        CASE WHEN EXISTS (SELECT 1 FROM blocked_key WHERE spki_sha256 = $1) THEN 1 ELSE 0 END, \
        CASE WHEN EXISTS (SELECT 1 FROM certificate WHERE spki_sha256 = $1 AND customer < $2 AND issuer <> $3) \
               OR EXISTS (SELECT 1 FROM certificate WHERE spki_sha256 = $1 AND customer > $2 AND issuer <> $3) \
             THEN 1 ELSE 0 END";
}
