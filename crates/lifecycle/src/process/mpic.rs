//! Whether what a certificate rests on was seen from several networks (M-10).

use serde::{Deserialize, Serialize};

use super::{ProofState, Work};

/// Multi-perspective issuance corroboration, as the record of a certificate says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mpic {
    /// Something was seen from here alone that public trust wants to be seen from elsewhere too.
    #[default]
    NotPerformed,
    /// Every proof that needs it, and CAA for it, was corroborated.
    Performed,
    /// No name was proved by a method that needs it (D-16).
    NotNeeded,
}

impl Mpic {
    /// The value as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPerformed => "not_performed",
            Self::Performed => "performed",
            Self::NotNeeded => "not_needed",
        }
    }
}

impl Work {
    /// Whether what its certificate rests on was seen from several networks.
    pub fn mpic(&self) -> Mpic {
        let mut outcome = Mpic::NotNeeded;
        for proof in &self.proofs {
            match &proof.state {
                ProofState::Proved {
                    method, witnesses, ..
                } => {
                    if !method.needs_corroboration() {
                        continue;
                    }
                    let caa = self.caa_of(&proof.name);
                    if witnesses.is_empty() || caa.is_none_or(|caa| caa.witnesses.is_empty()) {
                        return Mpic::NotPerformed;
                    }
                    outcome = Mpic::Performed;
                }
                ProofState::Waiting | ProofState::Attention { .. } => return Mpic::NotPerformed,
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use reseal_pki::corroboration::Witness;
    use reseal_pki::method::Method;
    use reseal_validation::caa::CaaStatus;

    use super::*;
    use crate::process::{CaaState, sample};

    fn seen(yes: bool) -> Vec<Witness> {
        let witness = Witness {
            name: "fra".to_owned(),
            region: None,
            agrees: true,
        };
        yes.then_some(witness).into_iter().collect()
    }

    #[test]
    fn m_10_a_record_says_performed_only_when_proof_and_caa_were_corroborated() {
        for (by, proof, caa, expected) in [
            (Method::DnsChange, true, true, Mpic::Performed),
            (Method::DnsChange, true, false, Mpic::NotPerformed),
            (Method::DnsChange, false, true, Mpic::NotPerformed),
            (Method::Website, false, false, Mpic::NotPerformed),
            (Method::ConstructedEmail, false, false, Mpic::NotNeeded),
        ] {
            let mut work = sample::work(true);
            if let ProofState::Proved {
                method, witnesses, ..
            } = &mut work.proofs[0].state
            {
                (*method, *witnesses) = (by, seen(proof));
            }
            work.caa = vec![CaaState {
                name: work.proofs[0].name.clone(),
                status: CaaStatus::Empty,
                permitted: true,
                reason: String::new(),
                checked: sample::now(),
                witnesses: seen(caa),
            }];
            assert_eq!(work.mpic(), expected, "{by} {proof} {caa}");
            let stored = serde_json::to_value(expected).unwrap();
            assert_eq!(stored, expected.as_str());
        }
        assert_eq!(sample::work(false).mpic(), Mpic::NotPerformed);
    }
}
