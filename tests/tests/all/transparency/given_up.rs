//! Precertificates whose certificate never comes.

use super::World;
use crate::support::ct_log::Mischief;
use crate::support::database::is_postgres;
use crate::support::server::reseal;

/// A reissue that waits for its logs; the certificate it started from, the process, and its serial.
#[track_caller]
fn waiting(world: &World, id: i64) -> (i64, String) {
    world.logs[2].misbehave(Mischief::Down);
    let process = world.reissue(id);
    world.waits_for_logs(process);
    let serial = world.reserved(process).remove(0);
    let said = world.ocsp(&serial);
    assert!(said.contains(": good"), "{said}");
    (process, serial)
}

/// The serial is revoked for `reason` wherever anybody asks, as if a certificate had been issued.
#[track_caller]
fn is_revoked(world: &World, process: i64, serial: &str, reason: &str) {
    let (by_ocsp, by_list) = match reason {
        "KEY_COMPROMISE" => ("keyCompromise", "Key Compromise"),
        _ => ("superseded", "Superseded"),
    };
    let said = world.ocsp(serial);
    assert!(
        said.contains(": revoked") && said.contains(by_ocsp),
        "{said}"
    );
    let database = world.house().database();
    let listed = database.rows("SELECT serial, reason FROM crl_entry");
    let entry = vec![Some(serial.to_owned()), Some(reason.to_owned())];
    assert!(listed.contains(&entry), "{listed:?}");
    let incidents = format!(
        "SELECT count(*) FROM audit WHERE action = 'incident.unstored' AND object = 'process/{process}'"
    );
    assert_eq!(database.number(&incidents), 1);
    is_listed(world, serial, by_list);
    world.is_sound();
}

/// Waits until the list for `serial` shows it for `reason`, in the words of `openssl`.
#[track_caller]
fn is_listed(world: &World, serial: &str, reason: &str) {
    let shard = u8::from_str_radix(&serial[serial.len() - 2..], 16).unwrap() % 128;
    let name =
        format!("SELECT name FROM crl WHERE name LIKE '%/{shard}' AND name NOT LIKE 'root%'");
    let name = world.house().database().value(&name).unwrap();
    let serial = serial.to_uppercase();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let reply = world.house().alice.get(&format!("/crl/{name}.crl"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let list = world.file("list.crl", &reply.body);
        let text = super::openssl(&["crl", "-inform", "DER", "-noout", "-text", "-in", &list]);
        let mut entries = text.split("Serial Number: ").skip(1);
        if entries.any(|entry| entry.starts_with(&serial) && entry.contains(reason)) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{serial}: {text}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// An operator finds the key compromised that `process` has an order for.
#[track_caller]
fn block_key(world: &World, process: i64) {
    let key = if is_postgres() {
        "state::json #>> '{work,order,spkiSha256}'"
    } else {
        "json_extract(state, '$.work.order.spkiSha256')"
    };
    let select = format!("SELECT {key} FROM process WHERE id = {process}");
    let key = world.house().database().value(&select).unwrap();
    let data = world.house().data();
    let data = data.to_str().unwrap();
    reseal(&["key", "block", &key, "--reason", "lost", "--data", data]);
}

/// Takes the lines that begin so out of the configuration.
#[track_caller]
fn configure_without(world: &World, beginning: &str) {
    let path = world.house().data().join("reseal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with(beginning));
    let left = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert_ne!(text, left, "{beginning}");
    std::fs::write(&path, left).unwrap();
}

#[test]
fn p_8_r_11_a_precertificate_is_revoked_when_its_key_is_found_compromised() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    let (process, serial) = waiting(&world, id);
    block_key(&world, process);
    let ended = world.house().wait_for(process, "FAILED");
    let detail = ended["statusDetail"].as_str().unwrap();
    assert!(detail.contains("blocked"), "{detail}");
    is_revoked(&world, process, &serial, "KEY_COMPROMISE");
    assert_eq!(world.house().certificate(id)["status"], "ACTIVE");
}

#[test]
fn p_8_r_11_what_must_not_be_signed_is_revoked_while_nothing_could_be_signed() {
    let mut world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    let (process, serial) = waiting(&world, id);
    configure_without(&world, "perspectives = ");
    block_key(&world, process);
    world.restart(None);
    world.house().wait_until(process, || {
        let given_up = world.around.events(process, "reservationAbandoned");
        (given_up.len() == 1).then_some(())
    });
    is_revoked(&world, process, &serial, "KEY_COMPROMISE");
}

#[test]
fn p_8_r_11_v_10_x_3_a_precertificate_that_waited_too_long_is_revoked_and_never_replaced() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    let (process, serial) = waiting(&world, id);
    let old = "2026-11-01T00:00:00Z";
    let state = if is_postgres() {
        format!("jsonb_set(state::jsonb, '{{since}}', '\"{old}\"')::text")
    } else {
        format!("json_set(state, '$.since', '{old}')")
    };
    world.house().database().run(&format!(
        "UPDATE process SET state = {state} WHERE id = {process}"
    ));
    let ended = world.house().wait_for(process, "FAILED");
    let detail = ended["statusDetail"].as_str().unwrap();
    assert!(
        detail.contains("within 47 hours") && detail.contains("Order it again"),
        "{detail}"
    );
    assert_eq!(world.reserved(process), [&*serial], "never another serial");
    is_revoked(&world, process, &serial, "SUPERSEDED");
    // And the customer orders it again.
    world.logs[2].behave();
    let new = world.reissued(id);
    assert_eq!(world.promised_by(new).len(), 3);
    // A compromise of the key becomes the reason.
    block_key(&world, process);
    is_revoked(&world, process, &serial, "KEY_COMPROMISE");
}

#[test]
fn p_8_what_waits_when_transparency_is_switched_off_is_revoked_and_issued_without() {
    let mut world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    let (process, serial) = waiting(&world, id);
    configure_without(&world, "logs = ");
    world.restart(None);
    world.house().wait_for(process, "COMPLETED");
    assert_eq!(
        world.promised_by(world.house().certificate_of(process)),
        [] as [usize; 0]
    );
    assert_eq!(world.reserved(process).len(), 2);
    is_revoked(&world, process, &serial, "SUPERSEDED");
}
