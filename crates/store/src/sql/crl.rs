//! Tables `crl` and `crl_entry`.

super::statements! {
    /// name → name, number, this and next update, entries, addresses, der
    SELECT = "SELECT name, number, this_update, next_update, entries, addresses, der FROM crl WHERE name = $1";
    /// → the same without der, for all lists
    SELECT_ALL = "SELECT name, number, this_update, next_update, entries, addresses FROM crl";
    /// name, number, this and next update, entries, addresses, der: the first list of that name
    INSERT = "INSERT INTO crl (name, number, this_update, next_update, entries, addresses, der) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING";
    /// number, this and next update, entries, addresses, der; name and number of the list it replaces
    REPLACE = "UPDATE crl SET number = $1, this_update = $2, next_update = $3, entries = $4, addresses = $5, \
        der = $6 WHERE name = $7 AND number = $8";
    /// certificate, issuer of imported ones: puts a certificate that was just revoked on its list, if a list of ours has it
    ENTER = "INSERT INTO crl_entry (issuer, ending, serial, revoked_at, reason, not_after) \
        SELECT issuer, substr(serial, length(serial), 1), serial, revoked_at, revocation_reason, not_after \
        FROM certificate WHERE id = $1 AND issuer <> $2 \
        AND NOT EXISTS (SELECT 1 FROM upstream_certificate WHERE upstream_certificate.certificate = certificate.id)";
    /// issuer, ending, serial, revoked at, reason, not after, SHA-256 of the SubjectPublicKeyInfo of a certificate that is not
    /// in the store
    ENTER_LOST = "INSERT INTO crl_entry (issuer, ending, serial, revoked_at, reason, not_after, spki_sha256) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (issuer, ending, serial) DO NOTHING";
    /// SHA-256 of the SubjectPublicKeyInfo, reason → process, customer, issuer, serial of those that are not in the store
    /// and revoked for another reason
    SELECT_LOST_OTHERWISE = "SELECT process.id, process.customer, crl_entry.issuer, crl_entry.serial FROM crl_entry \
        JOIN reservation ON reservation.serial = crl_entry.serial JOIN process ON process.id = reservation.process \
        WHERE crl_entry.spki_sha256 = $1 AND crl_entry.reason IS DISTINCT FROM $2 ORDER BY reservation.id";
    /// reason, issuer, ending, serial: it has to be shown anew
    SET_REASON = "UPDATE crl_entry SET reason = $1, listed = NULL WHERE issuer = $2 AND ending = $3 AND serial = $4";
    /// issuer, ending → the next ending of entries that no list has shown
    SELECT_UNLISTED = "SELECT ending FROM crl_entry WHERE listed IS NULL AND issuer = $1 AND ending > $2 \
        ORDER BY ending LIMIT 1";
    /// issuer, ending → serial, revoked at, reason, not after, listed
    SELECT_ENTRIES = "SELECT serial, revoked_at, reason, not_after, listed FROM crl_entry \
        WHERE issuer = $1 AND ending = $2 ORDER BY serial";
    /// issuer, ending, serial → revoked at, reason
    SELECT_ENTRY = "SELECT revoked_at, reason FROM crl_entry WHERE issuer = $1 AND ending = $2 AND serial = $3";
    /// number, issuer, ending, serial, reason that the list shows
    LIST = "UPDATE crl_entry SET listed = $1 WHERE issuer = $2 AND ending = $3 AND serial = $4 \
        AND reason IS NOT DISTINCT FROM $5";
}
