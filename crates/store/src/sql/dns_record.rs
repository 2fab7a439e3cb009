//! Table `dns_record`.

super::statements! {
    /// process, hook, name, value, created; once
    INSERT = "INSERT INTO dns_record (process, hook, name, value, created) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (process, hook, name, value) DO NOTHING";
    /// due, again, process: its records are needed no more
    RETIRE = "UPDATE dns_record SET due = $1, again = $2 WHERE process = $3 AND due IS NULL";
    /// now, limit → process, hook, name, value, attempts; the longest overdue first
    SELECT_DUE = "SELECT process, hook, name, value, attempts FROM dns_record WHERE due <= $1 ORDER BY due LIMIT $2";
    /// hook, name, value → 1 if an open process needs such a record
    IS_NEEDED = "SELECT 1 FROM dns_record WHERE hook = $1 AND name = $2 AND value = $3 AND due IS NULL LIMIT 1";
    /// lease, process, hook, name, value, now: unless somebody else has taken it
    TAKE = "UPDATE dns_record SET due = $1 \
        WHERE process = $2 AND hook = $3 AND name = $4 AND value = $5 AND due <= $6";
    /// again, process, hook, name, value: if it is to be removed a second time
    ONCE_MORE = "UPDATE dns_record SET due = $1, again = 0, attempts = 0, last_error = NULL \
        WHERE process = $2 AND hook = $3 AND name = $4 AND value = $5 AND due IS NOT NULL AND again = 1";
    /// process, hook, name, value
    DELETE = "DELETE FROM dns_record \
        WHERE process = $1 AND hook = $2 AND name = $3 AND value = $4 AND due IS NOT NULL";
    /// next, why not, process, hook, name, value
    NOT_REMOVED = "UPDATE dns_record SET due = $1, last_error = $2, attempts = attempts + 1 \
        WHERE process = $3 AND hook = $4 AND name = $5 AND value = $6 AND due IS NOT NULL";
}
