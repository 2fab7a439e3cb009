//! Leases of nodes: what a node has taken, and what others take over when it is no more.

use crate::database::{self, Connection, params};

/// A statement about what nodes have that are no more. Never what this node has: it works, however its own connection that
/// shows it to the others may be.
macro_rules! of_the_dead {
    ($statement:literal, $node:literal) => {
        concat!(
            $statement,
            " AND ",
            $node,
            " <> ALL (ARRAY(SELECT node FROM living_node) || this_node())"
        )
    };
}

const RELEASE_PROCESSES: &str = of_the_dead!(
    "UPDATE process SET lease_until = NULL WHERE open = 1 AND lease_until IS NOT NULL",
    "lease_node"
);
const RELEASE_WEBHOOKS: &str = of_the_dead!(
    "UPDATE webhook SET lease_until = NULL WHERE lease_until IS NOT NULL",
    "lease_node"
);
const RELEASE_CAMPAIGNS: &str = of_the_dead!(
    "UPDATE campaign SET owner = NULL, owned_until = NULL WHERE owner IS NOT NULL",
    "lease_node"
);
const RELEASE_KEYS: &str = of_the_dead!(
    "DELETE FROM idempotency_key WHERE process IS NULL AND status IS NULL",
    "node"
);
const IS_SEEN: &str = "SELECT 1 FROM living_node WHERE node = this_node()";

const TAKEN_PROCESSES: &str = "SELECT id FROM process WHERE open = 1 AND lease_until IS NOT NULL \
    AND lease_node = this_node() AND lease_until < $1";
const TAKEN_CALLS: &str = "SELECT id FROM idempotency_key WHERE process IS NULL AND status IS NULL \
    AND node = this_node() AND taken < $1";
// A command line has no number.
const EXTEND_LEASE: &str = "UPDATE process SET lease_until = $1 WHERE id = $2 AND open = 1 \
    AND lease_until IS NOT NULL AND lease_node IS NOT DISTINCT FROM this_node()";
const RELEASE_PROCESS: &str = "UPDATE process SET lease_until = NULL WHERE id = $1 AND open = 1 \
    AND lease_node = this_node() AND lease_until < $2";

/// Gives up the leases of nodes that are no more, and forgets the calls they did not come to answer; how many
/// processes wait again.
///
/// After a restart of the server, or when another one has taken over, nobody is seen until all have connected again. So
/// nothing is given up by a node that is not seen itself, nor ([`super::Presence::is_settled`]) by one that is seen
/// again since a short while. While its own connection lasts nothing has ended everybody's: who is not seen is gone, and its
/// work is taken over at the first look. (One whose connection alone was lost is back in a moment; if somebody looks in it,
/// two work on the same, as `presence` says.)
pub(crate) fn release_of_the_dead(connection: &Connection) -> database::Result<usize> {
    let is_seen = connection.one(IS_SEEN, params![], |_| Ok(()))?;
    if is_seen.is_none() {
        return Ok(0);
    }
    connection.execute(RELEASE_WEBHOOKS, params![])?;
    connection.execute(RELEASE_CAMPAIGNS, params![])?;
    connection.execute(RELEASE_KEYS, params![])?;
    connection.execute(RELEASE_PROCESSES, params![])
}

/// The processes that the node of this connection has leased until before `leased`, and the keys of calls that it took
/// before `called` and that led to nothing yet.
pub(crate) fn taken(
    connection: &Connection,
    leased: i64,
    called: i64,
) -> database::Result<(Vec<i64>, Vec<i64>)> {
    let processes = connection.many(TAKEN_PROCESSES, [leased], |row| row.get(0))?;
    let calls = connection.many(TAKEN_CALLS, [called], |row| row.get(0))?;
    Ok((processes, calls))
}

/// Moves the end of the lease of process `id` to `until`, if this node has it. It goes by the node and not by the end of the
/// lease, which every step that is recorded moves: two tasks of one node may share a lease, but who was stopped until its
/// lease had ended must not make the next node's lease its own.
pub(crate) fn extend_lease(connection: &Connection, id: i64, until: i64) -> database::Result<()> {
    connection.execute(EXTEND_LEASE, params![until, id])?;
    Ok(())
}

/// Gives up the lease of process `id`, if the node of this connection has it until before `leased`.
pub(crate) fn release_process(
    connection: &Connection,
    id: i64,
    leased: i64,
) -> database::Result<()> {
    if connection.execute(RELEASE_PROCESS, params![id, leased])? > 0 {
        connection.wake_workers();
    }
    Ok(())
}
