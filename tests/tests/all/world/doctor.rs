//! What `reseal doctor` says of the world around a server.

use std::fs;
use std::process::Command;

use super::World;
use crate::support::server::binary;

fn doctor(world: &World) -> String {
    let output = Command::new(binary())
        .args(["doctor", "--data"])
        .arg(world.house.data())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn s_6_the_doctor_proves_that_dnssec_validation_works() {
    let world = World::start();
    let said = doctor(&world);
    assert!(said.contains("DNSSEC validation works"), "{said}");
    // Another key than the one that signs the tree.
    let anchor = world.house.data().join("anchor");
    let digest = "0".repeat(64);
    fs::write(anchor, format!(". 3600 IN DS 12345 13 2 {digest}\n")).unwrap();
    let said = doctor(&world);
    assert!(said.contains("DNSSEC validation does not work"), "{said}");
}
