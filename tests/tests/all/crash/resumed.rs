//! What was reserved before a crash is signed only while everything it rests on still holds (C-24, S-16, R-1);
//! otherwise the reservation is given up and the process decided anew.

use serde_json::{Value, json};

use super::{HELD, house, order, reissue_process, reserved};
use crate::support::csr::csr;
use crate::support::database::is_postgres;
use crate::support::dns_stub::DnsStub;
use crate::world::house::House;

/// A house whose server died with a reissue reserved and not signed; the certificate to be replaced.
pub(super) fn died_at_reserved(before_death: impl Fn(&House, i64)) -> (House, DnsStub, i64) {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    house.kill();
    house.start(Some("reserved"));
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let call = house.send(
        &format!("/v2/ssl/certificates/{old}/reissue"),
        body.as_bytes(),
    );
    house.wait_for_line(HELD);
    before_death(&house, old);
    house.kill();
    drop(call);
    (house, dns, old)
}

/// The process of the reissue came to `status`, gave the reservation up for `reason`, and issued nothing.
#[track_caller]
fn gave_up(house: &House, status: &str, reason: &str) {
    let process = reissue_process(house);
    let ended = house.wait_for(process, status);
    let detail = ended["statusDetail"].as_str().unwrap();
    assert!(detail.contains(reason), "{detail}");
    let timeline = house.timeline(process);
    assert!(timeline.contains("reservationAbandoned"), "{timeline}");
    let certificates = house.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(certificates["pagination"]["total"], 1);
}

/// The statement that blocks the key of the process for which `condition` holds.
fn block_key_of(condition: &str) -> String {
    let key = if is_postgres() {
        "decode(state::json #>> '{work,order,spkiSha256}', 'hex')"
    } else {
        "unhex(json_extract(state, '$.work.order.spkiSha256'))"
    };
    format!(
        "INSERT INTO blocked_key (spki_sha256, reason, actor, created) \
         SELECT {key}, 'lost', 'house/op', 0 FROM process WHERE {condition}"
    )
}

#[test]
fn c_24_a_key_that_was_blocked_meanwhile_is_not_signed_for() {
    let (mut house, _dns, _) = died_at_reserved(|_, _| {});
    house.database().run(&block_key_of("action = 'reissue'"));
    house.start(None);
    gave_up(&house, "FAILED", "blocked");
    is_revoked_as_if_issued(&house, "incident.abandoned", "KEY_COMPROMISE");
}

/// The serial that the reissue had reserved is on its list for `reason`, and the log has an entry `action` about it.
#[track_caller]
fn is_revoked_as_if_issued(house: &House, action: &str, reason: &str) {
    let serial = reserved(house)[1].clone();
    let listed = house
        .database()
        .rows("SELECT serial, reason FROM crl_entry");
    assert!(
        listed.contains(&vec![Some(serial.clone()), Some(reason.to_owned())]),
        "{listed:?}"
    );
    let select = format!("SELECT detail FROM audit WHERE action = '{action}'");
    let detail = house.database().value(&select).unwrap();
    let detail: Value = serde_json::from_str(&detail).unwrap();
    assert_eq!(detail["serial"], serial);
    assert_eq!(detail["tbsSha256"].as_str().unwrap().len(), 64);
}

/// Nobody comes between the last look at the key and the signature, or does so rarely: here, always.
#[test]
fn r_11_what_was_signed_while_its_key_was_blocked_is_revoked_as_if_it_had_been_issued() {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    let insert = block_key_of("id = NEW.process");
    house.database().run(&if is_postgres() {
        format!(
            "CREATE FUNCTION in_between() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN {insert}; RETURN NULL; END $$; \
             CREATE TRIGGER in_between AFTER INSERT ON reservation FOR EACH ROW EXECUTE FUNCTION in_between()"
        )
    } else {
        format!("CREATE TRIGGER in_between AFTER INSERT ON reservation BEGIN {insert}; END")
    });
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    house.send(
        &format!("/v2/ssl/certificates/{old}/reissue"),
        body.as_bytes(),
    );
    let process = reissue_process(&house);
    let ended = house.wait_for(process, "FAILED");
    let detail = ended["statusDetail"].as_str().unwrap();
    assert!(detail.contains("blocked"), "{detail}");
    assert_eq!(house.certificate(old)["status"], "ACTIVE");
    is_revoked_as_if_issued(&house, "incident.unstored", "KEY_COMPROMISE");
}

