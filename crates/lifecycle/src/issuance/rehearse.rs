//! A dry run: the whole plan with live looks at challenges and CAA; nothing is stored and nothing is sent.

use jiff::Timestamp;

use super::Quote;
use super::by_auth_key::{PATIENCE, Proofs};
use super::prove::take_in;
use crate::error::Error;
use crate::event::Event;
use crate::process::{Opening, Process, Work};
use crate::services::Services;

/// What a request would lead to now.
#[derive(Debug)]
pub struct Rehearsal {
    /// The process that would be opened, after one round of looks. It has no number: it is stored nowhere, and
    /// random values in its challenges are not those that the real one will have.
    pub process: Process,
    /// What was looked at and seen.
    pub events: Vec<Event>,
    /// What keeps the certificate from being issued in the call; empty when nothing does.
    pub obstacles: Vec<String>,
    /// First and last second of the certificate if it were signed now.
    pub validity: Option<(Timestamp, Timestamp)>,
    /// What it would cost.
    pub quote: Quote,
}

impl Services {
    pub(super) async fn rehearse(
        &self,
        opening: Opening,
        work: Work,
        published: Option<Proofs>,
        quote: Quote,
    ) -> Result<Rehearsal, Error> {
        let now = self.clock.now();
        let (mut process, mut events) = Process::open(opening, work, now);
        let mut obstacles = Vec::new();
        match published {
            Some(proofs) => events.extend(proofs.events),
            None => match tokio::time::timeout(PATIENCE, self.look(&process)).await {
                Ok(looks) => {
                    let customer = process.customer.clone();
                    let (looked, seen) = process
                        .update(now, |work| take_in(work, &looks, &customer, self).0)
                        .map_err(Error::internal)?;
                    process = looked;
                    events.extend(seen);
                }
                Err(_) => obstacles.push(too_slow("the names' DNS and web servers")),
            },
        }
        obstacles.extend(self.not_ready(&process));
        match tokio::time::timeout(PATIENCE, self.check_caa(&process)).await {
            Ok(round) => {
                let forbidding = round.states.iter().filter(|state| !state.permitted);
                obstacles.extend(
                    forbidding.map(|state| format!("CAA of `{}`: {}", state.name, state.reason)),
                );
                events.extend(round.events);
                let (checked, _) = process
                    .update(now, |work| {
                        work.caa = round.states;
                        Vec::new()
                    })
                    .map_err(Error::internal)?;
                process = checked;
            }
            Err(_) => obstacles.push(too_slow("CAA")),
        }
        // What an upstream would sign, it does not say for a rehearsal.
        if process.work().is_some_and(|work| self.is_upstream(work)) {
            return Ok(Rehearsal {
                process,
                events,
                obstacles,
                validity: None,
                quote,
            });
        }
        let validity = match self.prepare_rehearsed(&process).await {
            Ok(signature) => {
                let prepared = &signature.prepared;
                Some((prepared.not_before, prepared.not_after))
            }
            Err(refused) => {
                obstacles.push(refused.reason());
                None
            }
        };
        Ok(Rehearsal {
            process,
            events,
            obstacles,
            validity,
            quote,
        })
    }
}

fn too_slow(what: &str) -> String {
    format!(
        "{what} did not answer within {} seconds",
        PATIENCE.as_secs()
    )
}
