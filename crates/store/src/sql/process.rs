//! Table `process`. Rows read have the columns of [`COLUMNS`].

/// Columns of a row, in the order in which they are read.
macro_rules! columns {
    () => {
        "id, version, customer, opened_by, action, identifier, source, subscription, certificate, \
         created, updated, next_run, state, command"
    };
}

/// Columns of a row, for lists.
pub(crate) const COLUMNS: &str = columns!();

super::statements! {
    /// customer, opened by, action, identifier, source, subscription, certificate, created, updated, status,
    /// open, requires attention, next run, lease, state, command → id
    INSERT = "INSERT INTO process (version, customer, opened_by, action, identifier, source, subscription, \
        certificate, created, updated, status, open, requires_attention, next_run, lease_until, state, command) \
        VALUES (0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
        ON CONFLICT (subscription) WHERE open = 1 DO NOTHING";
    /// subscription, certificate, updated, status, open, requires attention, next run, lease, state; id, version
    ADVANCE = "UPDATE process SET version = version + 1, subscription = $1, certificate = $2, updated = $3, \
        status = $4, open = $5, requires_attention = $6, next_run = $7, lease_until = $8, state = $9 \
        WHERE id = $10 AND version = $11";
    /// id, version → 1
    IS_AT = "SELECT 1 FROM process WHERE id = $1 AND version = $2";
    /// subscription, certificate, id: of a process that is new and has its certificate already
    SET_RESULT = "UPDATE process SET subscription = $1, certificate = $2 WHERE id = $3";
    /// id → row
    SELECT = concat!("SELECT ", columns!(), " FROM process WHERE id = $1");
    /// → status, number of open processes that have it
    COUNT_OPEN = "SELECT status, COUNT(*) FROM process WHERE open = 1 GROUP BY status";
    /// id → 1
    EXISTS = "SELECT 1 FROM process WHERE id = $1";
    /// subscription → id
    SELECT_OPEN = "SELECT id FROM process WHERE subscription = $1 AND open = 1";
    /// id → state, while it is open
    SELECT_OPEN_STATE = "SELECT state FROM process WHERE id = $1 AND open = 1";
    /// now, time and id behind which to begin → id, customer, time of those whose time has come and that nobody works on
    SELECT_DUE = "SELECT id, customer, next_run FROM process WHERE next_run <= $1 AND open = 1 \
        AND (lease_until IS NULL OR lease_until <= $1) AND (next_run, id) > ($2, $3) \
        ORDER BY next_run, id LIMIT 256";
    /// lease, id; a lease that was given up stays given up. Where there is one node
    EXTEND_LEASE = "UPDATE process SET lease_until = $1 WHERE id = $2 AND open = 1 AND lease_until IS NOT NULL";
    /// lease, id, now; unless somebody works on it or it is over
    CLAIM = "UPDATE process SET lease_until = $1 WHERE id = $2 AND open = 1 \
        AND (lease_until IS NULL OR lease_until <= $3)";
    /// Gives up every lease.
    RELEASE_ALL = "UPDATE process SET lease_until = NULL WHERE open = 1 AND lease_until IS NOT NULL";
}