#[test]
fn r_1_a_certificate_that_was_revoked_meanwhile_is_not_replaced() {
    let (mut house, _dns, _) = died_at_reserved(|house, old| {
        let path = format!("/v2/ssl/certificates/{old}");
        assert_eq!(house.alice.delete(&path).status, 200);
    });
    house.start(None);
    gave_up(&house, "FAILED", "REVOKED");
}

#[test]
fn a_10_an_issuer_that_was_taken_out_meanwhile_keeps_the_process_waiting() {
    let (mut house, _dns, _) = died_at_reserved(|_, _| {});
    house.database().run(
        "UPDATE reservation SET issuer = 'gone' WHERE process = (SELECT id FROM process WHERE action = 'reissue'); \
         UPDATE process SET state = replace(state, '\"issuer\":\"embedded\"', '\"issuer\":\"gone\"') \
         WHERE action = 'reissue'",
    );
    house.start(None);
    gave_up(&house, "SUSPENDED", "`gone` is not configured");
}

#[test]
fn s_16_caa_is_asked_again_when_the_server_was_away_for_hours() {
    let (mut house, _dns, old) = died_at_reserved(|_, _| {});
    let before = reserved(&house);
    house.start_at("+2h");
    let process = reissue_process(&house);
    house.wait_for(process, "COMPLETED");
    let timeline = house.timeline(process);
    assert!(timeline.contains("CAA is asked again"), "{timeline}");
    assert_eq!(timeline.matches("caaChecked").count(), 2, "{timeline}");
    assert_eq!(house.certificate(old)["status"], "REISSUED");
    // The old serial is burnt, a new one is used.
    house.kill();
    assert_eq!(reserved(&house).len(), before.len() + 1);
}

/// The answer was lost with the server; whoever asks again with the same key gets it, and no second reissue.
#[test]
fn r_9_a_call_whose_server_died_is_answered_when_it_comes_again() {
    for point in ["accepted", "reserved", "completed"] {
        let (mut house, dns) = house();
        house.start(None);
        let old = order(&house, &dns);
        house.kill();
        house.start(Some(point));
        let path = format!("/v2/ssl/certificates/{old}/reissue");
        let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
        let key = "Idempotency-Key: once";
        let call = house.send_with(key, &path, body.as_bytes());
        house.wait_for_line(HELD);
        house.kill();
        drop(call);

        house.start(None);
        let process = reissue_process(&house);
        house.wait_for(process, "COMPLETED");
        let headers = ["Content-Type: application/json", key];
        let reply = house.alice.call("POST", &path, &headers, body.as_bytes());
        reply.expect(201);
        assert_eq!(reply.process(), process, "{point}");
        let found = house.alice.get("/v2/processes?action=reissue").expect(200);
        assert_eq!(found["pagination"]["total"], 1, "{point}");
    }
}

/// A second campaign would reissue what the first one has reissued.
#[test]
fn r_9_a_campaign_whose_server_died_before_the_answer_is_not_begun_twice() {
    let (mut house, _dns) = house();
    let operator = [
        "api-key",
        "create",
        "--customer",
        "house",
        "--role",
        "operator",
    ];
    house.alice.key = house.told(&operator);
    house.start(Some("campaign-begun"));
    let path = "/v2/ssl/campaigns";
    let body = json!({
        "where": "status=ACTIVE",
        "key": "keep",
        "deadline": "2999-12-31T00:00:00Z",
        "reason": "the intermediate is replaced",
    })
    .to_string();
    let key = "Idempotency-Key: once";
    let call = house.send_with(key, path, body.as_bytes());
    house.wait_for_line(HELD);
    house.kill();
    drop(call);

    house.start(None);
    let headers = ["Content-Type: application/json", key];
    let reply = house.alice.call("POST", path, &headers, body.as_bytes());
    let begun = reply.expect(201);
    assert_eq!(begun["status"], "RUNNING");
    let id = &begun["id"];
    let location = format!("{path}/{id}");
    assert_eq!(reply.header("location"), Some(&*location));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let all = house.alice.get(path).expect(200);
    let ids: Vec<_> = all["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [id]);
}
