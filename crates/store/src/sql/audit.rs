//! Tables `audit` and `audit_checkpoint`.
//!
//! In SQLite the writer holds the database's lock from the look at the last entry to the commit; in PostgreSQL it takes
//! a lock for that, see `Lock::AuditLog`.

/// Columns of a whole row, in the order in which they are read.
macro_rules! columns {
    () => {
        "id, at, actor, action, object, reason, note, detail, step, ordinal, events, digest, previous, hash"
    };
}

super::statements! {
    /// id, at, actor, action, object, reason, note, detail, step, ordinal, events, digest, previous, hash
    INSERT = "INSERT INTO audit (id, at, actor, action, object, reason, note, detail, step, ordinal, events, \
        digest, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    /// → id, hash of the last entry
    SELECT_HEAD = "SELECT id, hash FROM audit WHERE id = (SELECT MAX(id) FROM audit)";
    /// → ids of the first and the last entry
    SELECT_ENDS = "SELECT (SELECT MIN(id) FROM audit), (SELECT MAX(id) FROM audit)";
    /// id → at
    SELECT_MOMENT = "SELECT at FROM audit WHERE id = $1";
    /// object → at, actor, action, object, reason, note, detail; oldest first, without the entries of steps
    SELECT_BY_OBJECT = "SELECT at, actor, action, object, reason, note, detail FROM audit \
        WHERE object = $1 AND step IS NULL ORDER BY id";
    /// object → the last of them
    SELECT_LAST_BY_OBJECT = "SELECT at, actor, action, object, reason, note, detail FROM audit \
        WHERE object = $1 AND step IS NULL ORDER BY id DESC LIMIT 1";
    /// id, how many → whole rows from there on, in order
    SELECT_FROM = concat!("SELECT ", columns!(), " FROM audit WHERE id >= $1 ORDER BY id LIMIT $2");
    /// through, hash, pruning
    SET_CHECKPOINT = "UPDATE audit_checkpoint SET through = $1, hash = $2, pruning = $3 WHERE id = 1";
    /// id of the last to go
    PRUNE = "DELETE FROM audit WHERE id <= $1";
    /// → through, hash
    SELECT_CHECKPOINT = "SELECT through, hash FROM audit_checkpoint WHERE id = 1";
}
