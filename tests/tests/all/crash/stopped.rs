//! SIGTERM while something is under way that does not end.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Front, HELD, completed_once, house, order, reissue_process, reserved};
use crate::support::csr::csr;

/// What is under way has 20 seconds (docs/configuration.md); then the database is closed.
const LONGEST: Duration = Duration::from_secs(25);

#[test]
fn what_does_not_end_is_left_by_a_server_that_stops_and_completed_once_by_the_next() {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    house.kill();
    house.start(Some("reserved"));
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let call = house.send(&path, body.as_bytes());
    house.wait_for_line(HELD);
    house.kill();
    drop(call);
    let before = reserved(&house);
    // Signed by the worker, and stored nowhere.
    house.start(Some("signed"));
    house.wait_for_line(HELD);
    let began = Instant::now();
    let said = house.terminate();
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    let last = said.last().unwrap();
    assert!(
        last.contains("stopped while work was under way"),
        "{said:#?}"
    );
    assert!(last.contains("processes=1"), "{last}");
    house.start(None);
    let process = reissue_process(&house);
    house.wait_for(process, "COMPLETED");
    house.kill();
    completed_once(&house, Front::Reissue, old, process, &before);
}
