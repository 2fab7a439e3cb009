//! Table `notification`. Rows read have the columns of [`COLUMNS`].

/// Columns of a row, in the order in which they are read.
macro_rules! columns {
    () => {
        "id, customer, occasion, fired, message, reason, process, status_detail, certificate, domain_name, \
         product, validation, expires, payload, read_at, acknowledged, delivered"
    };
}
pub(super) use columns;

/// Columns of a row, for lists.
pub(crate) const COLUMNS: &str = columns!();

super::statements! {
    /// customer, occasion, subject status, fired, message, reason, process, status detail, certificate, domain
    /// name, product, validation, expires, payload → id. It waits for the webhook, where there is one.
    INSERT = "INSERT INTO notification (customer, occasion, subject_status, fired, message, reason, process, \
        status_detail, certificate, domain_name, product, validation, expires, payload, waiting) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
        (SELECT 1 FROM webhook WHERE webhook.customer = $1))";
    /// id → row
    SELECT = concat!("SELECT ", columns!(), " FROM notification WHERE id = $1");
    /// customer → number of those that are not acknowledged
    COUNT_UNREAD = "SELECT COUNT(*) FROM notification WHERE customer = $1 AND acknowledged IS NULL";
    /// → number of those that wait for a webhook
    COUNT_WAITING = "SELECT COUNT(*) FROM notification WHERE waiting = 1";
    /// customer → row of the oldest of them
    SELECT_UNREAD = concat!("SELECT ", columns!(), " FROM notification \
        WHERE customer = $1 AND acknowledged IS NULL ORDER BY id LIMIT 1");
    /// now, id; only once
    MARK_READ = "UPDATE notification SET read_at = $1 WHERE id = $2 AND read_at IS NULL";
    /// now, id; only once
    ACKNOWLEDGE = "UPDATE notification SET read_at = COALESCE(read_at, $1), \
        acknowledged = COALESCE(acknowledged, $1) WHERE id = $2";
}
