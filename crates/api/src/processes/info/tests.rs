use reseal_lifecycle::process::{Action, Opening, Order, Vetting};
use reseal_lifecycle::product::{CertificateType, ChallengeScheme, DcvType};
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use serde_json::{Value, json};

use super::*;

fn name(text: &str) -> DnsName {
    text.parse().unwrap()
}

fn proof(text: &str, method: DcvType, challenge: Option<Challenge>) -> NameProof {
    NameProof {
        name: name(text),
        method,
        email: None,
        adn: text.to_owned(),
        challenge,
        state: ProofState::Waiting,
        contact: None,
        contact_witnesses: Vec::new(),
        persistent: None,
        last_look: None,
    }
}

fn dns() -> Challenge {
    Challenge::Dns {
        record: "_abc.example.com.".into(),
        contents: "123.dcv.invalid.".into(),
    }
}

/// A reissue that waits for the proof of two names.
pub(crate) fn work() -> Work {
    Work {
        order: Order {
            product: "ssl_dv".into(),
            validation: ValidationType::Domain,
            certificate_type: CertificateType::SingleDomain,
            issuer: "embedded".into(),
            common_name: name("example.com"),
            common_name_in_subject: true,
            names: vec![name("example.com"), name("www.example.com")],
            removed: vec![],
            added: vec![],
            common_name_moved: false,
            csr: vec![],
            warnings: Vec::new(),
            spki_sha256: String::new(),
            subject: None,
            coc: None,
            approver: None,
            language: reseal_lifecycle::Language::En,
            months: None,
            follows: None,
            subscription_end: None,
            billables: Vec::new(),
            allowance: None,
        },
        proofs: vec![
            proof("example.com", DcvType::Dns, Some(dns())),
            proof(
                "www.example.com",
                DcvType::File,
                Some(Challenge::File {
                    host: "www.example.com".into(),
                    path: "/.well-known/pki-validation/ABC.txt".into(),
                    contents: "a\nb".into(),
                }),
            ),
        ],
        mails: vec![],
        mailboxes: vec![],
        caa: vec![],
        vetting: Vetting::default(),
        scheme: ChallengeScheme::Default,
        random: String::new(),
        unique_value: None,
        challenges_created: "2026-11-24T12:00:00Z".parse().unwrap(),
        upstream: None,
        persistent_looks: Vec::new(),
        publications: Vec::new(),
        rounds: 0,
    }
}

pub(crate) fn process(work: Work) -> Process {
    let opening = Opening {
        customer: "acme".into(),
        user: "acme/login".into(),
        action: Action::Reissue,
        command: json!({"csr": "PEM", "certificateId": 7}),
        source: Some(7),
        subscription: Some(3),
    };
    let now = "2026-11-24T12:00:00.25Z".parse().unwrap();
    let (mut process, _) = Process::open(opening, work, now);
    process.id = 5;
    process
}

fn shown(process: &Process) -> Value {
    serde_json::to_value(InfoBody::of(process)).unwrap()
}

#[test]
fn a_waiting_process_shows_what_to_publish() {
    assert_eq!(
        shown(&process(work())),
        json!({
            "commonName": "example.com", "requiresAttention": true,
            "validations": {"dcv": [
                {"commonName": "example.com", "type": "DNS", "status": "WAITING",
                 "dnsRecord": "_abc.example.com.", "dnsType": "CNAME", "dnsContents": "123.dcv.invalid.",
                 "caaRecordStatus": "UNKNOWN", "riskStatus": "PASSED"},
                {"commonName": "www.example.com", "type": "FILE", "status": "WAITING",
                 "fileLocation": "www.example.com/.well-known/pki-validation/ABC.txt",
                 "fileContents": "a\nb", "caaRecordStatus": "UNKNOWN", "riskStatus": "PASSED"}
            ]}
        })
    );
}

