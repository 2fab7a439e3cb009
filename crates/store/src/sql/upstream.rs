//! Tables `upstream_account`, `upstream_order`, `upstream_chain`, `upstream_certificate` and `upstream_revocation`.

super::statements! {
    /// issuer, directory, customer → sealed, url, created, next
    SELECT_ACCOUNT = "SELECT sealed, url, created, next FROM upstream_account \
        WHERE issuer = $1 AND directory = $2 AND customer = $3";
    /// issuer, directory → customers
    SELECT_CUSTOMERS = "SELECT customer FROM upstream_account WHERE issuer = $1 AND directory = $2 ORDER BY customer";
    /// issuer, directory, customer, sealed, created; once
    INSERT_ACCOUNT = "INSERT INTO upstream_account (issuer, directory, customer, sealed, created) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, directory, customer) DO NOTHING";
    /// url, issuer, directory, customer, sealed, url as read: unless somebody else did, who may have changed its key since
    NAME_ACCOUNT = "UPDATE upstream_account SET url = $1 \
        WHERE issuer = $2 AND directory = $3 AND customer = $4 AND sealed = $5 AND url IS NOT DISTINCT FROM $6";
    /// next, issuer, directory, customer, sealed: unless there is one, or the key is another one by now
    BEGIN_KEY_CHANGE = "UPDATE upstream_account SET next = $1 \
        WHERE issuer = $2 AND directory = $3 AND customer = $4 AND sealed = $5 AND next IS NULL";
    /// now, issuer, directory, customer, next: if that is still the next key
    FINISH_KEY_CHANGE = "UPDATE upstream_account SET sealed = next, next = NULL, created = $1 \
        WHERE issuer = $2 AND directory = $3 AND customer = $4 AND next = $5";
    /// url, issuer, process, placed; once, unless the process that had it ended without a certificate
    INSERT_ORDER = "INSERT INTO upstream_order (url, issuer, process, placed) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (url) DO UPDATE SET process = excluded.process, placed = excluded.placed \
        WHERE upstream_order.issuer = excluded.issuer \
            AND EXISTS (SELECT 1 FROM process WHERE process.id = upstream_order.process AND process.open = 0) \
            AND NOT EXISTS (SELECT 1 FROM certificate WHERE certificate.process = upstream_order.process)";
    /// digest, certificates; once
    INSERT_CHAIN = "INSERT INTO upstream_chain (digest, certificates) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    /// certificate, digest of its chain, issuer
    INSERT_CERTIFICATE = "INSERT INTO upstream_certificate (certificate, chain, issuer) VALUES ($1, $2, $3)";
    /// certificate → certificates of its chain
    SELECT_CHAIN = "SELECT certificates FROM upstream_chain \
        JOIN upstream_certificate ON upstream_certificate.chain = upstream_chain.digest \
        WHERE upstream_certificate.certificate = $1";
    /// certificate → start and end of the window, explanation
    SELECT_ADVICE = "SELECT window_start, window_end, explanation FROM upstream_certificate \
        WHERE certificate = $1 AND window_start IS NOT NULL";
    /// issuer → the next one that has something to be asked about
    SELECT_ASKED_ISSUER = "SELECT issuer FROM upstream_certificate WHERE issuer > $1 AND ask IS NOT NULL ORDER BY issuer LIMIT 1";
    /// issuer, now, limit → certificate, attempts, start and end of the window, explanation; the longest overdue first
    SELECT_QUESTIONS = "SELECT certificate, attempts, window_start, window_end, explanation FROM upstream_certificate \
        WHERE issuer = $1 AND ask <= $2 ORDER BY ask LIMIT $3";
    /// lease, certificate, now: unless somebody else has taken it
    TAKE_QUESTION = "UPDATE upstream_certificate SET ask = $1 WHERE certificate = $2 AND ask <= $3";
    /// when to ask again, attempts, start and end of the window, explanation, certificate, lease: unless somebody else has
    /// taken it since
    ANSWER = "UPDATE upstream_certificate SET ask = $1, attempts = $2, window_start = $3, window_end = $4, explanation = $5 \
        WHERE certificate = $6 AND ask = $7";
    /// now, certificate: the upstream that issued it has to revoke it, if one did
    REVOKE = "INSERT INTO upstream_revocation \
            (fingerprint, issuer, customer, certificate, der, reason, created, due, attempts) \
        SELECT fingerprint, certificate.issuer, customer, id, der, revocation_reason, CAST($1 AS BIGINT), CAST($1 AS BIGINT), 0 \
        FROM certificate JOIN upstream_certificate ON upstream_certificate.certificate = certificate.id \
        WHERE certificate.id = $2 AND certificate.not_after >= CAST($1 AS BIGINT) ON CONFLICT (fingerprint) DO NOTHING";
    /// reason, certificate: its upstream is told again, now for this reason
    TELL_AGAIN = "UPDATE upstream_revocation SET reason = $1, due = created, done = NULL \
        WHERE fingerprint = (SELECT fingerprint FROM certificate WHERE id = $2)";
    /// fingerprint, issuer, customer, der, reason, now: of a certificate that is not stored
    REVOKE_UNSTORED = "INSERT INTO upstream_revocation (fingerprint, issuer, customer, der, reason, created, due, attempts) \
        VALUES ($1, $2, $3, $4, $5, $6, $6, 0) ON CONFLICT (fingerprint) DO NOTHING";
    /// issuer → the next one that has something to revoke
    SELECT_ISSUER = "SELECT issuer FROM upstream_revocation WHERE issuer > $1 AND due IS NOT NULL ORDER BY issuer LIMIT 1";
    /// issuer, now → fingerprint, issuer, customer, der, reason, created, attempts of the most urgent, the longest overdue of
    /// these
    SELECT_DUE = "SELECT fingerprint, issuer, customer, der, reason, created, attempts FROM upstream_revocation \
        WHERE issuer = $1 AND due <= $2 \
        ORDER BY CASE WHEN reason = 'KEY_COMPROMISE' THEN 0 WHEN attempts = 0 THEN 1 ELSE 2 END, due LIMIT 1";
    /// issuer, now → the same of a compromised key
    SELECT_DUE_COMPROMISED = "SELECT fingerprint, issuer, customer, der, reason, created, attempts FROM upstream_revocation \
        WHERE issuer = $1 AND CASE WHEN reason = 'KEY_COMPROMISE' THEN 0 WHEN attempts = 0 THEN 1 ELSE 2 END = 0 \
            AND due <= $2 ORDER BY due LIMIT 1";
    /// lease, fingerprint, now, reason as read: unless somebody else has taken it, or it is for another reason by now
    TAKE = "UPDATE upstream_revocation SET due = $1 WHERE fingerprint = $2 AND due <= $3 \
        AND reason IS NOT DISTINCT FROM $4";
    /// now, fingerprint, reason as taken: unless the upstream is to hear another one by now
    DONE = "UPDATE upstream_revocation SET due = NULL, done = $1, last_error = NULL \
        WHERE fingerprint = $2 AND due IS NOT NULL AND reason IS NOT DISTINCT FROM $3";
    /// next, why not, fingerprint, reason as taken: unless the upstream is to hear another one by now
    NOT_DONE = "UPDATE upstream_revocation SET due = $1, last_error = $2, attempts = attempts + 1 \
        WHERE fingerprint = $3 AND due IS NOT NULL AND reason IS NOT DISTINCT FROM $4";
}
