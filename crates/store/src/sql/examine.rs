//! What is read when everything is looked at, beside what [`super::invariant`] asks.

super::statements! {
    /// after id, limit → id, process, serial, issuer, created, whether it stands on a list as revoked; of those that no
    /// certificate has
    SELECT_UNISSUED = "SELECT id, process, serial, issuer, created, CASE WHEN EXISTS (SELECT 1 FROM crl_entry \
            WHERE crl_entry.issuer = reservation.issuer \
            AND crl_entry.ending = substr(reservation.serial, length(reservation.serial), 1) \
            AND crl_entry.serial = reservation.serial) THEN 1 ELSE 0 END \
        FROM reservation WHERE id > $1 AND NOT EXISTS (SELECT 1 FROM certificate \
            WHERE certificate.serial = reservation.serial AND certificate.process = reservation.process) \
        ORDER BY id LIMIT $2";
    /// → how many reservations there are
    SELECT_ALL_RESERVED = "SELECT COUNT(*) FROM reservation";
    /// → when the first entry of the audit log was made
    SELECT_ALL_SINCE = "SELECT at FROM audit WHERE id = (SELECT MIN(id) FROM audit)";
    /// after id, limit → id, customer, issuer, serial, not before, not after, key algorithm, key size, SHA-256 of the
    /// SubjectPublicKeyInfo, fingerprint, names, how many names it is found by, certificate, what was reserved for it, the chain it came with from an
    /// upstream
    SELECT_CERTIFICATES = "SELECT certificate.id, certificate.customer, certificate.issuer, certificate.serial, \
            not_before, not_after, key_algorithm, key_size, spki_sha256, fingerprint, names, \
            (SELECT COUNT(*) FROM certificate_name WHERE certificate_name.certificate = certificate.id), der, tbs, \
            (SELECT certificates FROM upstream_chain JOIN upstream_certificate \
                ON upstream_certificate.chain = upstream_chain.digest \
                WHERE upstream_certificate.certificate = certificate.id) \
        FROM certificate LEFT JOIN reservation ON reservation.serial = certificate.serial \
            AND reservation.process = certificate.process \
        WHERE certificate.id > $1 ORDER BY certificate.id LIMIT $2";
    /// after id, limit → the columns of [`super::process::COLUMNS`], then status, whether it is open and whether it
    /// requires attention
    SELECT_PROCESSES = "SELECT id, version, customer, opened_by, action, identifier, source, subscription, certificate, \
            created, updated, next_run, state, command, status, open, requires_attention \
        FROM process WHERE id > $1 ORDER BY id LIMIT $2";
}
