//! Table `event`.

super::statements! {
    /// process, step, ordinal, at, kind
    INSERT = "INSERT INTO event (process, step, ordinal, at, kind) VALUES ($1, $2, $3, $4, $5)";
    /// process → at, kind; oldest first
    SELECT_TIMELINE = "SELECT at, kind FROM event WHERE process = $1 ORDER BY step, ordinal";
}
