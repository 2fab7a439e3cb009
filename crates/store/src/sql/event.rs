//! Table `event`.

super::statements! {
    /// process, step, ordinal, at, kind
    INSERT = "INSERT INTO event (process, step, ordinal, at, kind) VALUES ($1, $2, $3, $4, $5)";
    /// process → step and ordinal of an event behind all that are there
    SELECT_NEXT = "SELECT version, (SELECT COALESCE(MAX(ordinal) + 1, 0) FROM event \
        WHERE event.process = process.id AND step = version) FROM process WHERE id = $1";
    /// process, step, first ordinal, how many → ordinal, at, kind; oldest first
    SELECT_SPAN = "SELECT ordinal, at, kind FROM event WHERE process = $1 AND step = $2 AND ordinal >= $3 \
        ORDER BY ordinal LIMIT $4";
    /// process, step, first ordinal, ordinal behind the last
    PRUNE = "DELETE FROM event WHERE process = $1 AND step = $2 AND ordinal >= $3 AND ordinal < $4";
    /// → how many there are
    SELECT_ALL_COUNTED = "SELECT COUNT(*) FROM event";
    /// limit → process, step, ordinal of events that no entry of the audit log is about
    SELECT_ALL_UNCLAIMED = "SELECT event.process, event.step, event.ordinal FROM event LEFT JOIN audit \
        ON audit.object = 'process/' || event.process AND audit.step = event.step \
        AND event.ordinal >= audit.ordinal AND event.ordinal < audit.ordinal + audit.events \
        WHERE audit.id IS NULL ORDER BY event.process, event.step, event.ordinal LIMIT $1";
    /// process → at, kind; oldest first
    SELECT_TIMELINE = "SELECT at, kind FROM event WHERE process = $1 ORDER BY step, ordinal";
}
