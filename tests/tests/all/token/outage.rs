//! A token that is taken away, and one that does not answer.

use std::fs;
use std::net::TcpStream;

use serde_json::json;

use super::Installation;
use crate::crash::{order, reissue_process, reserved};
use crate::rotation::Relying;
use crate::support::csr::csr;
use crate::support::http::{exchange, request};
use crate::world::house::House;

const LEFT: &str = "left to the worker";

/// Opens `/metrics`.
const FIGURES: &str = "5d41402abc4b2a76b9719d911017c592";

/// How many signatures were not made, as whoever watches the server sees it.
#[track_caller]
fn unsigned(house: &House) -> u64 {
    let token = format!("Authorization: Bearer {FIGURES}");
    let asked = request("GET", "/metrics", &[&token], b"");
    let text = exchange(house.alice.address, &asked).text();
    let series = "reseal_signatures_failed_total{issuer=\"embedded\"} ";
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix(series));
    count.unwrap().parse().unwrap()
}

/// Asks for a reissue, which waits.
fn ask(house: &House, certificate: i64) -> TcpStream {
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let path = format!("/v2/ssl/certificates/{certificate}/reissue");
    house.send(&path, body.as_bytes())
}

/// The process of the reissue ended with the one certificate whose serial was reserved before the token failed.
#[track_caller]
fn ended_as_recorded(house: &House, process: i64, recorded: &[String]) {
    house.wait_for(process, "COMPLETED");
    let new = house.certificate_of(process);
    let relying = Relying::new(house);
    relying.chain_is_right(new);
    let (good, said) = relying.verify(new, false);
    assert!(good, "{said}");
    assert_eq!(reserved(house), recorded);
    let select = format!("SELECT serial FROM certificate WHERE id = {new}");
    assert_eq!(house.database().value(&select).as_ref(), recorded.last());
    let timeline = house.timeline(process);
    assert!(!timeline.contains("reservationAbandoned"), "{timeline}");
}

#[test]
fn r_11_a_reissue_waits_for_a_token_that_was_taken_away_and_keeps_its_serial() {
    let mut at = Installation::new("pkcs11", "[metrics]\ntoken_file = \"figures\"\n");
    let house = &mut at.house;
    fs::write(house.data().join("figures"), FIGURES).unwrap();
    house.start(None);
    let old = order(house, &at.dns);
    at.hsm.leave();
    let call = ask(house, old);
    let said = house.wait_for_line(LEFT);
    assert!(said.contains("the issuer is unavailable"), "{said}");
    let process = reissue_process(house);
    let recorded = reserved(house);
    assert_eq!(recorded.len(), 2);
    assert_eq!(house.certificate(old)["status"], "ACTIVE");
    assert!(unsigned(house) > 0);
    drop(call);
    at.hsm.come_back();
    ended_as_recorded(house, process, &recorded);
}

#[test]
fn nasty_139_a_signature_that_does_not_come_in_time_is_asked_for_again_over_the_same_record() {
    let mut at = Installation::new("pkcs11", "");
    let house = &mut at.house;
    house.start(None);
    let old = order(house, &at.dns);
    let hanging = at.hsm.hang();
    let call = ask(house, old);
    let said = house.wait_for_line(LEFT);
    assert!(said.contains("has not answered within 5 s"), "{said}");
    let process = reissue_process(house);
    let recorded = reserved(house);
    assert_eq!(recorded.len(), 2);
    // Also when nobody remembers that it was asked.
    house.kill();
    drop(call);
    house.start(None);
    let said = house.wait_for_line("will be tried again");
    assert!(said.contains("has not answered within 5 s"), "{said}");
    drop(hanging);
    ended_as_recorded(house, process, &recorded);
}

#[test]
fn a_server_without_its_token_serves_what_there_is_and_signs_when_it_is_back() {
    let mut at = Installation::new("pkcs11", "");
    let house = &mut at.house;
    house.start(None);
    let old = order(house, &at.dns);
    {
        // The lists are there.
        let (good, said) = Relying::new(house).verify(old, false);
        assert!(good, "{said}");
    }
    house.terminate();
    at.hsm.leave();
    house.start(None);
    let unusable = |line: &String| line.contains("the key of the CA cannot be used");
    assert!(
        house.said_first.iter().any(unusable),
        "{:?}",
        house.said_first
    );
    let (good, said) = Relying::new(house).verify(old, false);
    assert!(good, "{said}");
    let call = ask(house, old);
    let process = reissue_process(house);
    at.hsm.come_back();
    house.wait_for(process, "COMPLETED");
    drop(call);
}
