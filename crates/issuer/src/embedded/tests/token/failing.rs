//! Tokens that are away, refuse, or are not what was expected.

use std::time::{Duration, Instant};

use reseal_lifecycle::issuer::{Issuer as _, IssuerError};

use super::soft_hsm::{self, SoftHsm, with_token};
use super::*;

#[test]
fn a_token_that_was_away_signs_again() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        let issuer = issuing::issuer(create(&data, &token, KeyType::P256, None).unwrap());
        let key = issuer.signing_key().unwrap().clone();
        wait(async {
            key.prove().await.unwrap();
            hsm.leave();
            let subscriber = Subscriber::p256(&["example.com"]);
            let prepared = issuer.prepare(&subscriber.order()).unwrap();
            let (serial, tbs) = (prepared.serial, prepared.linted.tbs().to_vec());
            let error = issuer.issue(prepared).await.unwrap_err();
            assert!(matches!(error, IssuerError::Unavailable(_)), "{error}");
            hsm.come_back();
            // What was recorded is signed, under the serial number that was recorded.
            let deadline = Instant::now() + Duration::from_secs(10);
            let leaf = loop {
                let order = subscriber.order();
                let resumed = issuer
                    .resume(serial.as_bytes(), tbs.clone(), &order)
                    .unwrap();
                match issuer.issue(resumed).await {
                    Ok(leaf) => break leaf,
                    Err(error) => assert!(Instant::now() < deadline, "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            let leaf = reseal_pki::certificate::Certificate::from_der(&leaf).unwrap();
            assert_eq!(leaf.tbs_der(), tbs);
            issuing::verify(&data, &issuer, &leaf, "example.com");
        });
    });
}

#[test]
fn many_signatures_at_once_survive_the_loss_of_the_token() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        let issuer = issuing::issuer(create(&data, &token, KeyType::P256, None).unwrap());
        let key = issuer.signing_key().unwrap().clone();
        wait(async move {
            let signing: Vec<_> = (0..16)
                .map(|_| {
                    let key = key.clone();
                    tokio::spawn(async move {
                        let (mut made, mut failed) = (0, 0);
                        while made < 40 {
                            match key.prove().await {
                                Ok(()) => made += 1,
                                Err(error) => {
                                    failed += 1;
                                    assert!(failed < 100, "{error}");
                                    tokio::time::sleep(Duration::from_millis(100)).await;
                                }
                            }
                        }
                    })
                })
                .collect();
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(30)).await;
                hsm.leave();
                tokio::time::sleep(Duration::from_millis(30)).await;
                hsm.come_back();
            }
            for one in signing {
                one.await.unwrap();
            }
        });
    });
}

#[test]
fn a_wrong_pin_is_said_and_a_changed_one_is_taken() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        let refused = || {
            let error = create(&data, &token, KeyType::P256, None).unwrap_err();
            assert!(data.files().is_empty());
            error.to_string()
        };
        fs::write(hsm.pin_file(), "27182818").unwrap();
        for _ in 0..3 {
            let said = refused();
            assert!(
                said.contains("refuses the PIN") && !said.contains("2718"),
                "{said}"
            );
        }
        let kept = fs::read_to_string(hsm.refusal()).unwrap();
        assert!(!kept.contains("27182818"), "{kept}");
        fs::remove_file(hsm.pin_file()).unwrap();
        let said = refused();
        assert!(said.contains("the PIN cannot be read"), "{said}");
        fs::write(hsm.pin_file(), format!("{}\n", soft_hsm::PIN)).unwrap();
        create(&data, &token, KeyType::P256, None).unwrap();
        assert!(!hsm.refusal().exists());
        let mut other = hsm.settings();
        other.token = TokenName::Label("another".to_owned());
        let error = Token::new(&other, &hsm.refusal()).unwrap_err();
        assert_eq!(
            error,
            TokenError::Another(TokenName::Label("ca".to_owned()))
        );
    });
}

#[test]
fn a_token_that_is_not_there_is_named() {
    with_token(|hsm| {
        let mut settings = hsm.settings();
        settings.token = TokenName::Label("elsewhere".to_owned());
        let token = hsm.token_of(&settings);
        let error = create(&Data::empty(), &token, KeyType::P256, None).unwrap_err();
        let said = error.to_string();
        let slot = hsm.slots()[0];
        let expected = format!("no token `elsewhere`: the module shows `ca` in slot {slot}, ");
        assert!(said.contains(&expected), "{said}");
    });
}

