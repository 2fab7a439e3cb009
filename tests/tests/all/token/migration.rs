//! Keys that were made in files go into a token, beside a server that uses them.

use std::fs;

use super::Installation;
use crate::crash::{HELD, order};
use crate::rotation::{Relying, reissue};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// Starts a migration, and waits until it is held with the first key in the token and its file as it was.
#[track_caller]
fn held(at: &Installation) -> Child {
    let mut command = at.house.command(&["ca", "migrate-key"]);
    command.env("RESEAL_HOLD_AT", "key-taken-in");
    command.env("RESEAL_LOG", "warn").stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.contains(HELD)));
    child
}

#[test]
fn a_6_keys_go_into_the_token_beside_a_server_and_a_kill_on_the_way_changes_nothing() {
    let mut at = Installation::new("software", "");
    at.house.start(None);
    let old = order(&at.house, &at.dns);
    let ca = at.house.data().join("ca");
    let chain = fs::read(ca.join("intermediate.pem")).unwrap();
    let files = ["intermediate.key", "root.key"].map(|name| ca.join(name));
    let read = || {
        files
            .each_ref()
            .map(|file| fs::read_to_string(file).unwrap())
    };
    let before = read();

    let said = at.house.refused(&["ca", "migrate-key"]);
    assert!(said.contains("Out of a token none is ever taken"), "{said}");
    at.configure("pkcs11");
    let mut child = held(&at);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(read(), before);
    assert_eq!(at.hsm.keys().0, ["reseal-intermediate"]);
    let public = |at: &Installation| {
        let mut doctor = at.house.command(&["doctor"]);
        let output = doctor.env("RESEAL__POLICY__PROFILE", "public").output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let said = public(&at);
    assert!(
        said.contains("the key that issues lies in a file"),
        "{said}"
    );
    // The CA opens with its files.
    let shown = at.house.told(&["ca", "show"]);
    assert_eq!(shown.matches("in a file, encrypted").count(), 2, "{shown}");
    at.house.kill();
    at.house.start(None);
    let again = reissue(&at.house, old);

    let said = at.house.told(&["ca", "migrate-key"]);
    assert_eq!(said.lines().count(), 2, "{said}");
    for text in read() {
        assert!(
            text.contains("reseal-token-key") && !text.contains("ciphertext"),
            "{text}"
        );
    }
    let (labels, stay) = at.hsm.keys();
    assert_eq!(labels, ["reseal-intermediate", "reseal-root"]);
    assert!(stay);
    assert_eq!(fs::read(ca.join("intermediate.pem")).unwrap(), chain);
    // The server has what it had; from its next start on the token signs.
    let third = reissue(&at.house, again);
    at.house.terminate();
    at.house.start(None);
    let fourth = reissue(&at.house, third);
    let relying = Relying::new(&at.house);
    for certificate in [old, again, third, fourth] {
        relying.chain_is_right(certificate);
        let (good, said) = relying.verify(certificate, false);
        assert!(good, "{said}");
    }
    drop(relying);
    at.house.terminate();
    at.hsm.leave();
    let said = at.house.refused(&["ca", "crl", "root", "--sign"]);
    assert!(said.contains("the PKCS#11 module"), "{said}");
    at.hsm.come_back();
    at.house.told(&["ca", "crl", "root", "--sign"]);

    let said = public(&at);
    assert!(!said.contains("lies in a file"), "{said}");
    let said = at.house.refused(&["ca", "migrate-key"]);
    assert!(said.contains("nothing to migrate"), "{said}");
    at.configure("software");
    let said = at.house.refused(&["ca", "migrate-key"]);
    assert!(said.contains("Out of a token none is ever taken"), "{said}");
    let actions = "SELECT object FROM audit WHERE action = 'ca.key.migrate' ORDER BY id";
    let rows = at.house.database().rows(actions);
    let objects: Vec<_> = rows.into_iter().flatten().flatten().collect();
    assert_eq!(objects, ["ca/intermediate", "ca/root"]);
    at.house.told(&["audit", "verify"]);
}
