//! One look at CAA for a name, and what it means for a request (M-2, S-10). The process and whoever asks beforehand
//! look by this same code.

use std::sync::Arc;

use jiff::Timestamp;
use reseal_pki::corroboration::{Quorum, Region, Witness, tally};
use reseal_pki::name::DnsName;
use reseal_validation::Panel;
use reseal_validation::caa::{
    CaaDecision, CaaObservation, CaaRequest, CaaSet, CaaStatus, Levels, decide,
};
use reseal_validation::panel::RemoteCaa;
use serde::Serialize;

/// What the DNS says about CAA for one name, here and elsewhere.
#[derive(Clone, Debug)]
pub struct CaaLook {
    /// What this host sees.
    pub here: Arc<CaaObservation>,
    /// What remote perspectives see; empty when nobody was asked.
    pub elsewhere: Vec<RemoteCaa>,
}

impl CaaLook {
    /// Looks now, which is `at` by the clock that judges the look's age later; from here only when `alone`. Looks that
    /// belong together share their `levels`.
    pub async fn take(
        panel: &Panel,
        name: &DnsName,
        levels: &Levels,
        alone: bool,
        at: Timestamp,
    ) -> Self {
        let (mut here, elsewhere) = if alone {
            (panel.local().caa(name, levels).await, Vec::new())
        } else {
            panel.caa(name, levels).await
        };
        here.at = at;
        Self {
            here: Arc::new(here),
            elsewhere,
        }
    }

    /// What CAA means for `request`: a permission seen here counts when enough others see one too. Their records need
    /// not be the same (M-2).
    pub fn judge(&self, request: &CaaRequest<'_>, quorum: Quorum, now: Timestamp) -> CaaFinding {
        let mut decision = decide(&self.here, request);
        if self.elsewhere.is_empty() || !request.method.needs_corroboration() {
            return CaaFinding {
                decision,
                corroboration: None,
            };
        }
        let perspectives = self.elsewhere.iter().map(|one| sighting(one, request));
        let mut corroboration = CaaCorroboration {
            quorum: String::new(),
            perspectives: perspectives.collect(),
        };
        let witnesses = corroboration.witnesses();
        corroboration.quorum = tally(&witnesses);
        if decision.permitted
            && let Err(shortfall) = quorum.judge(&witnesses, now)
        {
            let mut dissent = corroboration
                .perspectives
                .iter()
                .filter(|one| !one.permitted);
            let told = dissent
                .clone()
                .map(|one| format!("; `{}`: {}", one.name, one.reason));
            decision = CaaDecision {
                permitted: false,
                status: dissent.next().map_or(CaaStatus::Unknown, |one| one.status),
                reason: format!(
                    "permitted as seen from here, but {shortfall}{}",
                    told.collect::<String>()
                ),
            };
        }
        CaaFinding {
            decision,
            corroboration: Some(corroboration),
        }
    }
}

/// What was found about one name.
#[derive(Clone, Debug)]
pub struct CaaFinding {
    /// Whether a certificate may be signed.
    pub decision: CaaDecision,
    /// What remote perspectives say, where the method wants them.
    pub corroboration: Option<CaaCorroboration>,
}

/// What the remote perspectives say about CAA for one name, as it is stored and shown (M-8).
#[derive(Clone, Debug, Serialize)]
pub struct CaaCorroboration {
    /// How many see a permission, of how many.
    pub quorum: String,
    /// Each of them.
    pub perspectives: Vec<CaaSighting>,
}

/// What one remote perspective says about CAA.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaSighting {
    /// Its name.
    pub name: String,
    /// The region it stands in, if the operator said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Whether it sees a permission.
    pub permitted: bool,
    /// The status that its look leads to.
    pub status: CaaStatus,
    /// Why, for a person.
    pub reason: String,
    /// The records that decided; what other levels said is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevant: Option<CaaSet>,
}

impl CaaCorroboration {
    pub(super) fn witnesses(&self) -> Vec<Witness> {
        let witness = |one: &CaaSighting| Witness {
            name: one.name.clone(),
            region: one.region,
            agrees: one.permitted,
        };
        self.perspectives.iter().map(witness).collect()
    }
}

fn sighting(one: &RemoteCaa, request: &CaaRequest<'_>) -> CaaSighting {
    let (decision, relevant) = match &one.answer {
        Ok(observation) => (decide(observation, request), observation.relevant.clone()),
        Err(reason) => {
            let decision = CaaDecision {
                permitted: false,
                status: CaaStatus::Unknown,
                reason: reason.clone(),
            };
            (decision, None)
        }
    };
    CaaSighting {
        name: one.remote.name().to_owned(),
        region: one.remote.region(),
        permitted: decision.permitted,
        status: decision.status,
        reason: decision.reason,
        relevant,
    }
}
