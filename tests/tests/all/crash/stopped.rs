//! SIGTERM while something is under way that does not end.

use std::time::{Duration, Instant};

use super::resumed::died_at_reserved;
use super::{Front, HELD, completed_once, reissue_process, reserved};

/// What is under way has 20 seconds (docs/configuration.md); then the database is closed.
const LONGEST: Duration = Duration::from_secs(25);

#[test]
fn what_does_not_end_is_left_by_a_server_that_stops_and_completed_once_by_the_next() {
    let (mut house, _dns, old) = died_at_reserved(|_, _| {});
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