#[test]
fn two_tokens_of_one_label_are_told_apart_by_their_slots() {
    with_token(|hsm| {
        hsm.another(soft_hsm::LABEL);
        let slots = hsm.slots();
        assert_eq!(slots.len(), 2);
        let error = create(&Data::empty(), &hsm.token(), KeyType::P256, None).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("several tokens have the label `ca`") && said.contains("ca.pkcs11_slot"),
            "{said}"
        );
        for slot in slots {
            assert!(said.contains(&slot.to_string()), "{said}");
        }
    });
}

#[test]
fn a_slot_without_a_token_is_said_with_those_that_have_one() {
    with_token(|hsm| {
        let slots = hsm.slots();
        let mut settings = hsm.settings();
        settings.token = TokenName::Slot(slots[0] ^ 1);
        let token = hsm.token_of(&settings);
        let error = create(&Data::empty(), &token, KeyType::P256, None).unwrap_err();
        let said = error.to_string();
        let expected = format!(
            "there is no token in slot {}: the module shows `ca` in slot {}, one that is not initialized in slot ",
            slots[0] ^ 1,
            slots[0]
        );
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains("correct `ca.pkcs11_slot`"), "{said}");
    });
}

#[test]
fn a_module_that_cannot_be_loaded_is_named() {
    with_token(|hsm| {
        let mut settings = hsm.settings();
        settings.module = "/nowhere/token.so".into();
        let token = hsm.token_of(&settings);
        let error = create(&Data::empty(), &token, KeyType::P256, None).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("`/nowhere/token.so` cannot be loaded"),
            "{said}"
        );
    });
}

#[test]
fn a_file_that_names_a_key_is_told_from_a_damaged_one() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        create(&data, &token, KeyType::P256, None).unwrap();
        let file = data.file("intermediate.key");
        let whole = fs::read_to_string(&file).unwrap();
        let said = || {
            let error = Authority::open(&data.ca(), Access::new(None, Some(&token)));
            error.unwrap_err().to_string()
        };
        for (from, to, reason) in [
            (
                "\"version\": 1",
                "\"version\": 2",
                "it has version 2 of the format",
            ),
            (
                "reseal-intermediate",
                "reseal-root",
                "its checksum does not fit",
            ),
            ("\"label\"", "\"lable\"", "not a whole key file"),
            ("\"sha256\"", "\"sha265\"", "not a whole key file"),
        ] {
            fs::write(&file, whole.replace(from, to)).unwrap();
            let said = said();
            assert!(said.contains(reason), "{said}");
        }
        for length in (0..whole.len() - 2).step_by(7) {
            fs::write(&file, &whole[..length]).unwrap();
            let said = said();
            assert!(said.contains("not a whole key file"), "{length}: {said}");
        }
        // Another authority's.
        fs::copy(data.file("root.key"), &file).unwrap();
        assert!(said().contains("files of two CAs are mixed"), "{}", said());
    });
}

#[test]
fn doctor_has_the_token_sign() {
    with_token(|hsm: SoftHsm| {
        let (data, token) = (Data::empty(), hsm.token());
        create(&data, &token, KeyType::P256, None).unwrap();
        let look = || inspect(&data.ca(), None, Some(&token), PUBLIC_URL, now());
        set_mode(&hsm.pin_file(), 0o600);
        let seen = look();
        assert_eq!(seen.protection, Some(Protection::Token));
        assert!(seen.worst() < Some(Severity::Warning), "{seen:?}");
        set_mode(&hsm.pin_file(), 0o644);
        assert_eq!(look().worst(), Some(Severity::Warning));
        let removed = ["--delete-object", "--type", "privkey", "--label"];
        hsm.tool(&[&removed[..], &["reseal-intermediate"]].concat());
        let seen = look();
        assert_eq!(seen.worst(), Some(Severity::Fault));
        let said = format!("{seen:?}");
        assert!(
            said.contains("has no private key `reseal-intermediate`"),
            "{said}"
        );
    });
}
