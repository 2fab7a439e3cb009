//! Proving every name at once, now, by a value that was published before (design decision 10, D-10). Whatever is
//! missing refuses the call and leaves nothing behind.

use std::fmt::Write as _;
use std::time::Duration;

use reseal_pki::name::DnsName;
use reseal_validation::challenge::Challenge;
use reseal_validation::evidence::{Attempt, Verdict};
use reseal_validation::panel::{Panel, Seen};

use super::draft::Draft;
use super::plan::br_method;
use super::prove::{apply, seen, witnesses};
use crate::auth_key::{AuthKey, AuthKeyId, check_offered};
use crate::authorization::Authorization;
use crate::clock::Clock;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::process::{ProofState, Work};
use crate::product::DcvType;
use crate::services::Services;

/// Where the file is looked for (D-10).
const FILE: &str = "/.well-known/pki-validation/fileauth.txt";

/// How long all looks together may take: somebody waits for the answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Names that a refusal describes; the others are counted.
const DESCRIBED: usize = 20;

/// What the looks at all names brought, to be stored with the process they open.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    pub(super) events: Vec<Event>,
    pub(super) authorizations: Vec<Authorization>,
    pub(super) keys: Vec<AuthKeyId>,
}

/// One look for one key.
struct Sighting {
    name: String,
    method: DcvType,
    key: AuthKeyId,
    challenge: Challenge,
    seen: Seen,
}

impl Services {
    /// Looks for the draft's auth keys at every name, once, and marks the names in `work` as proved by them.
    ///
    /// # Errors
    /// [`Kind::Constraint`] when the product has no auth keys; [`Kind::Rule`] when none was made for this CSR, or
    /// when a name does not carry one, with what was seen there.
    pub(super) async fn prove_by_auth_key(
        &self,
        draft: &Draft<'_>,
        work: &mut Work,
    ) -> Result<Proofs, Error> {
        check_offered(draft.product, "authKey")?;
        let now = self.clock.now();
        let keys = self
            .usable_auth_keys(draft.customer, draft.product, draft.csr, now)
            .await?;
        if keys.is_empty() {
            return Err(Error::new(
                Kind::Rule,
                format!(
                    "There is no usable authKey for this CSR and product `{}`: get one from `POST /v2/ssl/authkey` \
                     with the same CSR and product, publish it at every name, and repeat this call",
                    draft.product.product
                ),
            ));
        }
        for proof in &mut work.proofs {
            proof.state = ProofState::Waiting;
        }
        let looks = self.look_for_keys(draft, work, &keys);
        match tokio::time::timeout(PATIENCE, looks).await {
            Ok((proofs, _)) if work.all_proved() => Ok(proofs),
            Ok((_, sightings)) => Err(refusal(work, &sightings)),
            Err(_) => Err(Error::new(
                Kind::Rule,
                format!(
                    "The names' DNS and web servers did not answer within {} seconds; nothing was ordered: repeat \
                     the call later, or without `authKey`",
                    PATIENCE.as_secs()
                ),
            )),
        }
    }

    async fn look_for_keys(
        &self,
        draft: &Draft<'_>,
        work: &mut Work,
        keys: &[AuthKey],
    ) -> (Proofs, Vec<Sighting>) {
        let mut proofs = Proofs::default();
        let mut sightings = Vec::new();
        for method in [DcvType::Dns, DcvType::File] {
            let looked = self.sightings(draft, work, keys, method).await;
            self.take_sightings(work, &looked, draft.customer, &mut proofs);
            sightings.extend(looked);
        }
        (proofs, sightings)
    }

    /// Looks for every key at every name that is still open and may be proved by `method`.
    async fn sightings(
        &self,
        draft: &Draft<'_>,
        work: &Work,
        keys: &[AuthKey],
        method: DcvType,
    ) -> Vec<Sighting> {
        if !draft.product.dcv.contains(&method) {
            return Vec::new();
        }
        let mut names: Vec<&DnsName> = Vec::new();
        for proof in work.proofs.iter().filter(|proof| !proof.is_proved()) {
            // A file proves the one name it lies on, so never what a wildcard stands for (D-21).
            let possible = method == DcvType::Dns || !proof.name.is_wildcard();
            if possible && !names.iter().any(|known| known.fqdn() == proof.name.fqdn()) {
                names.push(&proof.name);
            }
        }
        let mut sightings = Vec::new();
        for chunk in names.chunks(super::AT_ONCE) {
            let tasks: Vec<_> = chunk
                .iter()
                .map(|name| {
                    let (name, keys) = (name.fqdn().to_owned(), keys.to_vec());
                    tokio::spawn(seek(self.panel.clone(), self.clock, name, keys, method))
                })
                .collect();
            for task in tasks {
                // A look that died proves nothing.
                sightings.extend(task.await.unwrap_or_default());
            }
        }
        sightings
    }

