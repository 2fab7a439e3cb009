//! The ceremony: a request, a signature elsewhere, a certificate that comes back. `openssl` reads both files.

use reseal_pki::certificate::{Certificate, pem};

use super::*;

const ROOT: [&str; 3] = ["root.pem", "root.key", "unlock.key"];

fn settings(passphrase: Option<&Passphrase>) -> RotationSettings<'_> {
    RotationSettings {
        algorithm: KeyType::P256,
        access: passphrase.into(),
        public_url: PUBLIC_URL,
    }
}

/// An authority without the root's key, and the folder of the host that has it.
fn two_hosts(passphrase: Option<&Passphrase>) -> (Data, Data) {
    let (online, _) = Data::with_ca(KeyType::P256, passphrase);
    let offline = Data::empty();
    fs::create_dir(offline.ca()).unwrap();
    for name in ROOT.iter().filter(|name| online.file(name).exists()) {
        fs::copy(online.file(name), offline.file(name)).unwrap();
    }
    fs::remove_file(online.file("root.key")).unwrap();
    (online, offline)
}

fn sign(offline: &Data, request: &str, at: Timestamp) -> Result<String, RotateError> {
    let made = sign_intermediate(&offline.ca(), request, &settings(None), at)?;
    Ok(made.certificate().pem())
}

fn accept(online: &Data, certificate: &str, at: Timestamp) -> Result<(), RotateError> {
    Rotation::with_certificate(&online.ca(), certificate, None, at)?.publish()
}

#[test]
fn p_13_the_root_signs_offline_and_no_private_key_travels() {
    for (secret, algorithm) in [
        (None, KeyType::P384),
        (Some(passphrase("correct horse")), KeyType::Rsa3072),
    ] {
        let secret = secret.as_ref();
        let (online, offline) = two_hosts(secret);
        let before = Authority::open(&online.ca(), secret).unwrap();
        let made = request_intermediate(&online.ca(), algorithm, secret, now()).unwrap();
        let file = online.root.path().join("request");
        fs::write(&file, &made.request).unwrap();
        let read = openssl(&["req", "-noout", "-text", "-verify", "-in"], &[&file]).unwrap();
        assert!(
            read.contains("verify OK") && read.contains("CN = Reseal Issuing CA"),
            "{read}"
        );
        assert_eq!(mode(&online.file(&made.key_file)), 0o600);
        // Nothing has changed yet.
        let still = Authority::open(&online.ca(), secret).unwrap();
        assert_eq!(
            still.intermediate().certificate_der(),
            before.intermediate().certificate_der()
        );

        let signed =
            sign_intermediate(&offline.ca(), &made.request, &settings(secret), now()).unwrap();
        assert_eq!(signed.public_key().spki_sha256(), made.key_sha256);
        assert_eq!(
            offline
                .files()
                .iter()
                .filter(|name| name.contains("intermediate"))
                .count(),
            0
        );
        let text = signed.certificate().pem();
        Rotation::with_certificate(&online.ca(), &text, secret, now())
            .unwrap()
            .publish()
            .unwrap();
        let opened = Authority::open(&online.ca(), secret).unwrap();
        assert_eq!(
            opened.intermediate().certificate_der(),
            signed.certificate_der()
        );
        let certificate = online.file(&format!("intermediate-{}.pem", made.id));
        let arguments = ["verify", "-x509_strict", "-CAfile"];
        openssl(&arguments, &[&online.file("root.pem"), &certificate]).unwrap();
    }
}

#[test]
fn only_a_request_that_proves_its_key_is_signed() {
    let (online, offline) = two_hosts(None);
    let made = request_intermediate(&online.ca(), KeyType::P256, None, now()).unwrap();
    let refused = |request: &str, at: Timestamp, why: &str| {
        let error = sign(&offline, request, at).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    };
    let mut der = reseal_pki::csr::Csr::parse(&made.request)
        .unwrap()
        .der()
        .to_vec();
    *der.last_mut().unwrap() ^= 1;
    refused(
        &pem("CERTIFICATE REQUEST", &der),
        now(),
        "not signed with the key",
    );
    refused("nothing", now(), "the request: ");
    refused(&made.request, now() + days(19 * 365), "a new CA is needed");
    // A key that is too small.
    let small = small_request();
    refused(&small, now(), "expected p256, p384, rsa3072 or rsa4096");
    fs::remove_file(offline.file("root.key")).unwrap();
    refused(&made.request, now(), "root.key` is missing");
}

/// A request with a key that no CA has here.
fn small_request() -> String {
    let folder = tempfile::tempdir().unwrap();
    let (key, request) = (folder.path().join("key"), folder.path().join("request"));
    let arguments = [
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout",
    ];
    openssl(&arguments, &[&key, Path::new("-out"), &request]).unwrap();
    fs::read_to_string(request).unwrap()
}

#[test]
fn only_a_certificate_by_this_root_for_a_key_that_waits_here_is_taken() {
    let (online, offline) = two_hosts(None);
    let (_, elsewhere) = two_hosts(None);
    let made = request_intermediate(&online.ca(), KeyType::P256, None, now()).unwrap();
    let good = sign(&offline, &made.request, now()).unwrap();
    let refused = |certificate: &str, at: Timestamp, why: &str| {
        let error = accept(&online, certificate, at).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    };
    let foreign = sign(&elsewhere, &made.request, now()).unwrap();
    refused(&foreign, now(), "did not sign it");
    let early = sign(&offline, &made.request, now() - days(2)).unwrap_err();
    assert!(
        early.to_string().contains("within the root's [V-9]"),
        "{early}"
    );
    refused(&good, now() - days(2), "the clock says");
    let present = fs::read_to_string(online.file("intermediate.pem")).unwrap();
    refused(&present, now(), "it is there already");
    refused(
        &fs::read_to_string(online.file("root.pem")).unwrap(),
        now(),
        "a name and a key of its own [P-13]",
    );
    let key = online.file(&made.key_file);
    let away = online.root.path().join("away");
    fs::rename(&key, &away).unwrap();
    refused(&good, now(), "is missing");
    fs::copy(online.file("intermediate.key"), &key).unwrap();
    refused(&good, now(), "files of two CAs are mixed");
    fs::rename(away, key).unwrap();
    accept(&online, &good, now()).unwrap();
    refused(&good, now(), "it is there already");
    let read = Certificate::from_pem_or_der(&good).unwrap();
    let opened = Authority::open(&online.ca(), None).unwrap();
    assert_eq!(opened.intermediate().certificate_der(), read.der());
    let later = now() + days(2);
    let [first, second] =
        [0; 2].map(|_| request_intermediate(&online.ca(), KeyType::P256, None, later).unwrap());
    let early = sign(&offline, &second.request, now() + days(1)).unwrap();
    let first = sign(&offline, &first.request, later).unwrap();
    accept(&online, &first, later).unwrap();
    refused(&early, later, "the clock was wrong");
}
