//! `reseal dcv check NAME --process ID`: what a process waits for, looked for as its next round would.

use std::path::Path;

use anyhow::{anyhow, bail};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::issuance::{Account, challenges_are_dead, looked_for};
use reseal_lifecycle::process::{NameProof, Process, ProcessId, ProofState, Work};
use reseal_lifecycle::product::DcvType;
use reseal_lifecycle::store::Store as _;
use reseal_pki::name::DnsName;
use reseal_validation::Challenge;

use super::dcv::{Tried, attempts};
use super::{Lookout, Report};
use crate::args;
use crate::house::House;
use crate::wire_up;

/// Looks for what process `id` waits for to prove `name`; nothing is recorded.
pub(super) async fn check(
    lookout: &Lookout,
    name: &DnsName,
    proved_by: args::Method,
    id: ProcessId,
    data: &Path,
    config: Option<&Path>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let process = house.store.process(&Scope::Everything, id).await?;
    let process = process.ok_or_else(|| anyhow!("there is no process {id}"))?;
    let (work, proof) = wanted(&process, name, proved_by)?;
    report.fact(
        "process",
        &format!(
            "{id} of {}, {}",
            process.customer,
            process.status().as_str()
        ),
    );
    report.set("process", id);
    lookout.introduce(report);
    let proved = proof.evidence().map(|evidence| {
        format!(
            "proved at {:.0} by {} (BR {}): nothing is waited for",
            evidence.obtained,
            evidence.method.title(),
            evidence.method.br_section()
        )
    });
    if proof.method == DcvType::Email {
        tell_mail(work, proof, report);
    }
    let challenges = challenges(&house, &process, work, proof, lookout)?;
    let mut seen = Vec::new();
    for challenge in challenges {
        seen.push(Tried::now(lookout, challenge).await);
    }
    let found = attempts(&seen, report);
    if let Some(proved) = proved {
        report.end(true, &proved);
    } else if proof.method == DcvType::Email {
        let gone = !seen.iter().all(Tried::proves);
        let reason = if gone {
            "not found: the address is not published any more [D-14]"
        } else {
            "not found: nobody has approved by the mail yet [D-19]"
        };
        report.end(false, reason);
    } else if challenges_are_dead(work, lookout.now) {
        report.end(false, "not found: the challenge is older than 30 days and proves nothing any more [D-3, D-11]");
    } else if found {
        report.end(true, "found: the next look of the process proves the name");
    } else {
        report.end(false, "not found");
    }
    Ok(())
}

/// What the process has to do with `name`.
fn wanted<'a>(
    process: &'a Process,
    name: &DnsName,
    proved_by: args::Method,
) -> anyhow::Result<(&'a Work, &'a NameProof)> {
    let id = process.id;
    let Some(work) = process.work() else {
        bail!(
            "process {id} waits for no proof: it is {}",
            process.status().as_str()
        );
    };
    let Some(proof) = work.proof(name.as_str()) else {
        let names: Vec<&str> = work
            .proofs
            .iter()
            .map(|proof| proof.name.as_str())
            .collect();
        bail!(
            "process {id} is not about `{name}` but about {}",
            names.join(", ")
        );
    };
    if proof.method != proved_by.dcv_type() {
        bail!(
            "process {id} proves `{name}` by {}, not by {}: change the method by a resend, or check the other type",
            proof.method.as_str().to_ascii_lowercase(),
            proved_by.word()
        );
    }
    Ok((work, proof))
}

/// What the next round would look for, for this name alone, whether or not it has been found already.
fn challenges(
    house: &House,
    process: &Process,
    work: &Work,
    proof: &NameProof,
    lookout: &Lookout,
) -> anyhow::Result<Vec<Challenge>> {
    if let Some(contact) = &proof.contact {
        return Ok(vec![Challenge::Contact(contact.clone())]);
    }
    let catalogue = wire_up::catalogue(&house.data)?;
    let product = catalogue.get(&work.order.product);
    let account = Account::of(&process.customer, product, &lookout.settings);
    let open = NameProof {
        state: ProofState::Waiting,
        ..proof.clone()
    };
    let proofs = std::slice::from_ref(&open);
    let names = &lookout.settings.names;
    Ok(looked_for(proofs, account.as_ref(), names, lookout.now))
}

fn tell_mail(work: &Work, proof: &NameProof, report: &mut Report) {
    let mail = work.mails.iter().find(|mail| mail.asks_about(proof));
    let address = proof.email.as_deref().unwrap_or_default();
    let rejected = work.mailbox(address).is_some_and(|known| known.rejected);
    let state = match mail {
        _ if rejected => "rejected there, and not asked again [D-19]".to_owned(),
        Some(mail) if mail.undeliverable => {
            "cannot be delivered: choose another address".to_owned()
        }
        Some(mail) => match mail.sent {
            Some(sent) => format!("sent at {sent:.0}"),
            None => "not sent yet".to_owned(),
        },
        None => "none is under way".to_owned(),
    };
    report.fact("mail", &format!("to {address}: {state}"));
}
