//! SIGKILL between each two steps of a certificate that logs are asked about: it is issued after a restart, once, under
//! the serial that was reserved.

use serde_json::json;

use super::{NAME, World};
use crate::crash::HELD;
use crate::support::csr::csr;
use crate::support::sct::entry_of;

#[test]
fn r_11_nasty_028_killed_between_each_two_steps_with_logs() {
    let mut world = World::with_logs_of(&["a", "b", "c"]);
    let mut id = world.order();
    for point in [
        "accepted",
        "reserved",
        "precertified",
        "precertificate-recorded",
        "logged",
        "logged-recorded",
        "signed",
        "completed",
    ] {
        world.restart(Some(point));
        let sent = world.logs[0].submitted().len();
        let body = json!({"csr": csr(&[NAME]), "san": []}).to_string();
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let call = world.house().send(&path, body.as_bytes());
        world.house().wait_for_line(HELD);
        let database = world.house().database();
        let process = database.number("SELECT max(id) FROM process");
        let before = world.reserved(process);
        assert_eq!(before.len(), 1, "{point}");
        world.restart(None);
        drop(call);
        world.house().wait_for(process, "COMPLETED");
        id = world.house().certificate_of(process);
        assert_eq!(world.promised_by(id), [0, 1, 2], "{point}");
        assert_eq!(world.reserved(process), before, "{point}: the same serial");
        let select = format!("SELECT serial FROM certificate WHERE id = {id}");
        assert_eq!(database.value(&select).unwrap(), before[0], "{point}");
        // However often they were asked: about one certificate.
        let entries: Vec<Vec<u8>> = world.logs[0].submitted()[sent..]
            .iter()
            .map(|one| entry_of(one))
            .collect();
        let again = usize::from(point == "logged");
        assert_eq!(entries.len(), 1 + again, "{point}");
        assert!(entries.iter().all(|entry| *entry == entries[0]), "{point}");
    }
    let shown = world.logs[0].size();
    assert_eq!(shown, 9, "one entry a certificate");
    let database = world.house().database();
    assert_eq!(database.number("SELECT count(*) FROM certificate"), 9);
    assert_eq!(database.number("SELECT count(*) FROM precertificate"), 9);
    assert_eq!(database.number("SELECT count(*) FROM crl_entry"), 0);
    world.is_sound();
}
