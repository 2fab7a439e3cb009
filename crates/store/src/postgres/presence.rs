//! That this node is alive: a connection that holds the lock of its number, hears when there is work, and carries what
//! nodes tell each other.
//!
//! When the node dies, however it does, the server lets go of the lock, and the others take over what the node had
//! leased ([`super::leases`]) without waiting for the leases' end. A node whose connection was lost while it went
//! on working may be taken for dead: then two work on the same process, as when a lease ends too early, and the version
//! of the process lets one of them through.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reseal_lifecycle::store::StoreError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_postgres::{Client, Notification};

use super::connect::{Role, SILENCE, Target};
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
const TAKE: &str = "SELECT pg_try_advisory_lock($1, $2)";
/// Time between two attempts to connect, or to take the lock.
const PAUSE: Duration = Duration::from_secs(1);
/// How long nobody is taken for dead after this node's own connection was lost: what ended it (the server was started again,
/// another one took over) mostly ended everybody's, and some notice that only after a silence.
const SETTLING: Duration = Duration::from_secs(SILENCE.as_secs() + 5);

const NEXT: &str = "SELECT nextval('node')";

/// A number that no other living node has.
pub(super) fn next_number(connection: &Connection) -> database::Result<i32> {
    let number = connection.one(NEXT, params![], |row| row.get(0))?;
    number.ok_or(Error::Missing("the number of a node"))
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
    settled: Arc<AtomicBool>,
}

impl Presence {
    /// Connects, takes the lock and stays.
    pub(super) fn start(target: Target, number: i32, ears: Ears) -> Result<Self, StoreError> {
        let (stop, stopped) = oneshot::channel();
        let (first, taken) = oneshot::channel();
        let settled = Arc::<AtomicBool>::default();
        let node = Node {
            target,
            number,
            settled: Arc::clone(&settled),
        };
        let thread = std::thread::Builder::new()
            .name("store-presence".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => {
                        runtime.block_on(node.stay(ears, first, stopped));
                        // A name that is still looked up would be waited for.
                        runtime.shutdown_background();
                    }
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
            settled,
        })
    }

    /// Whether the others had time to show themselves, so that who is not seen is no more.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
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

/// Who shows itself.
struct Node {
    target: Target,
    number: i32,
    settled: Arc<AtomicBool>,
}

impl Node {
    /// Holds the lock until `stopped`, again and again if the connection is lost.
    async fn stay(self, ears: Ears, first: Taken, mut stopped: oneshot::Receiver<()>) {
        let mut first = Some(first);
        let Ears { woken, carrier } = ears;
        let (mut said, bring) = carrier.map(|carrier| (carrier.said, carrier.bring)).unzip();
        loop {
            let began = Instant::now();
            let made = tokio::select! {
                made = self.connect(&woken, bring.clone()) => made,
                _ = &mut stopped => return,
            };
            let lost = match made {
                Ok((client, driven)) => tokio::select! {
                    error = self.hold(&client, &mut first) => error,
                    never = carry(&client, self.number, &mut said) => match never {},
                    _ = driven => Error::Unreachable("the connection was lost".to_owned()),
                    _ = &mut stopped => return leave(&client).await,
                },
                Err(error) => error,
            };
            self.settled.store(false, Ordering::Relaxed);
            if let Some(first) = first.take() {
                return drop(first.send(Err(lost)));
            }
            tracing::warn!(error = %lost, "this node cannot show itself to others");
            // After a connection that lasted, at once: until then the others take this node for dead.
            tokio::select! {
                () = tokio::time::sleep(PAUSE.saturating_sub(began.elapsed())) => {}
                _ = &mut stopped => return,
            }
        }
    }

    /// A connection that hears, whether or not the lock is to be had.
    async fn connect(
        &self,
        woken: &Arc<Notify>,
        bring: Option<mpsc::Sender<String>>,
    ) -> database::Result<(Client, tokio::task::JoinHandle<()>)> {
        let (wake, number) = (Arc::clone(woken), self.number);
        let heard = move |notification: &Notification| match notification.channel() {
            TALK => hear(notification.payload(), number, bring.as_ref()),
            _ => wake.notify_one(),
        };
        let made = self.target.connect_and_hear(Role::Presence, heard).await?;
        made.0
            .batch_execute(&format!("LISTEN {CHANNEL}; LISTEN {TALK}"))
            .await?;
        // What was said meanwhile was not heard.
        woken.notify_one();
        Ok(made)
    }

    /// Takes the lock and holds it; ends only with what goes wrong. A lock that is not to be had is asked for again, so that
    /// the connection has time for other things: the server may hold it for a while for the connection that was lost.
    async fn hold(&self, client: &Client, first: &mut Option<Taken>) -> Error {
        loop {
            match self.take(client).await {
                Ok(true) => break,
                Ok(false) if first.is_some() => {
                    return Error::Unreachable(format!(
                        "the number {} of this node is in use: start it again, and it gets another",
                        self.number
                    ));
                }
                Ok(false) => tokio::time::sleep(PAUSE).await,
                Err(error) => return error,
            }
        }
        if first.is_none() {
            tokio::time::sleep(SETTLING).await;
        }
        self.settled.store(true, Ordering::Relaxed);
        if let Some(first) = first.take() {
            drop(first.send(Ok(())));
        }
        std::future::pending().await
    }

    async fn take(&self, client: &Client) -> database::Result<bool> {
        let row = client.query_one(TAKE, &[&NODES, &self.number]).await?;
        Ok(row.try_get(0)?)
    }
}

/// Lets go of the lock, so that others know it as soon as this thread has ended.
async fn leave(client: &Client) {
    let unlocked = client.batch_execute("SELECT pg_advisory_unlock_all()");
    // A server that does not answer notices the connection's end by itself.
    if tokio::time::timeout(PAUSE, unlocked).await.is_err() {
        tracing::warn!("the others may notice late that this node has stopped");
    }
}

/// Tells the others what this node says, as long as the connection lasts.
async fn carry(
    client: &Client,
    number: i32,
    said: &mut Option<mpsc::Receiver<String>>,
) -> Infallible {
    while let Some(word) = next(said).await {
        let text = format!("{number} {word}");
        if let Err(error) = client.query(TELL, &[&text]).await {
            tracing::debug!(%error, "a word to the other nodes is lost");
        }
    }
    // Nobody says anything any more: hearing goes on.
    std::future::pending().await
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
