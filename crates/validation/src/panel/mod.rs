//! The local perspective and the remote ones together (BR 3.2.2.9, M-1 to M-8).
//!
//! A challenge is looked at from here first, and by the remotes only when it was found here: nothing can be issued
//! without this host's own look, and most looks of a month find nothing yet. CAA is asked for everywhere at once,
//! because its answer is nearly always a permission and somebody waits for it.
//! Nothing is kept from one look to the next: a retry starts from zero (M-6).

mod corroboration;
mod remote;
mod token;
mod wire;

use std::sync::Arc;

use jiff::Timestamp;
use reseal_pki::{corroboration::Quorum, name::DnsName};
use tokio::task::JoinSet;

pub use corroboration::{Corroboration, Sighting};
pub use remote::{Remote, RemoteError, RemoteSettings};
pub use token::{BadToken, Token};
pub use wire::{ABOUT, ATTEMPT, About, AttemptQuestion, CAA, CaaQuestion, Reply};

use crate::{
    caa::{CaaObservation, Levels},
    challenge::Challenge,
    evidence::{Attempt, Verdict},
    perspective::Perspective,
};

/// Every perspective of this server. Cheap to clone; needs a Tokio runtime when used.
#[derive(Clone, Debug)]
pub struct Panel {
    local: Perspective,
    remotes: Arc<[Arc<Remote>]>,
    quorum: Quorum,
}

/// What one look at a challenge found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// This host's own look; not proved when too few remotes saw the same.
    pub attempt: Attempt,
    /// What the remotes said, when they were asked.
    pub corroboration: Option<Corroboration>,
}

/// What one remote perspective said about CAA.
#[derive(Clone, Debug)]
pub struct RemoteCaa {
    /// Who.
    pub remote: Arc<Remote>,
    /// What it saw, or why it said nothing.
    pub answer: Result<CaaObservation, String>,
}

impl Panel {
    /// `local` and `remotes`, of which `quorum` have to agree with it.
    pub fn new(local: Perspective, remotes: Vec<Remote>, quorum: Quorum) -> Self {
        Self {
            local,
            remotes: remotes.into_iter().map(Arc::new).collect(),
            quorum,
        }
    }

    /// The local perspective.
    pub fn local(&self) -> &Perspective {
        &self.local
    }

    /// The remote perspectives.
    pub fn remotes(&self) -> &[Arc<Remote>] {
        &self.remotes
    }

    /// Looks for a challenge once, from everywhere; `at` is when that began by the clock that judges the age of
    /// the evidence later.
    pub async fn attempt(&self, challenge: &Challenge, at: Timestamp) -> Seen {
        let mut attempt = self.local.attempt(challenge).await;
        attempt.at = at;
        if attempt.verdict != Verdict::Proved || self.remotes.is_empty() {
            return Seen {
                attempt,
                corroboration: None,
            };
        }
        let challenge = challenge.clone();
        let answers = self
            .everywhere(move |remote| {
                let challenge = challenge.clone();
                async move { remote.attempt(&challenge).await }
            })
            .await;
        let sightings = answers
            .into_iter()
            .map(|(remote, answer)| Sighting::of_attempt(&remote, answer));
        let corroboration = Corroboration::new(sightings.collect());
        let attempt = match self.quorum.judge(&corroboration.witnesses(), at) {
            Ok(()) => attempt,
            Err(shortfall) => corroboration.withhold(attempt, shortfall),
        };
        Seen {
            attempt,
            corroboration: Some(corroboration),
        }
    }

    /// Finds the CAA records that are relevant for a name, from here and from everywhere else. What `levels` were asked
    /// from here already is not asked again.
    pub async fn caa(&self, name: &DnsName, levels: &Levels) -> (CaaObservation, Vec<RemoteCaa>) {
        let asked = name.clone();
        let remotes = self.everywhere(move |remote| {
            let name = asked.clone();
            async move { remote.caa(&name).await }
        });
        let (observation, answers) = tokio::join!(self.local.caa(name, levels), remotes);
        let answers = answers
            .into_iter()
            .map(|(remote, answer)| RemoteCaa { remote, answer })
            .collect();
        (observation, answers)
    }

    /// Asks every remote at the same time; the answers in the order of the configuration.
    async fn everywhere<T, F, Fut>(&self, ask: F) -> Vec<(Arc<Remote>, Result<T, String>)>
    where
        T: Send + 'static,
        F: Fn(Arc<Remote>) -> Fut,
        Fut: Future<Output = Result<T, String>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for (index, remote) in self.remotes.iter().enumerate() {
            let asking = ask(Arc::clone(remote));
            tasks.spawn(async move { (index, asking.await) });
        }
        let mut answers: Vec<Option<Result<T, String>>> =
            self.remotes.iter().map(|_| None).collect();
        while let Some(done) = tasks.join_next().await {
            // A task that died leaves its place empty.
            if let Ok((index, answer)) = done {
                answers[index] = Some(answer);
            }
        }
        let interrupted = || Err("the look was interrupted".to_owned());
        self.remotes
            .iter()
            .cloned()
            .zip(
                answers
                    .into_iter()
                    .map(|answer| answer.unwrap_or_else(interrupted)),
            )
            .collect()
    }
}

#[cfg(test)]
mod tests;
