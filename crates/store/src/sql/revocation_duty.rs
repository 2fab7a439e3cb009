//! Table `revocation_duty`, and what else is to be revoked.

super::statements! {
    /// certificate, received, 24 hours, 5 days, deadline, reason, cause; the first stays
    INSERT = "INSERT INTO revocation_duty (certificate, received, deadline_24h, deadline_5d, deadline, reason, cause) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (certificate) DO NOTHING";
    /// certificate → reason, cause
    SELECT = "SELECT reason, cause FROM revocation_duty WHERE certificate = $1";
    /// → certificate, customer, domain name, serial, not after, scheduled, received, 24 hours, 5 days, deadline, reason,
    /// cause of what is scheduled; the soonest first
    SELECT_ALL_DUE = "SELECT certificate.id, customer, domain_name, serial, not_after, revocation_scheduled, \
        received, deadline_24h, deadline_5d, deadline, revocation_duty.reason, cause \
        FROM certificate LEFT JOIN revocation_duty ON revocation_duty.certificate = certificate.id \
        WHERE revocation_scheduled IS NOT NULL ORDER BY revocation_scheduled, certificate.id";
}
