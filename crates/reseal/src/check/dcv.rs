//! `reseal dcv check NAME`: what a look for a proof of control finds.

use std::path::Path;
use std::process::ExitCode;

use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::product::DcvType;
use reseal_pki::calendar::method_allowed;
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_validation::email::constructed_addresses;
use reseal_validation::panel::Seen;
use reseal_validation::{
    Challenge, ContactSource, DnsAnswer, Evidence, FileOutcome, PersistentRecord, RecordKind,
    Verdict,
};
use serde_json::{Value, json};

use super::{Lookout, Report, configuration, open};
use crate::args;
use crate::console::printable;

/// Where every customer's FILE proof by auth key lies: as good a place as any to see whether files can be fetched.
const SOME_FILE: &str = "/.well-known/pki-validation/fileauth.txt";

/// Looks for what proves `name`: for what `process` waits for, or for whatever is published.
pub(crate) async fn run(
    name: &str,
    proved_by: args::Method,
    process: Option<ProcessId>,
    from: &args::Place,
    config: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let configured = configuration(from.data.as_deref(), config)?;
    let lookout = Lookout::new(&configured)?;
    let mut report = Report::default();
    report.set("name", name);
    report.set("type", proved_by.dcv_type().as_str());
    if let Some(name) = lookout.name(name, &mut report) {
        report.fact("name", name.as_str());
        if let Some(reason) = impossible(&lookout, &name, proved_by) {
            report.end(false, &reason);
        } else if let (Some(process), Some(data)) = (process, &from.data) {
            open::check(
                &lookout,
                &name,
                proved_by,
                process,
                data,
                config,
                &mut report,
            )
            .await?;
        } else {
            lookout.introduce(&mut report);
            let customer = from.customer.as_deref();
            match proved_by {
                args::Method::Dns => by_dns(&lookout, &name, customer, &mut report).await,
                args::Method::File => by_file(&lookout, &name, &mut report).await,
                args::Method::Email => by_mail(&lookout, &name, &mut report).await,
            }
        }
    }
    report.show("found", from.json)
}

/// Why `name` can never be proved that way.
fn impossible(lookout: &Lookout, name: &DnsName, proved_by: args::Method) -> Option<String> {
    let method = match proved_by.dcv_type() {
        DcvType::Dns => Method::DnsChange,
        DcvType::File => Method::Website,
        DcvType::Email => Method::ConstructedEmail,
    };
    if name.is_wildcard() && !method.covers_wildcards() {
        return Some(format!(
            "never found: a file can only prove the name it lies under, never the wildcard `{name}` [D-21]"
        ));
    }
    (!method_allowed(method, lookout.now)).then(|| {
        let title = method.title();
        format!("never found: proofs by {title} are no longer allowed [D-39]")
    })
}

/// Records of `customer`'s that stay, which prove without any process; and whether a challenge could be seen.
async fn by_dns(lookout: &Lookout, name: &DnsName, customer: Option<&str>, report: &mut Report) {
    let domains = name.authorization_domain_names(true, &lookout.settings.names);
    report.fact("looked for at", &format!("{} [N-20]", domains.join(", ")));
    let record = |adn: &String| PersistentRecord {
        adn: adn.clone(),
        issuer: lookout.settings.caa_identity.clone(),
        account_uri: lookout.settings.account_uri(customer.unwrap_or("HANDLE")),
        wildcard: name.as_str() != adn,
    };
    let records: Vec<PersistentRecord> = domains.iter().map(record).collect();
    let mut questions = vec![(name.fqdn().to_owned(), RecordKind::Txt)];
    let mut seen = Vec::new();
    if customer.is_some() {
        for record in &records {
            let challenge = Challenge::Persistent {
                record: record.clone(),
                now: lookout.now,
            };
            seen.push(Tried::now(lookout, challenge).await);
        }
    } else {
        questions.extend(
            records
                .iter()
                .map(|record| (record.name(), RecordKind::Txt)),
        );
    }
    let answers = look_up(lookout, &questions, report).await;
    let readable = answers.iter().all(DnsAnswer::is_usable);
    let proved = attempts(&seen, report);
    report.line("what proves the name");
    let zone = &lookout.settings.dcv_domain;
    for domain in &domains {
        report.line(format!(
            "  _<MD5 of the request>.{domain}. CNAME <SHA-256, first half>.<second half>.<random value>.{zone}., or a \
             TXT record with that [D-28]"
        ));
    }
    for record in &records {
        let (name, contents) = (record.name(), record.contents());
        report.line(format!(
            "  {name} TXT \"{contents}\", without any process [D-33]"
        ));
    }
    report.line(
        "the process's `info` has the values, unless its product asks for another form; `--process ID` looks for them",
    );
    if proved {
        report.end(true, "found: a record that stays proves the name");
    } else if readable {
        let reason = match customer {
            Some(_) => {
                "not found: no record that stays proves the name; a challenge could be seen here"
            }
            None => "readable: a challenge that is published here would be found",
        };
        report.end(customer.is_none(), reason);
    } else {
        report.end(false, "not readable: a challenge would not be found while the DNS answers like this [S-2, S-17]");
    }
}

