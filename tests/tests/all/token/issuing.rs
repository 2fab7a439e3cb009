//! What a CA signs, signed by a token; `openssl` judges.

use std::fs;

use super::Installation;
use crate::crash::order;
use crate::rotation::{Relying, openssl, reissue};

#[test]
fn p_13_a_ca_in_a_token_issues_reissues_revokes_and_answers() {
    let mut at = Installation::new("pkcs11", "[ocsp]\nenabled = true\n");
    let (labels, stay) = at.hsm.keys();
    assert_eq!(labels, ["reseal-intermediate", "reseal-root"]);
    assert!(stay);
    let house = &mut at.house;
    house.start(None);
    let old = order(house, &at.dns);
    let new = reissue(house, old);
    let relying = Relying::new(house);
    for certificate in [old, new] {
        relying.chain_is_right(certificate);
        let (good, said) = relying.verify(certificate, false);
        assert!(good, "{said}");
    }
    let path = format!("/v2/ssl/certificates/{new}");
    assert_eq!(house.alice.delete(&path).status, 200);
    let (good, said) = relying.verify(new, true);
    assert!(!good && said.contains("certificate revoked"), "{said}");

    // The responder's own key is certified by the token.
    let url = format!("http://{}/ocsp", house.alice.address);
    let ca = house.data().join("ca");
    let [root, issuer] = ["root.pem", "intermediate.pem"].map(|name| ca.join(name));
    for (certificate, expected) in [(old, ": good"), (new, ": revoked")] {
        let leaf = relying.download(certificate, "CRT");
        let (good, said) = openssl(&[
            "ocsp",
            "-url",
            &url,
            "-CAfile",
            root.to_str().unwrap(),
            "-issuer",
            issuer.to_str().unwrap(),
            "-cert",
            leaf.to_str().unwrap(),
        ]);
        assert!(good && said.contains(expected), "{said}");
    }
    drop(relying);

    let shown = house.told(&["ca", "show"]);
    for role in ["intermediate", "root"] {
        let kept = format!("kept       in the token `ca`, as `reseal-{role}`");
        assert!(shown.contains(&kept), "{shown}");
    }
    // It may find that the tests' database server does not sync.
    let output = house.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let fails = |line: &str| line.starts_with("fail") && !line.contains("= off`");
    assert!(!said.lines().any(fails), "{said}");
    assert!(
        said.contains("the key that issues is in the token `ca`"),
        "{said}"
    );
    let measured = house.told(&["bench", "sign", "--seconds", "1", "--json"]);
    let measured: serde_json::Value = serde_json::from_str(&measured).unwrap();
    let rows = measured["sign"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "{measured}");
    for row in rows {
        assert!(row["signaturesPerSecond"].as_f64().unwrap() > 0.0, "{row}");
    }
    house.terminate();
    // Nothing of a PIN is anywhere but in its file.
    for entry in fs::read_dir(house.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(8).any(|window| window == b"31415926");
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn p_13_a_rotation_makes_the_next_key_in_the_token() {
    let mut at = Installation::new("pkcs11", "");
    let house = &mut at.house;
    house.start(None);
    let old = order(house, &at.dns);
    house.told(&["ca", "rotate"]);
    house.terminate();
    house.start(None);
    let new = reissue(house, old);
    let relying = Relying::new(house);
    for certificate in [old, new] {
        relying.chain_is_right(certificate);
        let (good, said) = relying.verify(certificate, false);
        assert!(good, "{said}");
    }
    let shown = house.told(&["ca", "show"]);
    assert!(shown.contains("as `reseal-intermediate-2`"), "{shown}");
    let (labels, stay) = at.hsm.keys();
    assert!(stay && labels.len() == 3, "{labels:?}");
}

#[test]
fn what_is_wrong_with_a_token_is_said_before_anything_is_made() {
    let mut at = Installation::bare("pkcs11", "");
    at.hsm.set_pin("27182818");
    let said = at.house.refused(&["init"]);
    assert!(said.contains("the token `ca` refuses the PIN"), "{said}");
    assert!(!said.contains("2718") && !said.contains("3141"), "{said}");
    at.hsm.leave();
    let said = at.house.refused(&["init"]);
    assert!(said.contains("does not start"), "{said}");
    at.hsm.come_back();
    at.hsm.set_right_pin();
    at.house.settle();

    // And before a server is started on it.
    at.hsm.set_pin("27182818");
    let said = at.house.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("the token `ca` refuses the PIN"), "{said}");
    let said = at.house.refused(&["doctor"]);
    assert!(
        said.contains("fail") && said.contains("refuses the PIN"),
        "{said}"
    );
    at.hsm.set_right_pin();
    at.house.start(None);
    order(&at.house, &at.dns);
}
