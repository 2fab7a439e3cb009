//! Making and opening: what the certificates say, and what an interruption or a
//! missing file leads to.

use super::*;
use crate::embedded::folder::{Draft, unfinished};

const FILES: [&str; 5] = [
    "ca/intermediate.key",
    "ca/intermediate.pem",
    "ca/root.key",
    "ca/root.pem",
    "ca/unlock.key",
];

fn text(path: &Path) -> String {
    openssl(&["x509", "-noout", "-text", "-in"], &[path]).unwrap()
}

#[test]
fn p_13_openssl_accepts_root_and_intermediate_of_every_key_type() {
    for key_type in KeyType::ALL {
        let (data, authority) = Data::with_ca(key_type, None);
        let at = now().as_second().to_string();
        let verified = openssl(
            &["verify", "-x509_strict", "-attime", &at, "-CAfile"],
            &[&data.file("root.pem"), &data.file("intermediate.pem")],
        );
        assert!(
            verified.as_ref().is_ok_and(|text| text.contains(": OK")),
            "{key_type}: {verified:?}"
        );
        let reopened = Authority::open(&data.ca(), None).unwrap();
        assert_eq!(
            reopened.intermediate().certificate_der(),
            authority.intermediate().certificate_der()
        );
        assert_eq!(
            authority.root().not_before(),
            authority.intermediate().not_before()
        );
    }
}

#[test]
fn p_13_the_root_signs_intermediates_and_they_sign_leaves_for_servers_only() {
    let (data, authority) = Data::with_ca(KeyType::P256, None);
    let root = text(&data.file("root.pem"));
    let intermediate = text(&data.file("intermediate.pem"));
    for (certificate, pieces) in [
        (
            &root,
            &[
                "X509v3 Basic Constraints: critical\n                CA:TRUE\n",
                "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
                "Not Before: Nov 24 11:00:00 2026 GMT",
                "Not After : Nov 24 10:59:59 2046 GMT",
            ][..],
        ),
        (
            &intermediate,
            &[
                "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n",
                "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n",
                "CA Issuers - URI:http://127.0.0.1:8080/ca/root.cer",
                "URI:http://127.0.0.1:8080/crl/root.crl",
                "Not Before: Nov 24 11:00:00 2026 GMT",
                "Not After : Nov 23 22:59:59 2036 GMT",
            ],
        ),
    ] {
        for piece in pieces {
            assert!(certificate.contains(piece), "{piece}\n{certificate}");
        }
    }
    assert_eq!(
        authority.issuing_not_after().to_string(),
        "2036-11-23T22:59:59Z"
    );
}

#[test]
fn a_6_keys_are_for_their_owner_from_the_start() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    assert_eq!(data.files(), FILES);
    assert_eq!(mode(&data.ca()), 0o700);
    for name in ["root.key", "intermediate.key", "unlock.key"] {
        assert_eq!(mode(&data.file(name)), 0o600, "{name}");
    }
    let (data, _) = Data::with_ca(KeyType::P256, Some(&passphrase("secret")));
    assert!(!data.file("unlock.key").exists());
}

#[test]
fn two_authorities_have_two_names() {
    let (_a, first) = Data::with_ca(KeyType::P256, None);
    let (_b, second) = Data::with_ca(KeyType::P256, None);
    for authority in [Authority::root, Authority::intermediate] {
        assert_ne!(
            authority(&first).subject_der(),
            authority(&second).subject_der()
        );
    }
}

#[test]
fn an_existing_authority_is_never_overwritten_not_even_a_part_of_one() {
    for kept in FILES {
        let (data, _) = Data::with_ca(KeyType::P256, None);
        for name in FILES.iter().filter(|name| **name != kept) {
            fs::remove_file(data.root.path().join(name)).unwrap();
        }
        let before = fs::read(data.root.path().join(kept)).unwrap();
        let error = data.create(KeyType::P256, None).unwrap_err();
        assert!(
            matches!(error, CreateError::Folder(FolderError::Exists(_))),
            "{kept}: {error}"
        );
        assert_eq!(data.files(), [kept]);
        assert_eq!(fs::read(data.root.path().join(kept)).unwrap(), before);
    }
}

#[test]
fn an_authority_that_appears_meanwhile_is_not_overwritten() {
    let data = Data::empty();
    let draft = Draft::begin(&data.ca()).unwrap();
    draft.write("root.pem", b"mine", 0o644).unwrap();
    fs::create_dir(data.ca()).unwrap();
    fs::write(data.file("root.pem"), "theirs").unwrap();
    assert!(matches!(draft.publish(), Err(FolderError::Exists(_))));
    assert_eq!(fs::read(data.file("root.pem")).unwrap(), b"theirs");
    assert_eq!(data.files(), ["ca/root.pem"]);
}

