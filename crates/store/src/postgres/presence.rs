//! That this node is alive: a connection that holds the lock of its number, hears when there is work, and carries what
//! nodes tell each other.
//!
//! When the node dies, however it does, the server lets go of the lock, and the others take over what the node had
//! leased ([`release_of_the_dead`]) without waiting for the leases' end. A node whose connection was lost while it went
//! on working may be taken for dead: then two work on the same process, as when a lease ends too early, and the version
//! of the process lets one of them through.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use reseal_lifecycle::store::StoreError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_postgres::{Client, Notification};

use super::connect::{Role, Target};
use crate::database::{self, Connection, Error, params};
use crate::store::no_thread;
use crate::talk::Carrier;

/// First number of the locks of nodes; the view `living_node` looks for it.
const NODES: i32 = 0x7265_7366;
/// What is said when there is work.
const CHANNEL: &str = "reseal_work";
/// Where nodes talk: the number of who does, a space, and the word.
const TALK: &str = "reseal_talk";
const TELL: &str = "SELECT pg_notify('reseal_talk', $1)";
/// Time before another attempt to connect.
const PAUSE: Duration = Duration::from_secs(1);

const NEXT: &str = "SELECT nextval('node')";
const RELEASE_PROCESSES: &str = "UPDATE process SET lease_until = NULL WHERE open = 1 \
    AND lease_until IS NOT NULL AND lease_node <> ALL (ARRAY(SELECT node FROM living_node))";
const RELEASE_WEBHOOKS: &str = "UPDATE webhook SET lease_until = NULL \
    WHERE lease_until IS NOT NULL AND lease_node <> ALL (ARRAY(SELECT node FROM living_node))";
const RELEASE_CAMPAIGNS: &str = "UPDATE campaign SET owner = NULL, owned_until = NULL \
    WHERE owner IS NOT NULL AND lease_node <> ALL (ARRAY(SELECT node FROM living_node))";
const RELEASE_KEYS: &str = "DELETE FROM idempotency_key WHERE process IS NULL AND status IS NULL \
    AND node <> ALL (ARRAY(SELECT node FROM living_node))";

const TAKEN_PROCESSES: &str = "SELECT id FROM process WHERE open = 1 AND lease_until IS NOT NULL \
    AND lease_node = this_node() AND lease_until < $1";
const TAKEN_CALLS: &str = "SELECT id FROM idempotency_key WHERE process IS NULL AND status IS NULL \
    AND node = this_node() AND taken < $1";
const RELEASE_PROCESS: &str = "UPDATE process SET lease_until = NULL WHERE id = $1 AND open = 1 \
    AND lease_node = this_node() AND lease_until < $2";

/// A number that no other living node has.
pub(super) fn next_number(connection: &Connection) -> database::Result<i32> {
    let number = connection.one(NEXT, params![], |row| row.get(0))?;
    number.ok_or(Error::Missing("the number of a node"))
}

/// Gives up the leases of nodes that are no more, and forgets the calls they did not come to answer; how many
/// processes wait again.
pub(crate) fn release_of_the_dead(connection: &Connection) -> database::Result<usize> {
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

/// Tells the workers of all nodes that there is work, when the transaction is committed.
pub(crate) const SAY_THERE_IS_WORK: &str = "NOTIFY reseal_work";

/// Who hears what the others say.
pub(super) struct Ears {
    /// Woken when there is work.
    pub(super) woken: Arc<Notify>,
    pub(super) carrier: Option<Carrier>,
}

/// The connection, on a thread of its own.
pub(crate) struct Presence {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Presence {
    /// Connects, takes the lock and stays.
    pub(super) fn start(target: Target, number: i32, ears: Ears) -> Result<Self, StoreError> {
        let (stop, stopped) = oneshot::channel();
        let (first, taken) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("store-presence".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(stay(&target, number, ears, first, stopped)),
                    Err(error) => drop(first.send(Err(Error::Unreachable(error.to_string())))),
                }
            })
            .map_err(|error| no_thread(&error))?;
        taken
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Unreachable("the node's thread ended".to_owned())))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the node's presence panicked");
        }
    }
}

type Taken = oneshot::Sender<database::Result<()>>;

/// Holds the lock until `stopped`, again and again if the connection is lost.
async fn stay(
    target: &Target,
    number: i32,
    ears: Ears,
    first: Taken,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut first = Some(first);
    let Ears { woken, carrier } = ears;
    let (mut said, bring) = carrier.map(|carrier| (carrier.said, carrier.bring)).unzip();
    loop {
        let (wake, bring) = (Arc::clone(&woken), bring.clone());
        let attempt = async {
            let heard = move |notification: &Notification| match notification.channel() {
                TALK => hear(notification.payload(), number, bring.as_ref()),
                _ => wake.notify_one(),
            };
            let (client, driven) = target.connect_and_hear(Role::Presence, heard).await?;
            let take = format!(
                "SELECT pg_advisory_lock({NODES}, {number}); LISTEN {CHANNEL}; LISTEN {TALK}"
            );
            client.batch_execute(&take).await?;
            Ok::<_, Error>((client, driven))
        };
        match attempt.await {
            Ok((client, driven)) => {
                if let Some(first) = first.take() {
                    let _ = first.send(Ok(()));
                }
                // What was said meanwhile was not heard.
                woken.notify_one();
                tokio::select! {
                    () = carry(&client, number, &mut said) => {}
                    _ = driven => tracing::warn!("the connection that shows this node to others was lost"),
                    _ = &mut stopped => {
                        // So that others know it as soon as this thread has ended.
                        let _ = client.batch_execute("SELECT pg_advisory_unlock_all()").await;
                        return;
                    }
                }
            }
            Err(error) => {
                if let Some(first) = first.take() {
                    return drop(first.send(Err(error)));
                }
                tracing::warn!(%error, "this node cannot show itself to others");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = &mut stopped => return,
        }
    }
}

/// Tells the others what this node says, as long as the connection lasts.
async fn carry(client: &Client, number: i32, said: &mut Option<mpsc::Receiver<String>>) {
    while let Some(word) = next(said).await {
        let text = format!("{number} {word}");
        if let Err(error) = client.query(TELL, &[&text]).await {
            tracing::debug!(%error, "a word to the other nodes is lost");
        }
    }
    // Nobody says anything any more: hearing goes on.
    std::future::pending::<()>().await;
}

async fn next(said: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match said {
        Some(said) => said.recv().await,
        None => None,
    }
}

/// What another node than `number` says is brought to whoever listens; nobody waits for that.
fn hear(text: &str, number: i32, bring: Option<&mpsc::Sender<String>>) {
    let (Some((from, word)), Some(bring)) = (text.split_once(' '), bring) else {
        return;
    };
    if from.parse() != Ok(number) && bring.try_send(word.to_owned()).is_err() {
        tracing::debug!("a word of another node is lost");
    }
}
