//! Table `webhook`, and the notifications that wait for one.

use super::notification::columns as notification_columns;

super::statements! {
    /// customer, url, login, sealed, created, next attempt; in place of an earlier one. A claim stays: whoever
    /// delivers reads the row again for each notification.
    UPSERT = "INSERT INTO webhook (customer, url, login, sealed, created, failures, next_attempt) \
        VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (customer) DO UPDATE SET url = excluded.url, \
        login = excluded.login, sealed = excluded.sealed, created = excluded.created, failures = 0, \
        next_attempt = excluded.next_attempt, last_error = NULL";
    /// customer → row
    SELECT = "SELECT customer, url, login, sealed, created, failures, next_attempt, last_error FROM webhook \
        WHERE customer = $1";
    /// → rows by customer
    SELECT_ALL = "SELECT customer, url, login, sealed, created, failures, next_attempt, last_error FROM webhook \
        ORDER BY customer";
    /// → 1 if there is anything that is encrypted under the key of DATA
    SELECT_SEALED = "SELECT 1 FROM webhook WHERE customer > '' \
        UNION ALL SELECT 1 FROM upstream_account WHERE issuer > '' LIMIT 1";
    /// customer
    DELETE = "DELETE FROM webhook WHERE customer = $1";
    /// customer → how many wait
    COUNT_WAITING = "SELECT COUNT(*) FROM notification WHERE customer = $1 AND waiting = 1";
    /// customer → row of the oldest that waits
    SELECT_WAITING = concat!("SELECT ", notification_columns!(), " FROM notification \
        WHERE customer = $1 AND waiting = 1 ORDER BY id LIMIT 1");
    /// customer, limit: without a webhook the oldest wait no more
    FORGET_WAITING = "UPDATE notification SET waiting = NULL WHERE id IN (SELECT id FROM notification \
        WHERE customer = $1 AND waiting = 1 ORDER BY id LIMIT $2) \
        AND NOT EXISTS (SELECT 1 FROM webhook WHERE webhook.customer = $1)";
    /// now, limit → customers whose receiver is well, and for whom something waits
    SELECT_DUE_GOOD = "SELECT customer FROM webhook WHERE next_attempt <= $1 AND failures = 0 \
        AND (lease_until IS NULL OR lease_until <= $1) AND EXISTS (SELECT 1 FROM notification \
        WHERE notification.customer = webhook.customer AND waiting = 1) ORDER BY next_attempt LIMIT $2";
    /// The same of receivers that failed
    SELECT_DUE_FAILING = "SELECT customer FROM webhook WHERE next_attempt <= $1 AND failures > 0 \
        AND (lease_until IS NULL OR lease_until <= $1) AND EXISTS (SELECT 1 FROM notification \
        WHERE notification.customer = webhook.customer AND waiting = 1) ORDER BY next_attempt LIMIT $2";
    /// lease, customer, now; unless somebody has it
    CLAIM = "UPDATE webhook SET lease_until = $1 WHERE customer = $2 \
        AND (lease_until IS NULL OR lease_until <= $3)";
    /// now, id
    DELIVERED = "UPDATE notification SET delivered = $1, waiting = NULL WHERE id = $2";
    /// lease, now, customer, created, lease until now: of the one that took it, while it is still claimed
    SUCCEEDED = "UPDATE webhook SET failures = 0, last_error = NULL, lease_until = $1, next_attempt = $2 \
        WHERE customer = $3 AND created = $4 AND lease_until = $5";
    /// reason, next attempt, customer, created: of the one that failed, not of one that took its place meanwhile
    FAILED = "UPDATE webhook SET failures = failures + 1, last_error = $1, next_attempt = $2 \
        WHERE customer = $3 AND created = $4";
    /// customer, lease: unless somebody else has claimed it since
    RELEASE = "UPDATE webhook SET lease_until = NULL WHERE customer = $1 AND lease_until = $2";
    /// Gives up every claim.
    RELEASE_ALL = "UPDATE webhook SET lease_until = NULL WHERE lease_until IS NOT NULL";
}
