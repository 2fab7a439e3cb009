//! Table `idempotency_key`.

super::statements! {
    /// taken before, how many: what a day has made old
    FORGET = "DELETE FROM idempotency_key WHERE id IN \
              (SELECT id FROM idempotency_key WHERE taken < $1 ORDER BY taken LIMIT $2)";
    /// customer, key, forgotten if taken before, dead if taken before and without outcome: what counts no more. The
    /// conditions are those of the look before: what was taken or got an outcome since then stays.
    REPLACE = "DELETE FROM idempotency_key WHERE customer = $1 AND key = $2 \
               AND (taken < $3 OR taken < $4 AND process IS NULL AND status IS NULL)";
    /// all calls that left nothing behind
    RELEASE_ALL = "DELETE FROM idempotency_key WHERE process IS NULL AND status IS NULL";
    /// customer, key → fingerprint, taken, process, status, headers, body
    SELECT = "SELECT fingerprint, taken, process, status, headers, body FROM idempotency_key \
              WHERE customer = $1 AND key = $2";
    /// customer, key, fingerprint, taken
    INSERT = "INSERT INTO idempotency_key (customer, key, fingerprint, taken) VALUES ($1, $2, $3, $4) \
              ON CONFLICT (customer, key) DO NOTHING";
    /// process, id: of a call that opens its only process
    SET_PROCESS = "UPDATE idempotency_key SET process = $1 WHERE id = $2 AND process IS NULL";
    /// status, headers, body, id
    KEEP = "UPDATE idempotency_key SET status = $1, headers = $2, body = $3 WHERE id = $4";
    /// id: of a call that left nothing behind
    FREE = "DELETE FROM idempotency_key WHERE id = $1 AND process IS NULL AND status IS NULL";
}
