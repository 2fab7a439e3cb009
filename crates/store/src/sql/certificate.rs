//! Tables `certificate` and `certificate_name`. Rows read have the columns of [`COLUMNS`].

/// Columns of a row, in the order in which they are read, without the last two: CSR and certificate.
macro_rules! lean_columns {
    () => {
        "id, customer, process, subscription, product, validation, certificate_type, status, domain_name, \
         names, organization, country, state, city, postal_code, street, coc, issuer, serial, not_before, \
         not_after, subscription_end, key_algorithm, key_size, spki_sha256, fingerprint, predecessor, \
         successor, revoked_at, revocation_reason, revocation_note, revocation_scheduled, mpic"
    };
}

macro_rules! columns {
    () => {
        concat!(lean_columns!(), ", csr, der")
    };
}

/// Columns of a row, for lists.
pub(crate) const COLUMNS: &str = columns!();
/// The same without reading CSR and certificate. No bytes are the beginning of a column that is short.
pub(crate) const LEAN_COLUMNS: &str = concat!(lean_columns!(), ", NULL, substr(spki_sha256, 1, 0)");

super::statements! {
    /// The columns of a row without id, in their order → id
    INSERT = "INSERT INTO certificate (customer, process, subscription, product, validation, \
        certificate_type, status, domain_name, names, organization, country, state, city, postal_code, \
        street, coc, issuer, serial, not_before, not_after, subscription_end, key_algorithm, key_size, \
        spki_sha256, fingerprint, predecessor, successor, revoked_at, revocation_reason, revocation_note, \
        revocation_scheduled, mpic, csr, der) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
        $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)";
    /// certificate, name; a foreign certificate may carry a name twice
    INSERT_NAME = "INSERT INTO certificate_name (certificate, name) VALUES ($1, $2) \
        ON CONFLICT (certificate, name) DO NOTHING";
    /// id → row
    SELECT = concat!("SELECT ", columns!(), " FROM certificate WHERE id = $1");
    /// after id, now, issuer, limit → id, customer, domain name, validation, serial, not after, whether it is revoked, when
    /// it was signed, certificate; by their numbers. The sign keeps the index of ends away: each page would sort it anew.
    SELECT_ISSUED = "SELECT certificate.id, customer, domain_name, validation, certificate.serial, not_after, \
        CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END, COALESCE(reservation.created, not_before), der \
        FROM certificate LEFT JOIN reservation ON reservation.serial = certificate.serial \
        WHERE certificate.id > $1 AND +not_after >= $2 AND certificate.issuer = $3 ORDER BY certificate.id LIMIT $4";
    /// serial, issuer of imports → row
    SELECT_BY_SERIAL = concat!("SELECT ", columns!(), " FROM certificate WHERE serial = $1 AND issuer <> $2");
    /// serial, issuer → certificate, revoked at, reason
    SELECT_STATUS = "SELECT der, revoked_at, revocation_reason FROM certificate WHERE serial = $1 AND issuer = $2";
    /// fingerprint, customer → id
    SELECT_BY_FINGERPRINT = "SELECT id FROM certificate WHERE fingerprint = $1 AND customer = $2";
    /// id → 1
    EXISTS = "SELECT 1 FROM certificate WHERE id = $1";
    /// id → 1 for each certificate of its subscription, by their numbers
    EXISTS_BESIDE = "SELECT 1 FROM certificate \
        WHERE subscription = (SELECT old.subscription FROM certificate AS old WHERE old.id = $1) ORDER BY id";
    /// id → 1 if it can still be replaced and nobody wants it revoked
    IS_UNDISPUTED = "SELECT 1 FROM certificate \
        WHERE id = $1 AND successor IS NULL AND revoked_at IS NULL AND revocation_scheduled IS NULL";
    /// id → 1 if it can still be replaced
    IS_REPLACEABLE = "SELECT 1 FROM certificate WHERE id = $1 AND successor IS NULL AND revoked_at IS NULL";
    /// SHA-256 of the SubjectPublicKeyInfo, customer, issuer of imports → rows
    SELECT_UNREVOKED = concat!("SELECT ", columns!(), " FROM certificate \
        WHERE spki_sha256 = $1 AND customer = $2 AND issuer <> $3 AND revoked_at IS NULL ORDER BY id");
    /// SHA-256 of the SubjectPublicKeyInfo, issuer of imports, now → rows of every customer that are not expired
    SELECT_UNREVOKED_OF_ALL = concat!("SELECT ", columns!(), " FROM certificate \
        WHERE spki_sha256 = $1 AND issuer <> $2 AND not_after >= $3 AND revoked_at IS NULL ORDER BY id");
    /// revoke at, id; what was scheduled earlier stays
    SCHEDULE = "UPDATE certificate SET revocation_scheduled = $1 WHERE id = $2 AND revoked_at IS NULL \
        AND (revocation_scheduled IS NULL OR revocation_scheduled > $1)";
    /// as SELECT_UNREVOKED → id of one
    SELECT_UNREVOKED_ID = "SELECT id FROM certificate \
        WHERE spki_sha256 = $1 AND customer = $2 AND issuer <> $3 AND revoked_at IS NULL LIMIT 1";
    /// subscription → id of its newest certificate
    SELECT_NEWEST = "SELECT id FROM certificate WHERE subscription = $1 ORDER BY id DESC LIMIT 1";
    /// subscription, how many newer ones → when its process was accepted
    SELECT_NTH_NEWEST = "SELECT process.created FROM certificate JOIN process ON process.id = certificate.process \
        WHERE certificate.subscription = $1 ORDER BY certificate.id DESC LIMIT 1 OFFSET $2";
    /// now, limit → ids whose scheduled revocation is due, the longest overdue first
    SELECT_DUE_REVOCATIONS = "SELECT id FROM certificate WHERE revocation_scheduled <= $1 \
        ORDER BY revocation_scheduled, id LIMIT $2";
    /// new status, successor, revoke at, id. What is revoked stays revoked, and a revocation that was
    /// scheduled earlier stays where it was. No certificate has two successors.
    REPLACE = "UPDATE certificate SET \
        status = CASE WHEN revoked_at IS NULL THEN $1 ELSE status END, \
        successor = $2, \
        revocation_scheduled = CASE \
            WHEN revoked_at IS NOT NULL THEN NULL \
            WHEN revocation_scheduled IS NULL OR revocation_scheduled > $3 THEN $3 \
            ELSE revocation_scheduled END \
        WHERE id = $4 AND successor IS NULL";
    /// revoke at, predecessor, successor, now, name: older certificates of the predecessor's subscription that
    /// carry the name and are still valid
    SCHEDULE_SIBLINGS = "UPDATE certificate SET revocation_scheduled = $1 \
        WHERE subscription = (SELECT old.subscription FROM certificate AS old WHERE old.id = $2) AND id < $3 AND not_after >= $4 AND revoked_at IS NULL \
        AND (revocation_scheduled IS NULL OR revocation_scheduled > $1) \
        AND EXISTS (SELECT 1 FROM certificate_name \
                    WHERE certificate_name.certificate = certificate.id AND certificate_name.name = $5)";
    /// at, reason, note, id; only once, and for no other reason than the one that the certificate must be revoked for,
    /// unless the key is compromised
    REVOKE = "UPDATE certificate SET status = 'REVOKED', revoked_at = $1, revocation_reason = $2, \
        revocation_note = $3, revocation_scheduled = NULL WHERE id = $4 AND revoked_at IS NULL \
        AND ($2 = 'KEY_COMPROMISE' OR NOT EXISTS (SELECT 1 FROM revocation_duty WHERE certificate = $4 \
            AND revocation_duty.reason IS NOT NULL AND revocation_duty.reason IS DISTINCT FROM $2))";
    /// SHA-256 of the SubjectPublicKeyInfo, issuer of imports, reason → id, customer, issuer, serial of those that are
    /// revoked for another reason or for none
    SELECT_REVOKED_OTHERWISE = "SELECT id, customer, issuer, serial FROM certificate \
        WHERE spki_sha256 = $1 AND issuer <> $2 AND revoked_at IS NOT NULL \
        AND revocation_reason IS DISTINCT FROM $3 ORDER BY id";
    /// reason, id of a revoked certificate
    SET_REASON = "UPDATE certificate SET revocation_reason = $1 WHERE id = $2";
}