async fn by_file(lookout: &Lookout, name: &DnsName, report: &mut Report) {
    report.fact("looked for at", &format!("{name}, and nowhere else [D-21]"));
    let observation = lookout.panel.local().fetch(name.fqdn(), SOME_FILE).await;
    report.line("fetched, as a file of this kind would be [D-22 to D-25]");
    report.fetch(&observation);
    report.set("fetch", json!(observation));
    report.line("what proves the name");
    report.line(format!(
        "  http://{name}/.well-known/pki-validation/<MD5 of the request, upper case>.txt with the lines SHA-256 of the \
         request, {}, random value [D-22, D-26]",
        lookout.settings.dcv_domain
    ));
    report.line(
        "the process's `info` has the values, unless its product asks for another form; `--process ID` looks for them",
    );
    let (holds, reason) = match &observation.outcome {
        FileOutcome::Fetched | FileOutcome::Status => {
            (true, "readable: a file that is put there would be found")
        }
        FileOutcome::BadAnswer { .. } => (
            false,
            "not readable: such an answer would not be taken [D-22, D-25]",
        ),
        FileOutcome::NoAddress { .. } => {
            (false, "not readable: there is no web server to ask [D-24]")
        }
        FileOutcome::Refused { .. } => (
            false,
            "not readable: a rule forbids going there [D-23, D-24]",
        ),
        FileOutcome::Unreachable { .. } => (
            false,
            "not readable: the web server cannot be reached [D-25]",
        ),
    };
    report.end(holds, reason);
}

async fn by_mail(lookout: &Lookout, name: &DnsName, report: &mut Report) {
    let domains = name.authorization_domain_names(true, &lookout.settings.names);
    report.line("lookups of published contacts [D-14]");
    let (mut published, mut answers) = (Vec::new(), Vec::new());
    for domain in &domains {
        let list = lookout.panel.local().contacts(domain).await;
        published.extend(list.found);
        answers.extend(list.answers);
    }
    for answer in &answers {
        report.answer(answer);
    }
    let readable = answers.iter().all(DnsAnswer::is_usable);
    report.set("lookups", json!(answers));
    report.line("addresses that may approve");
    let mut addresses = constructed_addresses(&domains);
    for address in &addresses {
        report.line(format!("  {address} [D-14, BR 3.2.2.4.4]"));
    }
    for contact in published {
        let place = match contact.source {
            ContactSource::Caa => "CAA",
            ContactSource::Txt => "TXT",
        };
        let (address, adn) = (printable(&contact.address), &contact.adn);
        let section = contact.source.method().br_section();
        report.line(format!(
            "  {address}, from {place} of {adn} [D-14, BR {section}]"
        ));
        if !addresses.contains(&contact.address) {
            addresses.push(contact.address);
        }
    }
    report.set("addresses", addresses);
    let reason = if readable {
        "found: each of these addresses may be asked; the answer to its mail proves the name [D-17]"
    } else {
        "not readable: who may be asked by mail is not wholly known while the DNS answers like this [S-3]"
    };
    report.end(readable, reason);
}

/// Asks, and tells what came back.
async fn look_up(
    lookout: &Lookout,
    questions: &[(String, RecordKind)],
    report: &mut Report,
) -> Vec<DnsAnswer> {
    report.line("published there now");
    let mut answers = Vec::new();
    for (name, kind) in questions {
        let answer = lookout.panel.local().lookup(name, *kind).await;
        let answer = answer.trimmed(|_| false);
        report.answer(&answer);
        answers.push(answer);
    }
    report.set("lookups", json!(answers));
    answers
}

/// One look at what may prove the name.
pub(super) struct Tried {
    challenge: Challenge,
    seen: Seen,
}

impl Tried {
    pub(super) async fn now(lookout: &Lookout, challenge: Challenge) -> Self {
        let seen = lookout.panel.attempt(&challenge, lookout.now).await;
        Self { challenge, seen }
    }

    pub(super) fn proves(&self) -> bool {
        self.seen.attempt.verdict == Verdict::Proved
    }

    /// The verdict and the rules behind it.
    fn verdict(&self) -> String {
        let (contents, forbidden) = match self.challenge {
            Challenge::Dns { .. } | Challenge::Txt { .. } | Challenge::DnsRandom { .. } => {
                ("D-28", "S-2")
            }
            Challenge::Persistent { .. } => ("D-33", "S-2"),
            Challenge::Contact(_) => ("D-14", "S-2, S-3"),
            Challenge::File { .. } => ("D-22, D-26", "D-22 to D-24"),
        };
        match self.seen.attempt.verdict {
            Verdict::Proved => format!("found [{contents}]"),
            Verdict::NotYet => format!("not found [{contents}]"),
            Verdict::Unreachable => "no answer that says anything [S-17]".to_owned(),
            Verdict::Refused => format!("must not be used [{forbidden}]"),
        }
    }
}

/// Tells of each look with all that was asked for it; whether one of them proves.
pub(super) fn attempts(tried: &[Tried], report: &mut Report) -> bool {
    for one in tried {
        let attempt = &one.seen.attempt;
        report.line("looked up");
        match &attempt.evidence {
            Evidence::Dns {
                answers,
                wildcard_answer,
            } => {
                for answer in answers {
                    report.answer(answer);
                }
                if *wildcard_answer {
                    report
                        .line("  a wildcard record: a name beside it has the same contents [D-30]");
                }
            }
            Evidence::File(observation) => report.fetch(observation),
            Evidence::Email { .. } => {}
        }
        for sighting in one
            .seen
            .corroboration
            .iter()
            .flat_map(|all| &all.perspectives)
        {
            let (name, seen) = (&sighting.name, printable(&sighting.seen));
            report.line(format!("  seen from `{name}`: {seen} [M-7]"));
        }
        report.fact("  expected", &printable(&attempt.expected));
        report.fact("  seen", &printable(&attempt.seen));
        report.fact("  verdict", &one.verdict());
        if !attempt.advice.is_empty() {
            report.fact("  advice", &printable(&attempt.advice));
        }
    }
    let objects = tried.iter().map(|one| {
        let mut object = json!(one.seen.attempt);
        object["corroboration"] = json!(one.seen.corroboration);
        object
    });
    report.set("attempts", objects.collect::<Value>());
    tried.iter().any(Tried::proves)
}
