//! Table `revocation_duty`, and what else is to be revoked.

super::statements! {
    /// certificate, received, 24 hours, 5 days, deadline, reason, cause, ground. The first stays, unless the new one is
    /// worse: it ends sooner, or the key is compromised; then the sooner end and the compromised key stand.
    INSERT = "INSERT INTO revocation_duty \
        (certificate, received, deadline_24h, deadline_5d, deadline, reason, cause, ground) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (certificate) DO UPDATE SET \
        received = excluded.received, deadline_24h = excluded.deadline_24h, deadline_5d = excluded.deadline_5d, \
        deadline = CASE WHEN revocation_duty.deadline < excluded.deadline THEN revocation_duty.deadline \
            ELSE excluded.deadline END, \
        reason = CASE WHEN revocation_duty.reason = 'KEY_COMPROMISE' THEN revocation_duty.reason \
            ELSE excluded.reason END, \
        cause = excluded.cause, ground = excluded.ground \
        WHERE excluded.deadline < revocation_duty.deadline OR (excluded.reason = 'KEY_COMPROMISE' \
            AND (revocation_duty.reason IS NULL OR revocation_duty.reason <> 'KEY_COMPROMISE'))";
    /// certificate → received, 24 hours, 5 days, deadline, reason, ground, cause
    SELECT_STANDING = "SELECT received, deadline_24h, deadline_5d, deadline, reason, ground, cause \
        FROM revocation_duty WHERE certificate = $1";
    /// cause, certificate: no other may take its place because of that, whatever it is revoked for (`RevocationReason::bars_successors`)
    BAR = "UPDATE revocation_duty SET bar = $1 WHERE certificate = $2 AND bar IS NULL";
    /// certificate → reason, cause, bar
    SELECT = "SELECT reason, cause, bar FROM revocation_duty WHERE certificate = $1";
    /// certificate → 1 if no other may take its place; nodes of an older version write the reason alone
    BARS = "SELECT 1 FROM revocation_duty WHERE certificate = $1 AND (bar IS NOT NULL \
        OR reason IN ('PRIVILEGE_WITHDRAWN', 'CESSATION_OF_OPERATION'))";
    /// → certificate, customer, domain name, serial, not after, scheduled, received, 24 hours, 5 days, deadline, reason,
    /// ground, cause of what is scheduled; the soonest first
    SELECT_ALL_DUE = "SELECT certificate.id, customer, domain_name, serial, not_after, revocation_scheduled, \
        received, deadline_24h, deadline_5d, deadline, revocation_duty.reason, ground, cause \
        FROM certificate LEFT JOIN revocation_duty ON revocation_duty.certificate = certificate.id \
        WHERE revocation_scheduled IS NOT NULL ORDER BY revocation_scheduled, certificate.id";
}
