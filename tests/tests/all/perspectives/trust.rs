//! What public trust wants and private trust does without.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::Around;
use super::place::{AROUND, Place, TOKEN};
use crate::support::csr::csr;
use crate::support::server::binary;
use crate::world::house::House;

#[test]
fn m_10_private_trust_without_perspectives_issues_and_says_so() {
    let around = Around::start("", &[]);
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[]);
    around.house.resend(process);
    around.is_issued(process, "not_performed");
    let attempt = around.attempts(process).pop().unwrap();
    assert_eq!(attempt["verdict"], "proved");
    assert!(attempt.get("corroboration").is_none(), "{attempt}");
}

#[test]
fn m_10_what_was_proved_from_here_alone_is_not_relied_on_for_public_trust() {
    let mut around = Around::start("", &[]);
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[]);
    around.house.resend(process);
    let id = around.is_issued(process, "not_performed");

    around.house.kill();
    around.places = AROUND.map(Place::start).into();
    let entries: Vec<_> = around.places.iter().map(Place::entry).collect();
    let path = around.house.data().join("reseal.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "perspectives = []",
        &format!("perspectives = [{}]", entries.join(", ")),
    );
    fs::write(&path, format!("[policy]\nprofile = \"public\"\n{text}")).unwrap();
    around.house.start(None);

    let body = json!({"csr": csr(&["www.good.dev"]), "san": []});
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = around.house.alice.post(&path, &body);
    let info = reply.expect(202);
    let process = reply.process();
    let entry = &info["validations"]["dcv"][0];
    assert_ne!(entry["status"], "VALIDATED", "{info}");
    let text = |field: &str| entry[field].as_str().unwrap().to_owned();
    let record = super::Record {
        owner: text("dnsRecord"),
        contents: text("dnsContents"),
    };
    around.publish(&record, &[]);
    around.look(process, "5/5");
    around.is_issued(process, "performed");
}

#[test]
fn m_10_public_trust_with_too_few_perspectives_signs_nothing() {
    let around = Around::start("[policy]\nprofile = \"public\"\n", &AROUND[..2]);
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[]);
    let look = around.look(process, "2/2");
    assert_eq!(look["verdict"], "unreachable", "{look}");
    let seen = look["seen"].as_str().unwrap();
    assert!(
        seen.contains("2 remote perspectives looked") && seen.contains("[M-3]"),
        "{seen}"
    );
    let said = doctor(&around.house);
    assert!(
        said.contains("the profile `public` does not sign while `dcv.perspectives` has 2 entries"),
        "{said}"
    );
}

fn doctor(house: &House) -> String {
    let output = Command::new(binary())
        .args(["doctor", "--data"])
        .arg(house.data())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn m_5_a_perspective_tells_strangers_nothing_and_doctor_says_which_does_not_answer() {
    let mut around = Around::start("", &AROUND[..2]);
    around.places[1].stop();
    let said = doctor(&around.house);
    assert!(
        said.contains("ok    the perspective `sto` answers, version "),
        "{said}"
    );
    assert!(
        said.contains("fail  the perspective `nyc` is of no use: no connection"),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");

    fs::write(
        around.places[0].path("token"),
        "another-token-than-it-was-started-with",
    )
    .unwrap();
    let said = doctor(&around.house);
    assert!(
        said.contains("fail  the perspective `sto` is of no use: status 401 Unauthorized"),
        "{said}"
    );
}

/// What `reseal perspective` says with this configuration; it must not start.
#[track_caller]
fn refused(configuration: &str, listen: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("perspective.toml");
    fs::write(&path, configuration).unwrap();
    let output = Command::new(binary())
        .args(["perspective", "--listen", listen, "--config"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn m_5_a_perspective_without_a_name_or_open_to_everybody_does_not_start() {
    let said = refused("", "127.0.0.1:0");
    assert!(said.contains("`perspective.name` is missing"), "{said}");
    let named = "[perspective]\nname = \"sto\"\n";
    let said = refused(named, "0.0.0.0:0");
    assert!(
        said.contains("`perspective.token_file` is missing"),
        "{said}"
    );
    assert!(said.contains("openssl rand -hex 32"), "{said}");
    let missing = format!("{named}token_file = \"nowhere\"\n");
    let said = refused(&missing, "127.0.0.1:0");
    assert!(
        said.contains("perspective.token_file") && said.contains("nowhere"),
        "{said}"
    );
}

#[test]
fn s_4_a_perspective_may_validate_and_need_not() {
    let mut places: Vec<Place> = AROUND[..4].iter().map(|spot| Place::start(*spot)).collect();
    // It sees the record, under a tree that its anchor does not vouch for.
    places.push(Place::start_validating(AROUND[4]));
    let around = Around::start_among("[policy]\nprofile = \"public\"\n", places, "");
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[]);
    let look = around.look(process, "4/5");
    let verdict = |index: usize| &look["corroboration"]["perspectives"][index]["verdict"];
    for index in 0..4 {
        assert_eq!(verdict(index), "proved", "{look}");
    }
    assert_ne!(verdict(4), "proved", "{look}");
    around.is_issued(process, "performed");
}