#[test]
fn an_empty_folder_is_taken_and_another_one_refused() {
    let data = Data::empty();
    fs::create_dir(data.ca()).unwrap();
    fs::write(data.file("letter.txt"), "dear").unwrap();
    let error = data.create(KeyType::P256, None).unwrap_err().to_string();
    assert!(error.contains("`letter.txt` is in the way"), "{error}");
    fs::remove_file(data.file("letter.txt")).unwrap();
    data.create(KeyType::P256, None).unwrap();
    assert_eq!(data.files(), FILES);
}

#[test]
fn a_crash_while_it_is_made_leaves_nothing_that_counts() {
    // As if the process had ended after each of the files, or within one.
    for written in 0..=FILES.len() {
        let data = Data::empty();
        let building = unfinished(&data.ca());
        fs::create_dir(&building).unwrap();
        for name in &FILES[..written] {
            fs::write(building.join(name.strip_prefix("ca/").unwrap()), "half").unwrap();
        }
        let error = Authority::open(&data.ca(), None).unwrap_err();
        assert!(
            matches!(error, OpenError::Folder(FolderError::Missing(_))),
            "{error}"
        );
        data.create(KeyType::P256, None).unwrap();
        assert_eq!(data.files(), FILES);
        Authority::open(&data.ca(), None).unwrap();
    }
}

#[test]
fn a_failure_while_it_is_made_leaves_nothing_at_all() {
    let data = Data::empty();
    let mut settings = CaSettings::new(KeyType::P256, None, PUBLIC_URL).unwrap();
    settings.country = "Nederland".into();
    let error = Authority::create(&data.ca(), &settings, now()).unwrap_err();
    assert!(error.to_string().contains("saw `Nederland`"), "{error}");
    settings.country = "NL".into();
    settings.organization = "x".repeat(65);
    assert!(Authority::create(&data.ca(), &settings, now()).is_err());
    settings.organization = "Voorbeeld B.V.".into();
    settings.public_url = "ldap://ca.example";
    assert!(Authority::create(&data.ca(), &settings, now()).is_err());
    assert_eq!(fs::read_dir(data.root.path()).unwrap().count(), 0);
    settings.public_url = PUBLIC_URL;
    Authority::create(&data.ca(), &settings, now()).unwrap();
    assert!(text(&data.file("root.pem")).contains("C = NL, O = Voorbeeld B.V."));
}

#[test]
fn every_file_but_the_roots_key_is_needed_to_issue() {
    for name in FILES {
        let (data, _) = Data::with_ca(KeyType::P256, None);
        let path = data.root.path().join(name);
        fs::remove_file(&path).unwrap();
        match Authority::open(&data.ca(), None) {
            Ok(authority) => {
                assert_eq!(name, "ca/root.key");
                assert!(authority.open_root_key(None).is_err());
            }
            Err(error) => {
                assert_ne!(name, "ca/root.key");
                let expected = format!("`{}` is missing", path.display());
                assert!(error.to_string().contains(&expected), "{error}");
            }
        }
    }
}

#[test]
fn files_of_two_authorities_do_not_mix() {
    for name in FILES {
        let (data, _) = Data::with_ca(KeyType::P256, None);
        let (other, _) = Data::with_ca(KeyType::P256, None);
        fs::copy(other.root.path().join(name), data.root.path().join(name)).unwrap();
        let opened =
            Authority::open(&data.ca(), None).and_then(|authority| authority.open_root_key(None));
        let error = opened.unwrap_err().to_string();
        let expected = match name {
            "ca/root.pem" | "ca/intermediate.pem" => {
                "`intermediate.pem`: `root.pem` did not sign it"
            }
            "ca/unlock.key" => "`unlock.key` does not fit",
            _ => "files of two CAs are mixed",
        };
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_leaf_is_no_authority() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let key = data.root.path().join("leaf.key");
    openssl(
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=x",
            "-addext",
            "basicConstraints=CA:FALSE",
            "-keyout",
            key.to_str().unwrap(),
            "-out",
        ],
        &[&data.file("root.pem")],
    )
    .unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(
        error.contains("`root.pem`: the certificate is not a CA's"),
        "{error}"
    );
    fs::write(data.file("root.pem"), [0xff; 20]).unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(error.contains("`root.pem`: it is not PEM"), "{error}");
    fs::write(data.file("root.pem"), vec![b'x'; 70_000]).unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(error.contains("more than 65536 bytes"), "{error}");
}

#[test]
fn key_types_have_the_names_of_the_configuration() {
    for key_type in KeyType::ALL {
        assert_eq!(key_type.name().parse(), Ok(key_type));
    }
    for word in ["rsa2048", "P256", "ed25519", ""] {
        let error = word.parse::<KeyType>().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("expected p256, p384, rsa3072 or rsa4096, saw `{word}`")
        );
    }
}
