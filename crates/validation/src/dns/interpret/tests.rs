use std::io;

use hickory_proto::{
    dnssec::{
        Algorithm,
        rdata::{NSEC, RRSIG, SigInput},
    },
    rr::{
        SerialNumber,
        rdata::{A, CNAME, SOA},
    },
};

use super::*;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn record(owner: &str, data: RData, proof: Proof) -> Record {
    let mut record = Record::from_rdata(name(owner), 60, data);
    record.proof = proof;
    record
}

fn address(owner: &str, proof: Proof) -> Record {
    record(owner, RData::A(A([192, 0, 2, 1].into())), proof)
}

fn soa(owner: &str, proof: Proof) -> Record {
    let data = SOA::new(name("ns."), name("admin."), 1, 1, 1, 1, 1);
    record(owner, RData::SOA(data), proof)
}

fn nsec(owner: &str, next: &str, types: &[RecordType]) -> Record {
    let data = NSEC::new(name(next), types.iter().copied());
    record(owner, RData::DNSSEC(DNSSECRData::NSEC(data)), Proof::Secure)
}

fn rrsig(owner: &str, covered: RecordType, labels: u8, signer: &str) -> Record {
    let input = SigInput {
        type_covered: covered,
        algorithm: Algorithm::ECDSAP256SHA256,
        num_labels: labels,
        original_ttl: 60,
        sig_expiration: SerialNumber::from(0),
        sig_inception: SerialNumber::from(0),
        key_tag: 1,
        signer_name: name(signer),
    };
    let data = DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![0; 64]));
    record(owner, RData::DNSSEC(data), Proof::Secure)
}

fn message(code: ResponseCode, answers: Vec<Record>, authorities: Vec<Record>) -> Message {
    let mut message = Message::query().into_response();
    message.metadata.response_code = code;
    message.answers = answers;
    message.authorities = authorities;
    message
}

fn step(message: Message) -> Step {
    interpret(Ok(message), &name("x.a.example."), RecordType::A, true)
}

fn is_bogus(step: &Step) -> bool {
    matches!(step, Step::Unusable(DnsOutcome::Bogus { .. }))
}

#[test]
fn s_2_nasty_117_bogus_and_indeterminate_records_are_never_used() {
    for (proofs, expected) in [
        (vec![Proof::Secure], Some(Security::Secure)),
        (
            vec![Proof::Secure, Proof::Insecure],
            Some(Security::Insecure),
        ),
        (vec![Proof::Secure, Proof::Bogus], None),
        (vec![Proof::Secure, Proof::Indeterminate], None),
        (vec![Proof::Indeterminate, Proof::Bogus], None),
    ] {
        let answers = proofs
            .iter()
            .map(|proof| address("x.a.example.", *proof))
            .collect();
        match (
            step(message(ResponseCode::NoError, answers, Vec::new())),
            expected,
        ) {
            (Step::Records(_, security), Some(expected)) => assert_eq!(security, expected),
            (Step::Unusable(_), None) => {}
            (step, _) => panic!("{proofs:?}: {step:?}"),
        }
    }
    let alias = RData::CNAME(CNAME(name("b.example.")));
    let answers = vec![record("x.a.example.", alias, Proof::Bogus)];
    assert!(is_bogus(&step(message(
        ResponseCode::NoError,
        answers,
        Vec::new()
    ))));
}

#[test]
fn s_2_absence_counts_only_if_it_is_about_this_name() {
    let unsigned = |owner| vec![soa(owner, Proof::Insecure)];
    for owner in ["a.example.", "x.a.example.", "example."] {
        let step = step(message(ResponseCode::NXDomain, Vec::new(), unsigned(owner)));
        assert!(
            matches!(
                step,
                Step::Absent {
                    exists: false,
                    security: Security::Insecure
                }
            ),
            "{owner}: {step:?}"
        );
    }
    for owner in ["other.example.", "evil.", "y.x.a.example."] {
        let step = step(message(ResponseCode::NoError, Vec::new(), unsigned(owner)));
        assert!(is_bogus(&step), "{owner}: {step:?}");
    }
    let signed = vec![
        soa("example.", Proof::Secure),
        nsec("a.example.", "b.example.", &[RecordType::A]),
    ];
    let step = step(message(ResponseCode::NoError, Vec::new(), signed));
    assert!(matches!(
        step,
        Step::Absent {
            exists: true,
            security: Security::Secure
        }
    ));
}

#[test]
fn s_2_a_wildcard_does_not_stand_for_a_name_on_the_word_of_an_unsigned_zone() {
    let alias = RData::CNAME(CNAME(name("host.unsigned.example.")));
    let answers = vec![
        record("x.a.example.", alias, Proof::Secure),
        rrsig("x.a.example.", RecordType::CNAME, 2, "example."),
    ];
    let with = |authorities| {
        let answers = answers.clone();
        step(message(ResponseCode::NoError, answers, authorities))
    };
    assert!(is_bogus(&with(vec![soa(
        "unsigned.example.",
        Proof::Insecure
    )])));
    let denial = nsec("a.example.", "b.example.", &[RecordType::A]);
    assert!(matches!(
        with(vec![denial]),
        Step::Alias(_, _, Security::Secure)
    ));
}

