//! Table `event`.

super::statements! {
    /// process, step, ordinal, at, kind
    INSERT = "INSERT INTO event (process, step, ordinal, at, kind) VALUES ($1, $2, $3, $4, $5)";
    /// process → step and ordinal of an event behind all that are there
    SELECT_NEXT = "SELECT version, (SELECT COALESCE(MAX(ordinal) + 1, 0) FROM event \
        WHERE event.process = process.id AND step = version) FROM process WHERE id = $1";
    /// process → at, kind; oldest first
    SELECT_TIMELINE = "SELECT at, kind FROM event WHERE process = $1 ORDER BY step, ordinal";
}
