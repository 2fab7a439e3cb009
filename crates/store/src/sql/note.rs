//! Table `note`: which events are notes.

super::statements! {
    /// process, step, ordinal of the event
    INSERT = "INSERT INTO note (process, step, ordinal) VALUES ($1, $2, $3)";
    /// process → at, kind of its notes, oldest first
    SELECT = "SELECT event.at, event.kind FROM note JOIN event ON event.process = note.process \
        AND event.step = note.step AND event.ordinal = note.ordinal \
        WHERE note.process = $1 ORDER BY note.step, note.ordinal";
    /// process, step, first ordinal, ordinal behind the last
    PRUNE = "DELETE FROM note WHERE process = $1 AND step = $2 AND ordinal >= $3 AND ordinal < $4";
}
