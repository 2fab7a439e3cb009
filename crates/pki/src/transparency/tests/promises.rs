use super::super::{LogKeyError, SctProblem, decode_list, encode_list};
use super::*;

/// `openssl asn1parse -strparse` of a list shows the same: length, then length and promise each.
#[test]
fn p_9_promises_are_written_as_tls_wants_them_and_read_back() {
    let sct = Sct {
        log_id: [0x11; 32],
        timestamp: 0x0102_0304_0506_0708,
        extensions: vec![0xee],
        hash: 4,
        algorithm: 3,
        signature: vec![0x30, 0x00],
    };
    let expected = [
        "00",
        &"11".repeat(32),
        "0102030405060708",
        "0001ee",
        "0403",
        "00023000",
    ]
    .concat();
    assert_eq!(hex::encode(sct.encode().unwrap()), expected);
    assert_eq!(Sct::decode(&sct.encode().unwrap()).unwrap(), sct);
    let list = encode_list(&[sct.clone(), sct.clone()]).unwrap();
    let length = expected.len() / 2;
    let entry = format!("{length:04x}{expected}");
    assert_eq!(
        hex::encode(&list),
        format!("{:04x}{entry}{entry}", 2 * (length + 2))
    );
    assert_eq!(decode_list(&list).unwrap(), [sct.clone(), sct]);
}

#[test]
fn p_9_what_is_no_promise_is_refused_wherever_it_is_cut() {
    let bench = Bench::new();
    let scts = promises(&bench, 2);
    let whole = scts[0].encode().unwrap();
    for end in 0..whole.len() {
        assert!(Sct::decode(&whole[..end]).is_err(), "{end} bytes");
    }
    let longer = [&whole[..], &[0]].concat();
    let error = Sct::decode(&longer).unwrap_err().to_string();
    assert!(error.contains("1 bytes after the signature"), "{error}");
    let mut version_2 = whole;
    version_2[0] = 1;
    let error = Sct::decode(&version_2).unwrap_err().to_string();
    assert!(error.contains("expected version 1"), "{error}");
    let list = encode_list(&scts).unwrap();
    for end in 0..list.len() {
        assert!(decode_list(&list[..end]).is_err(), "{end} bytes");
    }
    assert!(decode_list(&[&list[..], &[0]].concat()).is_err());
    assert!(decode_list(&[0, 0]).is_err(), "an empty list");
    assert!(encode_list(&[]).is_err(), "an empty list");
    let huge = Sct {
        signature: vec![0; 0x1_0000],
        ..scts[0].clone()
    };
    assert!(huge.encode().is_err());
    let many = vec![scts[0].clone(); 1000];
    assert!(encode_list(&many).is_err());
}

#[test]
fn p_9_a_promise_is_believed_of_the_log_that_signed_this_very_certificate() {
    let bench = Bench::new();
    let precertificate = bench.precertificate();
    for key_type in [KeyType::P256, KeyType::Rsa2048] {
        let log = Log::new(key_type);
        let sct = log.promise(&bench.recorded(), &bench.issuer_key(), now());
        let check = |sct: &Sct, der: &[u8], issuer: &[u8; 32]| {
            log.key().check(sct, der, issuer, now(), now())
        };
        let issuer = bench.issuer_key();
        assert_eq!(check(&sct, &precertificate, &issuer), Ok(()));
        let certificate = bench.logged(&promises(&bench, 3));
        assert_eq!(
            check(&sct, &certificate, &issuer),
            Ok(()),
            "of the certificate"
        );
        let wrong = Err(SctProblem::Signature);
        assert_eq!(
            check(&sct, &precertificate, &[0; 32]),
            wrong,
            "another issuer"
        );
        let other = Bench::new().precertificate();
        assert_eq!(check(&sct, &other, &issuer), wrong, "another certificate");
        for change in [
            |sct: &mut Sct| sct.signature[9] ^= 1,
            |sct: &mut Sct| sct.timestamp -= 1,
            |sct: &mut Sct| sct.extensions.clear(),
            |sct: &mut Sct| sct.signature.clear(),
        ] {
            let mut changed = sct.clone();
            change(&mut changed);
            assert_eq!(check(&changed, &precertificate, &issuer), wrong);
        }
        for (hash, algorithm) in [(4, 4 - sct.algorithm), (2, sct.algorithm), (0, 0)] {
            let claimed = Sct {
                hash,
                algorithm,
                ..sct.clone()
            };
            let found = check(&claimed, &precertificate, &issuer);
            assert!(
                matches!(found, Err(SctProblem::Algorithm { .. })),
                "{found:?}"
            );
        }
        let stranger = Log::new(key_type).promise(&bench.recorded(), &issuer, now());
        let found = check(&stranger, &precertificate, &issuer);
        assert!(
            matches!(found, Err(SctProblem::OtherLog { .. })),
            "{found:?}"
        );
    }
}

#[test]
fn p_9_a_promise_from_the_future_or_from_long_ago_is_not_believed() {
    let bench = Bench::new();
    let (log, precertificate) = (Log::new(KeyType::P256), bench.precertificate());
    let at = |seconds: i64| {
        let at = now() + SignedDuration::from_secs(seconds);
        let sct = log.promise(&bench.recorded(), &bench.issuer_key(), at);
        log.key()
            .check(&sct, &precertificate, &bench.issuer_key(), now(), now())
    };
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(5), Ok(()));
    assert!(matches!(at(6), Err(SctProblem::Future(_))));
    assert!(matches!(at(86_400), Err(SctProblem::Future(_))));
    assert_eq!(at(-3600), Ok(()));
    assert!(matches!(at(-3601), Err(SctProblem::Old(_))));
    let mut never = log.promise(&bench.recorded(), &bench.issuer_key(), now());
    never.timestamp = u64::MAX;
    let found = log
        .key()
        .check(&never, &precertificate, &bench.issuer_key(), now(), now());
    assert!(matches!(found, Err(SctProblem::Future(_))));
}

#[test]
fn the_key_of_a_log_is_ecdsa_p_256_or_rsa() {
    let of = |spki: &[u8]| LogKey::from_spki_der(spki);
    assert!(of(&Signer::generate(KeyType::P256).spki()).is_ok());
    assert!(of(&Signer::generate(KeyType::Rsa2048).spki()).is_ok());
    let found = of(&Signer::generate(KeyType::P384).spki());
    assert!(matches!(found, Err(LogKeyError::Type(_))), "{found:?}");
    assert!(matches!(of(b"key"), Err(LogKeyError::Unreadable(_))));
    let short = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    assert!(of(&rcgen::PublicKeyData::subject_public_key_info(&short)).is_err());
}
