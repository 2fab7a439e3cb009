//! Logs that behave.

use serde_json::Value;

use super::{World, openssl};
use crate::support::sct::{entry_of, scts};
use crate::support::server::reseal;

#[test]
fn p_8_p_9_p_10_certificates_carry_promises_that_openssl_shows_and_logs_stand_by() {
    let world = World::with_logs_of(&["a", "b", "a", "c"]);
    let first = world.order();
    // 199 days need three, and no more are asked.
    assert_eq!(world.promised_by(first), [0, 1, 2]);
    assert_eq!(world.logs[3].submitted().len(), 0);
    let second = world.reissued(first);
    assert_eq!(world.promised_by(second), [0, 1, 2]);

    for id in [first, second] {
        let pem = world
            .house()
            .alice
            .get(&format!("/v2/ssl/certificates/{id}/download?format=CRT"));
        let leaf = world.file("leaf.pem", &pem.body);
        let text = openssl(&["x509", "-noout", "-text", "-in", &leaf]);
        assert!(text.contains("CT Precertificate SCTs:"), "{text}");
        let count = text.matches("Signed Certificate Timestamp:").count();
        assert_eq!(count, 3, "{text}");
        assert!(!text.contains("CT Precertificate Poison"), "{text}");
        let root = world.file("root.pem", world.certificate_of_ca("root.pem").as_bytes());
        let issuer = world.certificate_of_ca("intermediate.pem");
        let issuer = world.file("intermediate.pem", issuer.as_bytes());
        openssl(&[
            "verify",
            "-x509_strict",
            "-CAfile",
            &root,
            "-untrusted",
            &issuer,
            &leaf,
        ]);
    }
    // What the logs were shown: the same but for the poison, and one for each certificate.
    let sent = world.logs[0].submitted();
    assert_eq!(sent.len(), 2);
    let leaves = [first, second].map(|id| world.download(id));
    for (precertificate, leaf) in sent.iter().zip(&leaves) {
        assert_eq!(entry_of(precertificate), entry_of(leaf));
        assert_eq!(scts(leaf).len(), 3);
        let file = world.file("pre.pem", pem_of(precertificate).as_bytes());
        let text = openssl(&["x509", "-noout", "-text", "-in", &file]);
        assert!(
            text.contains("CT Precertificate Poison: critical"),
            "{text}"
        );
    }
    let database = world.house().database();
    assert_eq!(database.number("SELECT count(*) FROM precertificate"), 2);
    let process = database.number("SELECT max(id) FROM process");
    let logged = world.around.events(process, "logged");
    assert_eq!(logged.len(), 3, "{logged:?}");
    let mut operators: Vec<&str> = logged
        .iter()
        .filter_map(|one| one["operator"].as_str())
        .collect();
    operators.sort_unstable();
    assert_eq!(operators, ["a", "a", "b"]);
    let order = ["reserved", "precertified", "logged", "issued"];
    let timeline: Value = serde_json::from_str(&world.house().timeline(process)).unwrap();
    let mut seen: Vec<&str> = timeline["entities"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["event"].as_str())
        .filter(|event| order.contains(event))
        .collect();
    seen.dedup();
    assert_eq!(seen, order);
    world.is_sound();
}

#[test]
fn p_9_doctor_says_of_each_log_whether_it_takes_our_root() {
    let world = World::with_logs_of(&["a", "b", "a"]);
    let doctor = |world: &World| {
        let data = world.house().data();
        let output = std::process::Command::new(crate::support::server::binary())
            .args(["doctor", "--data"])
            .arg(data)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = doctor(&world);
    for log in &world.logs {
        let good = format!("ok    the log {} answers, and takes our root", log.name());
        assert!(said.contains(&good), "{said}");
    }
    world.logs[1].misbehave(crate::support::ct_log::Mischief::Down);
    world.logs[2].forget_roots();
    let said = doctor(&world);
    let name = |index: usize| world.logs[index].name();
    assert!(
        said.contains(&format!(
            "fail  the log {} is of no use: not available",
            name(1)
        )),
        "{said}"
    );
    assert!(
        said.contains(&format!(
            "fail  the log {} does not take certificates below our root",
            name(2)
        )),
        "{said}"
    );
    let _ = reseal(&[
        "audit",
        "verify",
        "--data",
        world.house().data().to_str().unwrap(),
    ]);
}

fn pem_of(der: &[u8]) -> String {
    crate::support::sct::pem(der)
}