#[test]
fn a_proved_name_keeps_its_challenge_and_shows_the_last_caa_check() {
    let mut work = work();
    work.proofs[0].state = ProofState::Proved {
        method: Method::DnsChange,
        adn: "example.com".into(),
        obtained: work.challenges_created,
        reused: false,
        witnesses: Vec::new(),
    };
    work.caa = vec![CaaState {
        name: name("example.com"),
        status: CaaStatus::UnrecognizedCriticalTag,
        permitted: false,
        reason: String::new(),
        checked: work.challenges_created,
        witnesses: Vec::new(),
    }];
    let entry = shown(&process(work))["validations"]["dcv"][0].clone();
    assert_eq!(entry["status"], "VALIDATED");
    assert_eq!(entry["dnsRecord"], "_abc.example.com.");
    assert_eq!(entry["caaRecordStatus"], "UNRECOGNIZED_CRITICAL_TAG");
}

#[test]
fn an_entry_by_mail_shows_the_approver() {
    let mut work = work();
    work.proofs.truncate(1);
    work.proofs[0] = NameProof {
        email: Some("admin@example.com".into()),
        state: ProofState::Attention {
            expected: String::new(),
            seen: String::new(),
            advice: String::new(),
        },
        ..proof("example.com", DcvType::Email, None)
    };
    assert_eq!(
        shown(&process(work))["validations"]["dcv"],
        json!([{"commonName": "example.com", "type": "EMAIL", "status": "ATTENTION",
            "email": "admin@example.com", "caaRecordStatus": "UNKNOWN", "riskStatus": "PASSED"}])
    );
}

#[test]
fn higher_levels_show_more_validations() {
    let keys = |level: ValidationType| {
        let mut work = work();
        work.order.validation = level;
        let shown = shown(&process(work));
        let validations = shown["validations"].as_object().unwrap();
        validations.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        keys(ValidationType::Organization),
        ["organization", "docs", "voice", "dcv"]
    );
    assert_eq!(
        keys(ValidationType::Extended),
        ["organization", "docs", "voice", "whois", "agreement", "dcv"]
    );
}

#[test]
fn each_check_is_shown_as_it_stands() {
    let mut work = work();
    work.order.validation = ValidationType::Organization;
    let now = work.challenges_created;
    let (process, _) = process(work)
        .approve(&[Check::Docs], "house/admin", None, now, now)
        .unwrap();
    let (process, _) = process
        .object(&[Check::Voice], "house/admin", "nobody answers", now)
        .unwrap();
    let shown = shown(&process);
    let validations = &shown["validations"];
    assert_eq!(validations["organization"], "WAITING");
    assert_eq!(validations["docs"], "VALIDATED");
    assert_eq!(validations["voice"], "ATTENTION");
    assert_eq!(shown["requiresAttention"], true);
}

#[test]
fn a_process_without_names_still_has_a_dcv_list() {
    let opening = Opening {
        customer: "acme".into(),
        user: "acme/login".into(),
        action: Action::Import,
        command: json!({}),
        source: None,
        subscription: None,
    };
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let (mut process, _) = Process::done(opening, "example.com".into(), vec![], now);
    process.certificate = Some(8);
    assert_eq!(
        shown(&process),
        json!({"commonName": "example.com", "requiresAttention": false, "certificateId": 8,
            "validations": {"dcv": []}})
    );
}

#[test]
fn notes_are_seen_from_the_customer() {
    let process = process(work());
    let note = |by_house| Note {
        at: "2026-11-24T12:00:00.5Z".parse().unwrap(),
        by_house,
        message: "Hello".to_owned(),
    };
    let (own, house) = (note(false), note(true));
    let mut body = InfoBody::of(&process);
    assert_eq!(serde_json::to_value(&body).unwrap().get("notes"), None);
    body.notes = vec![NoteBody::of(&own), NoteBody::of(&house)];
    assert_eq!(
        serde_json::to_value(&body).unwrap()["notes"],
        json!([
            {"createdDate": "2026-11-24T12:00:00Z", "type": "OUTGOING", "message": "Hello"},
            {"createdDate": "2026-11-24T12:00:00Z", "type": "INCOMING", "message": "Hello"}
        ])
    );
}
