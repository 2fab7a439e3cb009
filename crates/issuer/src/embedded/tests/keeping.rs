//! Keys at rest.

use serde_json::Value;

use super::*;
use crate::embedded::{
    keyfile::KeyFile,
    secret::{Secret, UnlockKey},
};

fn sealed(secret: Secret<'_>) -> (SoftwareKey, Vec<u8>) {
    let key = SoftwareKey::generate(KeyType::P256).unwrap();
    let bytes = KeyFile::seal(&key, secret).unwrap().to_bytes().unwrap();
    (key, bytes)
}

fn open(bytes: &[u8], secret: Secret<'_>) -> Result<SoftwareKey, KeyFileError> {
    KeyFile::parse(bytes)?.open(secret)
}

#[test]
fn a_key_comes_back_as_it_was() {
    let passphrase = passphrase("correct horse");
    let unlock_key = UnlockKey::generate().unwrap();
    for secret in [
        Secret::Passphrase(&passphrase),
        Secret::UnlockKey(&unlock_key),
    ] {
        for key_type in [KeyType::P256, KeyType::P384, KeyType::Rsa3072] {
            let key = SoftwareKey::generate(key_type).unwrap();
            let bytes = KeyFile::seal(&key, secret).unwrap().to_bytes().unwrap();
            let opened = open(&bytes, secret).unwrap();
            assert_eq!(opened.public_key(), key.public_key());
            assert_eq!(opened.to_pkcs8().unwrap(), key.to_pkcs8().unwrap());
        }
    }
}

#[test]
fn nothing_of_the_key_or_passphrase_is_in_the_file_or_shown() {
    let passphrase = passphrase("correct horse");
    let (key, bytes) = sealed(Secret::Passphrase(&passphrase));
    let text = String::from_utf8(bytes).unwrap();
    // The private scalar of P-256 begins 36 bytes into PKCS#8.
    let scalar = hex::encode(&key.to_pkcs8().unwrap()[36..68]);
    for secret in ["correct horse", &hex::encode("correct horse"), &scalar] {
        assert!(!text.contains(secret));
    }
    assert!(!format!("{key:?}{passphrase:?}").contains("horse"));
    assert!(!format!("{key:?}").contains(&scalar));
}

#[test]
fn the_same_key_never_looks_the_same_twice() {
    let passphrase = passphrase("correct horse");
    let key = SoftwareKey::generate(KeyType::P256).unwrap();
    let fields = || -> Value {
        let file = KeyFile::seal(&key, Secret::Passphrase(&passphrase)).unwrap();
        serde_json::from_slice(&file.to_bytes().unwrap()).unwrap()
    };
    let (first, second) = (fields(), fields());
    for pointer in ["/nonce", "/ciphertext", "/header/protection/salt"] {
        assert_ne!(
            first.pointer(pointer).unwrap(),
            second.pointer(pointer).unwrap()
        );
    }
}

#[test]
fn a_wrong_secret_is_named_as_such() {
    let right = passphrase("correct horse");
    let wrong = passphrase("correct  horse");
    let (_, bytes) = sealed(Secret::Passphrase(&right));
    let unlock_key = UnlockKey::generate().unwrap();
    assert!(matches!(
        open(&bytes, Secret::Passphrase(&wrong)),
        Err(KeyFileError::WrongPassphrase)
    ));
    assert!(matches!(
        open(&bytes, Secret::UnlockKey(&unlock_key)),
        Err(KeyFileError::PassphraseNeeded)
    ));
    let (_, bytes) = sealed(Secret::UnlockKey(&unlock_key));
    assert!(matches!(
        open(&bytes, Secret::UnlockKey(&UnlockKey::generate().unwrap())),
        Err(KeyFileError::WrongUnlockKey)
    ));
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_and_is_no_wrong_passphrase() {
    let passphrase = passphrase("correct horse");
    let (key, bytes) = sealed(Secret::Passphrase(&passphrase));
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x01;
        match open(&flipped, Secret::Passphrase(&passphrase)) {
            // White space between the fields carries nothing.
            Ok(opened) => {
                assert!(bytes[position].is_ascii_whitespace(), "byte {position}");
                assert_eq!(opened.public_key(), key.public_key());
            }
            Err(
                KeyFileError::Unreadable(_) | KeyFileError::Damaged(_) | KeyFileError::Version(_),
            ) => {}
            Err(error) => panic!("byte {position}: {error}"),
        }
    }
}

#[test]
fn a_truncated_file_is_noticed() {
    let passphrase = passphrase("correct horse");
    let (_, bytes) = sealed(Secret::Passphrase(&passphrase));
    // Less the last line end, the file is still whole.
    for length in 0..bytes.len() - 1 {
        let error = KeyFile::parse(&bytes[..length]).err();
        assert!(
            matches!(error, Some(KeyFileError::Unreadable(_))),
            "{length} bytes"
        );
    }
}

/// Changes a field and makes the checksum fit again, as somebody would who means
/// harm.
fn forged(bytes: &[u8], pointer: &str, value: Value) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(bytes).unwrap();
    *file.pointer_mut(pointer).unwrap() = value;
    let field = |name: &str| hex::decode(file[name].as_str().unwrap()).unwrap();
    let header = serde_json::to_vec(&file["header"]).unwrap();
    let covered = [header, field("nonce"), field("ciphertext")].concat();
    let checksum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &covered);
    file["sha256"] = hex::encode(checksum).into();
    serde_json::to_vec(&file).unwrap()
}

