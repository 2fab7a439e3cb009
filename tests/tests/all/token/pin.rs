//! A PIN that the token refuses, and a supervisor that starts the server again and again.

use std::fs;

use super::Installation;
use crate::crash::order;
use crate::rotation::reissue;

const WRONG: &str = "27182818";

#[test]
fn a_6_a_wrong_pin_is_shown_to_the_token_once_however_often_the_server_is_started() {
    let mut at = Installation::new("pkcs11", "");
    let serve = |at: &Installation| at.house.refused(&["serve", "--listen", "127.0.0.1:0"]);
    at.hsm.set_pin(WRONG);
    let said = serve(&at);
    assert!(said.contains("the token `ca` refuses the PIN"), "{said}");
    let kept = at.house.data().join("pin.refused");
    let text = fs::read_to_string(&kept).unwrap();
    assert!(!text.contains(WRONG), "{text}");

    // It would take it now, if it were asked: so it is not, by nobody.
    at.hsm.change_pin(WRONG);
    for _ in 0..2 {
        let said = serve(&at);
        assert!(said.contains("the token `ca` refuses the PIN"), "{said}");
        assert!(
            said.contains(&format!("`{}` keeps that", kept.display())),
            "{said}"
        );
    }
    let said = at.house.refused(&["doctor"]);
    assert!(said.contains("refuses the PIN"), "{said}");
    let said = at.house.refused(&["ca", "crl", "root", "--sign"]);
    assert!(said.contains("refuses the PIN"), "{said}");

    // Whoever knows better removes the file.
    fs::remove_file(&kept).unwrap();
    at.house.start(None);
    let certificate = order(&at.house, &at.dns);
    at.house.terminate();

    // And another PIN is shown at once; once it is taken, nothing is kept.
    at.hsm.set_pin("31415926");
    serve(&at);
    assert!(kept.exists());
    at.hsm.set_pin(WRONG);
    at.house.start(None);
    reissue(&at.house, certificate);
    assert!(!kept.exists());
}