    /// Notes what was seen, and marks what it proves.
    fn take_sightings(
        &self,
        work: &mut Work,
        sightings: &[Sighting],
        customer: &str,
        proofs: &mut Proofs,
    ) {
        for sighting in sightings {
            let Sighting {
                name,
                method,
                seen:
                    Seen {
                        attempt,
                        corroboration,
                    },
                ..
            } = sighting;
            let corroboration = corroboration.as_ref();
            proofs
                .events
                .push(seen(name, *method, attempt, corroboration));
            if attempt.verdict != Verdict::Proved {
                continue;
            }
            let authorization = Authorization {
                id: 0,
                customer: customer.to_owned(),
                adn: name.clone(),
                method: br_method(*method),
                only_itself: false,
                obtained: attempt.at,
                process: 0,
                witnesses: witnesses(corroboration),
                alias: sighting.challenge.alias(attempt),
                distrusted: None,
            };
            let open: Vec<bool> = work.proofs.iter().map(|proof| !proof.is_proved()).collect();
            proofs
                .events
                .extend(apply(work, &authorization, self, |_| true));
            for (proof, _) in work.proofs.iter_mut().zip(open).filter(|(_, open)| *open) {
                if proof.is_proved() {
                    proof.method = *method;
                    proof.email = None;
                    proof.adn.clone_from(name);
                    proof.challenge = Some(sighting.challenge.clone());
                }
            }
            proofs.authorizations.push(authorization);
            if !proofs.keys.contains(&sighting.key) {
                proofs.keys.push(sighting.key);
            }
        }
    }
}

/// Looks for one key after the other at `name`, until one is there.
async fn seek(
    panel: Panel,
    clock: Clock,
    name: String,
    keys: Vec<AuthKey>,
    method: DcvType,
) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for key in keys {
        let challenge = match method {
            DcvType::File => Challenge::File {
                host: name.clone(),
                path: FILE.to_owned(),
                contents: key.token,
            },
            DcvType::Dns | DcvType::Email => Challenge::Dns {
                record: format!("{name}."),
                contents: key.token,
            },
        };
        let seen = panel.attempt(&challenge, clock.now()).await;
        let proved = seen.attempt.verdict == Verdict::Proved;
        sightings.push(Sighting {
            name: name.clone(),
            method,
            key: key.id,
            challenge,
            seen,
        });
        if proved {
            break;
        }
    }
    sightings
}

/// What every name that is not proved should have shown, and what was seen there.
fn refusal(work: &Work, sightings: &[Sighting]) -> Error {
    let open: Vec<&str> = work
        .proofs
        .iter()
        .filter(|proof| !proof.is_proved())
        .map(|proof| proof.name.as_str())
        .collect();
    let mut message = "The authKey was not found at every name; nothing was ordered".to_owned();
    for name in open.iter().take(DESCRIBED) {
        let base = name.strip_prefix("*.").unwrap_or(name);
        // Writing to a `String` cannot fail.
        let _ = write!(message, ". `{name}`:");
        let mut separator = " ";
        // The newest key is the one that is told of.
        let mut told = Vec::new();
        for sighting in sightings.iter().filter(|sighting| sighting.name == base) {
            if told.contains(&sighting.method) {
                continue;
            }
            told.push(sighting.method);
            let Attempt { expected, seen, .. } = &sighting.seen.attempt;
            let _ = write!(message, "{separator}expected {expected}, saw {seen}");
            separator = "; or ";
        }
    }
    if open.len() > DESCRIBED {
        let _ = write!(
            message,
            ". So it is with {} more names",
            open.len() - DESCRIBED
        );
    }
    Error::new(Kind::Rule, message)
}