#[test]
fn the_header_is_bound_to_the_key() {
    let passphrase = passphrase("correct horse");
    let secret = Secret::Passphrase(&passphrase);
    let (key, bytes) = sealed(secret);
    let same = serde_json::from_slice::<Value>(&bytes).unwrap()["header"]["key_type"].clone();
    // The forger's tool works: without a change the file still opens.
    let opened = open(&forged(&bytes, "/header/key_type", same), secret).unwrap();
    assert_eq!(opened.public_key(), key.public_key());
    for (pointer, value) in [
        ("/header/key_type", "p384".into()),
        ("/header/public_key_sha256", "00".repeat(32).into()),
        ("/header/protection/cost/passes", 2.into()),
        ("/ciphertext", "00".repeat(200).into()),
    ] {
        let error = open(&forged(&bytes, pointer, value), secret).unwrap_err();
        assert!(
            matches!(error, KeyFileError::WrongPassphrase),
            "{pointer}: {error}"
        );
    }
}

#[test]
fn a_header_cannot_ask_for_all_memory_or_for_hours() {
    let passphrase = passphrase("correct horse");
    let (_, bytes) = sealed(Secret::Passphrase(&passphrase));
    for (pointer, value) in [
        ("/header/protection/cost/memory_kib", u64::from(u32::MAX)),
        ("/header/protection/cost/memory_kib", 0),
        ("/header/protection/cost/passes", u64::from(u32::MAX)),
        ("/header/protection/cost/passes", 0),
    ] {
        let error = KeyFile::parse(&forged(&bytes, pointer, value.into())).err();
        assert!(
            matches!(error, Some(KeyFileError::Damaged(_))),
            "{pointer} {value}"
        );
    }
    for (pointer, value) in [
        ("/header/protection/kdf", "pbkdf2"),
        ("/header/cipher", "rot13"),
        ("/header/format", "other"),
    ] {
        let error = KeyFile::parse(&forged(&bytes, pointer, value.into())).err();
        assert!(
            matches!(error, Some(KeyFileError::Damaged(_))),
            "{pointer} {value}"
        );
    }
}

#[test]
fn a_file_of_a_later_version_says_so() {
    let passphrase = passphrase("correct horse");
    let (_, bytes) = sealed(Secret::Passphrase(&passphrase));
    let error = KeyFile::parse(&forged(&bytes, "/header/version", 2.into())).err();
    assert!(matches!(error, Some(KeyFileError::Version(2))));
    let error = KeyFile::parse(br#"{"header": {"version": 7, "shares": 3}}"#).err();
    assert!(matches!(error, Some(KeyFileError::Version(7))));
}

#[test]
fn by_default_a_guess_costs_64_mebibytes_and_three_passes() {
    let default = Passphrase::new(b"correct horse").unwrap();
    let (key, bytes) = sealed(Secret::Passphrase(&default));
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(file["header"]["protection"]["kdf"], "argon2id");
    assert_eq!(file["header"]["protection"]["cost"]["memory_kib"], 65_536);
    assert_eq!(file["header"]["protection"]["cost"]["passes"], 3);
    let opened = open(&bytes, Secret::Passphrase(&default)).unwrap();
    assert_eq!(opened.public_key(), key.public_key());
}

#[test]
fn a_passphrase_file_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passphrase");
    let (_, bytes) = sealed(Secret::Passphrase(&passphrase(" correct horse ")));
    for text in [
        " correct horse ",
        " correct horse \n",
        " correct horse \r\n",
    ] {
        fs::write(&path, text).unwrap();
        let read = Passphrase::read(&path).unwrap();
        assert!(open(&bytes, Secret::Passphrase(&read)).is_ok(), "{text:?}");
    }
    for (text, expected) in [
        ("", "empty"),
        ("\n", "empty"),
        (&*"x".repeat(4097), "4096 bytes"),
    ] {
        fs::write(&path, text).unwrap();
        let error = Passphrase::read(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Passphrase::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
}

#[test]
fn a_damaged_unlock_key_is_named_as_such() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let text = fs::read(data.file("unlock.key")).unwrap();
    assert_eq!(text.len(), 65);
    for damaged in [
        &text[..63],
        &[],
        &[b'x'; 64],
        &[text.as_slice(), b"00"].concat(),
    ] {
        fs::write(data.file("unlock.key"), damaged).unwrap();
        let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits"), "{error}");
    }
    fs::write(data.file("unlock.key"), &text[..64]).unwrap();
    Authority::open(&data.ca(), None).unwrap();
}

#[test]
fn an_authority_opens_with_its_own_passphrase_only() {
    let right = passphrase("correct horse");
    let (data, authority) = Data::with_ca(KeyType::P384, Some(&right));
    assert!(authority.open_root_key(Some(&right)).is_ok());
    Authority::open(&data.ca(), Some(&right)).unwrap();
    for (given, expected) in [
        (
            None,
            "`intermediate.key`: it is protected by a passphrase: set `ca.passphrase_file`",
        ),
        (
            Some(passphrase("wrong")),
            "`intermediate.key`: the passphrase is wrong",
        ),
    ] {
        let error = Authority::open(&data.ca(), given.as_ref())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_key_of_another_type_is_not_taken_for_it() {
    let p256 = SoftwareKey::generate(KeyType::P256)
        .unwrap()
        .to_pkcs8()
        .unwrap();
    let rsa = SoftwareKey::generate(KeyType::Rsa3072)
        .unwrap()
        .to_pkcs8()
        .unwrap();
    for (key_type, pkcs8) in [
        (KeyType::P384, &p256),
        (KeyType::Rsa3072, &p256),
        (KeyType::P256, &rsa),
        (KeyType::Rsa4096, &rsa),
    ] {
        let error = SoftwareKey::from_pkcs8(key_type, pkcs8).unwrap_err();
        assert_eq!(error, SignError::Unreadable(key_type));
    }
}
