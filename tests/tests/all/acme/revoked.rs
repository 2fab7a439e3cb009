//! What is revoked here, the upstream revokes too.

use std::thread;
use std::time::{Duration, Instant};

use super::World;

#[test]
fn x_1_a_revocation_reaches_the_upstream_and_no_list_of_ours_has_it() {
    let mut world = World::new();
    world.house.start(None);
    let id = world.order();
    world.revoke(id);
    let database = world.house.database();
    let deadline = Instant::now() + Duration::from_secs(10);
    while database
        .number("SELECT count(*) FROM upstream_revocation WHERE due IS NULL AND done IS NOT NULL")
        != 1
    {
        assert!(Instant::now() < deadline, "it is not noted that it is done");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(database.number("SELECT count(*) FROM crl_entry"), 0);
    world.is_sound();
}