#[test]
fn records_at_other_names_are_not_taken() {
    let answers = vec![address("y.a.example.", Proof::Secure)];
    let authorities = vec![soa("a.example.", Proof::Insecure)];
    let step = step(message(ResponseCode::NoError, answers, authorities));
    assert!(
        matches!(step, Step::Absent { exists: true, .. }),
        "{step:?}"
    );
}

#[test]
fn two_aliases_at_one_name_are_malformed() {
    let alias = |target| {
        record(
            "x.a.example.",
            RData::CNAME(CNAME(name(target))),
            Proof::Secure,
        )
    };
    let answers = vec![alias("b.example."), alias("c.example.")];
    let step = step(message(ResponseCode::NoError, answers, Vec::new()));
    assert!(matches!(
        step,
        Step::Unusable(DnsOutcome::Failure {
            cause: FailureCause::Malformed,
            ..
        })
    ));
}

#[test]
fn errors_have_causes() {
    let io = || NetError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
    for (error, expected) in [
        (NetError::Timeout, FailureCause::Timeout),
        (NetError::NoConnections, FailureCause::Network),
        (io(), FailureCause::Network),
        (NetError::Message("unreadable"), FailureCause::Malformed),
        (
            NetError::from(DnsError::ResponseCode(ResponseCode::ServFail)),
            FailureCause::Server,
        ),
    ] {
        match interpret(Err(error), &name("x."), RecordType::A, true) {
            Step::Unusable(DnsOutcome::Failure { cause, .. }) => assert_eq!(cause, expected),
            step => panic!("{step:?}"),
        }
    }
    let bogus = NetError::from(DnsError::DnssecBogus);
    assert!(is_bogus(&interpret(
        Err(bogus),
        &name("x."),
        RecordType::A,
        true
    )));
}

/// A response for `x.a.example.` that the library did not accept.
fn unproved(labels: u8, authorities: Vec<Record>) -> Step {
    let answers = vec![
        address("x.a.example.", Proof::Secure),
        rrsig("x.a.example.", RecordType::A, labels, "example."),
    ];
    let message = message(ResponseCode::NoError, answers, authorities);
    read_unproved(&message, &name("x.a.example."), RecordType::A, Proof::Bogus)
}

#[test]
fn records_that_are_no_wildcards_need_no_proof_of_absence() {
    assert!(matches!(
        unproved(3, Vec::new()),
        Step::Records(_, Security::Secure)
    ));
    assert!(is_bogus(&unproved(2, Vec::new())));
}

#[test]
fn wildcards_of_nsec_zones_need_a_proof_that_nothing_is_closer() {
    let proof = |owner: &str, next: &str, types: &[RecordType], signer: &str| {
        let labels = name(owner).num_labels();
        vec![
            nsec(owner, next, types),
            rrsig(owner, RecordType::NSEC, labels, signer),
        ]
    };
    let plain = [RecordType::A];
    let cut = [RecordType::NS];
    let dname = [RecordType::DNAME];
    // Expanded from `*.a.example.`: the proof may not share more than two labels with the name.
    for (owner, next, types, signer, expected) in [
        ("*.a.example.", "b.example.", &plain, "example.", true),
        ("w.a.example.", "y.a.example.", &plain, "example.", true),
        ("*.a.example.", "example.", &plain, "example.", true),
        // The name exists, or something below it does.
        ("x.a.example.", "y.a.example.", &plain, "example.", false),
        ("w.a.example.", "z.x.a.example.", &plain, "example.", false),
        // The proof is about something else.
        ("y.a.example.", "z.a.example.", &plain, "example.", false),
        ("a.example.", "w.a.example.", &plain, "example.", false),
        ("w.a.example.", "y.a.example.", &plain, "a.example.", false),
        ("a.example.", "b.example.", &cut, "example.", false),
        ("a.example.", "b.example.", &dname, "example.", false),
    ] {
        let step = unproved(2, proof(owner, next, types, signer));
        assert_eq!(
            matches!(step, Step::Records(..)),
            expected,
            "{owner} {next}: {step:?}"
        );
    }
    // The wildcard is `*.example.`, but `a.example.` exists: it should not have been used.
    let step = unproved(1, proof("w.a.example.", "y.a.example.", &plain, "example."));
    assert!(is_bogus(&step), "{step:?}");
    // An NSEC record that is not secure proves nothing.
    let mut unsigned = proof("w.a.example.", "y.a.example.", &plain, "example.");
    unsigned[0].proof = Proof::Insecure;
    assert!(is_bogus(&unproved(2, unsigned)));
}
