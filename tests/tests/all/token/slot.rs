//! A token that is named by its slot.

use super::Installation;
use crate::crash::order;
use crate::rotation::Relying;

#[test]
fn p_13_a_server_issues_with_the_token_of_a_slot_where_two_have_the_same_label() {
    let mut at = Installation::bare("pkcs11", "");
    at.hsm.initialize();
    let slots = at.hsm.slots();
    assert_eq!(slots.len(), 2);
    let said = at.house.refused(&["init"]);
    assert!(
        said.contains("several tokens have the label `ca`") && said.contains("`ca.pkcs11_slot`"),
        "{said}"
    );
    for slot in &slots {
        assert!(said.contains(&slot.to_string()), "{said}");
    }
    let by = |at: &Installation, token: &str| {
        at.configure_with(&at.hsm.table_with("pkcs11", token));
    };
    by(
        &at,
        &format!("pkcs11_slot = {}\npkcs11_token = \"ca\"", slots[1]),
    );
    let said = at.house.refused(&["init"]);
    assert!(said.contains("the token is named twice"), "{said}");
    by(&at, "pkcs11_slot = 77");
    let said = at.house.refused(&["init"]);
    assert!(
        said.contains("there is no token in slot 77: the module shows `ca` in slot"),
        "{said}"
    );
    assert!(!at.house.data().join("ca").exists());

    by(&at, &format!("pkcs11_slot = {}", slots[1]));
    at.house.settle();
    let house = &mut at.house;
    house.start(None);
    let certificate = order(house, &at.dns);
    let relying = Relying::new(house);
    relying.chain_is_right(certificate);
    drop(relying);
    let place = format!("in the token in slot {}", slots[1]);
    let shown = house.told(&["ca", "show"]);
    assert_eq!(shown.matches(&place).count(), 2, "{shown}");
    let output = house.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(&format!("the key that issues is {place}")),
        "{said}"
    );
    house.terminate();
    // The other one has none of the keys.
    by(&at, &format!("pkcs11_slot = {}", slots[0]));
    let said = at.house.refused(&["serve", "--listen", "127.0.0.1:0"]);
    let expected = format!(
        "the token in slot {} has no private key `reseal-intermediate`",
        slots[0]
    );
    assert!(said.contains(&expected), "{said}");
}
