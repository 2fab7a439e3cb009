//! The authority against real files and with `openssl` as the judge.

mod ceremony;
mod creating;
mod crl;
mod inspecting;
mod issuing;
mod keeping;
mod resuming;
mod rotating;
mod token;
mod transparency;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::issuer::CertificateOrder;
use reseal_pki::{key::PublicKey, name::DnsName, profile::ValidationType};

use super::*;

const PUBLIC_URL: &str = "http://127.0.0.1:8080";
const NOW: &str = "2026-11-24T12:00:00.250Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes())
        .unwrap()
        .with_cost(Cost::worthless_for_tests())
}

/// A data folder with an authority in it.
struct Data {
    root: tempfile::TempDir,
}

impl Data {
    fn empty() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn with_ca(key_type: KeyType, passphrase: Option<&Passphrase>) -> (Self, Authority) {
        let data = Self::empty();
        let authority = data.create(key_type, passphrase).unwrap();
        (data, authority)
    }

    fn create(
        &self,
        key_type: KeyType,
        passphrase: Option<&Passphrase>,
    ) -> Result<Authority, CreateError> {
        let settings = CaSettings::new(key_type, passphrase, PUBLIC_URL).unwrap();
        Authority::create(&self.ca(), &settings, now())
    }

    fn ca(&self) -> PathBuf {
        self.root.path().join("ca")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.ca().join(name)
    }

    /// Every file below the data folder.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.root.path()).unwrap();
                    found.push(name.display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

/// A subscriber with a key and names, all proved.
struct Subscriber {
    public_key: PublicKey,
    names: Vec<DnsName>,
}

impl Subscriber {
    fn p256(names: &[&str]) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::new(key.public_key().as_der().unwrap().as_ref(), names)
    }

    fn rsa2048(names: &[&str]) -> Self {
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        Self::new(key.public_key().as_der().unwrap().as_ref(), names)
    }

    fn new(spki: &[u8], names: &[&str]) -> Self {
        Self {
            public_key: PublicKey::from_spki_der(spki).unwrap(),
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
        }
    }

    fn order(&self) -> CertificateOrder<'_> {
        CertificateOrder {
            public_key: &self.public_key,
            names: &self.names,
            common_name: Some(self.names[0].as_str()),
            subject: None,
            validation: ValidationType::Domain,
            not_after_limit: now() + days(365),
            now: now(),
        }
    }
}

/// Runs openssl; its answer is standard output and error together.
fn openssl(arguments: &[&str], files: &[&Path]) -> Result<String, String> {
    let Output {
        status,
        mut stdout,
        stderr,
    } = Command::new("openssl")
        .args(arguments)
        .args(files)
        .output()
        .expect("the tests need openssl");
    stdout.extend(stderr);
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        Ok(text)
    } else {
        Err(text)
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
