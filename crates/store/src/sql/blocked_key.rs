//! Tables `blocked_key` and `claimed_key`, which only grow. Rows read have the columns of [`COLUMNS`].

/// Columns of a row, in the order in which they are read.
pub(crate) const COLUMNS: &str = "id, spki_sha256, reason, actor, created";

super::statements! {
    /// SHA-256 of the SubjectPublicKeyInfo, reason, actor, created; the first reason stays
    INSERT = "INSERT INTO blocked_key (spki_sha256, reason, actor, created) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (spki_sha256) DO NOTHING";
    /// SHA-256 of the SubjectPublicKeyInfo, customer, reason, actor, created; the first reason stays
    CLAIM = "INSERT INTO claimed_key (spki_sha256, customer, reason, actor, created) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (spki_sha256, customer) DO NOTHING";
    /// SHA-256 of the SubjectPublicKeyInfo, issuer of imports, received, moment, deadline of a duty for a compromised key →
    /// 1 if that is news: the key is not on the list, or a certificate with it has not that duty by then, or is revoked
    /// for another reason, or one that was lost is
    IS_NEWS = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM blocked_key WHERE spki_sha256 = $1) \
        OR EXISTS (SELECT 1 FROM certificate \
            LEFT JOIN revocation_duty ON revocation_duty.certificate = certificate.id \
            WHERE spki_sha256 = $1 AND issuer <> $2 AND CASE \
                WHEN revoked_at IS NOT NULL THEN revocation_reason IS DISTINCT FROM 'KEY_COMPROMISE' \
                ELSE not_after >= $3 AND (revocation_scheduled IS NULL OR revocation_scheduled > $4 \
                    OR deadline > $5 OR revocation_duty.reason IS DISTINCT FROM 'KEY_COMPROMISE') END) \
        OR EXISTS (SELECT 1 FROM crl_entry WHERE spki_sha256 = $1 AND reason IS DISTINCT FROM 'KEY_COMPROMISE')";
    /// SHA-256 of the SubjectPublicKeyInfo, customer, issuer of imports → 1 if a claim of the customer's is news: none of
    /// the key is there, or a certificate of the customer's with it is revoked for another reason, or one that was lost is
    IS_NEW_CLAIM = "SELECT 1 WHERE NOT EXISTS \
            (SELECT 1 FROM claimed_key WHERE spki_sha256 = $1 AND customer = $2) \
        OR EXISTS (SELECT 1 FROM certificate WHERE spki_sha256 = $1 AND customer = $2 AND issuer <> $3 \
            AND revoked_at IS NOT NULL AND revocation_reason IS DISTINCT FROM 'KEY_COMPROMISE') \
        OR EXISTS (SELECT 1 FROM crl_entry JOIN reservation ON reservation.serial = crl_entry.serial \
            JOIN process ON process.id = reservation.process WHERE spki_sha256 = $1 AND process.customer = $2 \
            AND reason IS DISTINCT FROM 'KEY_COMPROMISE')";
    /// SHA-256 of the SubjectPublicKeyInfo, customer → 1 if the key is refused to that customer
    SELECT = "SELECT 1 WHERE EXISTS (SELECT 1 FROM blocked_key WHERE spki_sha256 = $1) \
        OR EXISTS (SELECT 1 FROM claimed_key WHERE spki_sha256 = $1 AND customer = $2)";
    /// SHA-256 of the SubjectPublicKeyInfo, customer, issuer of imports → blocked, used by another customer.
    /// Anybody can import anybody's certificate: that says nothing about whose the key is.
    SELECT_HISTORY = "SELECT \
        CASE WHEN EXISTS (SELECT 1 FROM blocked_key WHERE spki_sha256 = $1) \
               OR EXISTS (SELECT 1 FROM claimed_key WHERE spki_sha256 = $1 AND customer = $2) THEN 1 ELSE 0 END, \
        CASE WHEN EXISTS (SELECT 1 FROM certificate WHERE spki_sha256 = $1 AND customer < $2 AND issuer <> $3) \
               OR EXISTS (SELECT 1 FROM certificate WHERE spki_sha256 = $1 AND customer > $2 AND issuer <> $3) \
             THEN 1 ELSE 0 END";
}
