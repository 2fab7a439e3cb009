//! What nodes on one database tell each other and nobody keeps. A word may be lost: nothing durable depends on it.

use tokio::sync::{Mutex, mpsc};

/// Words that wait; beyond, they are lost.
const WAITING: usize = 64;

/// This node's side: what it says, and what it hears.
pub(crate) struct Talk {
    say: mpsc::Sender<String>,
    heard: Mutex<mpsc::Receiver<String>>,
    /// The other end, until somebody carries the words.
    carried: std::sync::Mutex<Option<Carrier>>,
}

/// What whoever carries words takes and brings.
pub(crate) struct Carrier {
    pub(crate) said: mpsc::Receiver<String>,
    pub(crate) bring: mpsc::Sender<String>,
}

impl Default for Talk {
    fn default() -> Self {
        let (say, said) = mpsc::channel(WAITING);
        let (bring, heard) = mpsc::channel(WAITING);
        Self {
            say,
            heard: Mutex::new(heard),
            carried: std::sync::Mutex::new(Some(Carrier { said, bring })),
        }
    }
}

impl Talk {
    /// The other end; only once.
    pub(crate) fn carrier(&self) -> Option<Carrier> {
        let mut carried = self.carried.lock().ok()?;
        carried.take()
    }

    pub(crate) fn tell(&self, word: String) {
        // A connection that is lost for a while must not hold callers up.
        if self.say.try_send(word).is_err() {
            tracing::debug!("a word to the other nodes is lost");
        }
    }

    pub(crate) async fn hear(&self) -> String {
        match self.heard.lock().await.recv().await {
            Some(word) => word,
            None => std::future::pending().await,
        }
    }
}
