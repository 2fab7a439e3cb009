//! Table `audit`, which only grows.

super::statements! {
    /// at, actor, action, object, reason, note, detail
    INSERT = "INSERT INTO audit (at, actor, action, object, reason, note, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// object → at, actor, action, object, reason, note, detail; oldest first
    SELECT_BY_OBJECT = "SELECT at, actor, action, object, reason, note, detail FROM audit \
        WHERE object = $1 ORDER BY id";
}
