//! Keys that go into a token, and those that follow them.

use reseal_pki::profile::PolicyArc;

use super::soft_hsm::with_token;
use super::*;

#[test]
fn a_6_keys_from_files_go_into_the_token_and_the_chain_stays() {
    with_token(|hsm| {
        for (algorithm, secret) in [
            (KeyType::P256, None),
            (KeyType::P384, Some(passphrase("correct horse"))),
            (KeyType::Rsa3072, None),
        ] {
            let mut settings = hsm.settings();
            settings.prefix = format!("ca.{algorithm}");
            let token = hsm.token_of(&settings);
            let (data, before) = Data::with_ca(algorithm, secret.as_ref());
            let access = Access::new(secret.as_ref(), Some(&token)).making_in_token();
            let files = |data: &Data| {
                let migration = Migration::prepare(&data.ca()).unwrap();
                migration.files().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(files(&data), ["root.key", "intermediate.key"]);
            // Interrupted when the token has the key: the file is as good as before.
            let mut migration = Migration::prepare(&data.ca()).unwrap();
            drop(migration.next(access).unwrap().unwrap());
            drop(migration);
            assert_eq!(files(&data).len(), 2);
            Authority::open(&data.ca(), secret.as_ref()).unwrap();
            // Or when it has the public half only.
            let label = format!("ca.{algorithm}-intermediate");
            hsm.tool(&["--delete-object", "--type", "privkey", "--label", &label]);

            let mut migration = Migration::prepare(&data.ca()).unwrap();
            while let Some(migrated) = migration.next(access).unwrap() {
                migrated.publish().unwrap();
            }
            drop(migration);
            assert!(files(&data).is_empty());
            let error = Authority::open(&data.ca(), secret.as_ref()).unwrap_err();
            assert!(error.to_string().contains("none is configured"), "{error}");
            let after = open(&data, &token);
            assert_eq!(
                after.intermediate().certificate_der(),
                before.intermediate().certificate_der()
            );
            wait(judge(&data, &issuing::issuer(after)));
        }
        let shown = hsm.tool(&["--list-objects", "--type", "privkey"]);
        assert_eq!(shown.matches("Private Key Object").count(), 6, "{shown}");
        assert_eq!(
            shown.matches("Access:     sensitive\n").count(),
            6,
            "{shown}"
        );
    });
}

#[test]
fn a_key_is_not_taken_in_under_the_label_of_another() {
    with_token(|hsm| {
        let token = hsm.token();
        let (data, _) = Data::with_ca(KeyType::P256, None);
        hsm.make_key("reseal-intermediate", "EC:prime256v1", &["--usage-sign"]);
        let access = Access::new(None, Some(&token)).making_in_token();
        let mut migration = Migration::prepare(&data.ca()).unwrap();
        let error = migration.next(access).unwrap_err().to_string();
        assert!(
            error.contains("it is another key: choose another"),
            "{error}"
        );
        drop(migration);
        Authority::open(&data.ca(), None).unwrap();
    });
}

#[test]
fn p_13_a_rotation_makes_the_next_key_in_the_token() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        create(&data, &token, KeyType::P256, None).unwrap();
        let settings = RotationSettings {
            algorithm: KeyType::P384,
            access: Access::new(None, Some(&token)).making_in_token(),
            public_url: PUBLIC_URL,
        };
        let later = now() + days(1);
        // One that never was published leaves a key that the next one takes.
        let first = Rotation::prepare(&data.ca(), &settings, later)
            .unwrap()
            .id();
        let rotation = Rotation::prepare(&data.ca(), &settings, later).unwrap();
        assert_eq!(rotation.id(), first);
        rotation.publish().unwrap();
        let (current, retired) =
            EmbeddedIssuer::all(open(&data, &token), PolicyArc::Private, PUBLIC_URL).unwrap();
        let place = |issuer: &EmbeddedIssuer| issuer.key_place().to_string();
        assert!(place(&current).ends_with("`reseal-intermediate-2`"));
        assert!(place(&retired[0]).ends_with("`reseal-intermediate`"));
        wait(async {
            for issuer in retired.iter().chain([&current]) {
                issuer.signing_key().unwrap().prove().await.unwrap();
            }
        });
        // With the root elsewhere: the key waits in the token.
        let access = settings.access;
        let at = later + days(1);
        let made = request_intermediate(&data.ca(), KeyType::P256, access, at).unwrap();
        let signed = sign_intermediate(&data.ca(), &made.request, &settings, at).unwrap();
        let pem = signed.certificate().pem();
        let rotation = Rotation::with_certificate(&data.ca(), &pem, access, at).unwrap();
        rotation.publish().unwrap();
        let issuer = issuing::issuer(open(&data, &token));
        assert!(place(&issuer).ends_with("`reseal-intermediate-3`"));
        // Back to files only with something to encrypt them under.
        let in_files = RotationSettings {
            access: Access::new(None, Some(&token)),
            ..settings
        };
        let at = at + days(1);
        let error = Rotation::prepare(&data.ca(), &in_files, at).unwrap_err();
        assert!(
            error.to_string().contains("set `ca.passphrase_file`"),
            "{error}"
        );
        let secret = passphrase("correct horse");
        let in_files = RotationSettings {
            access: Access::new(Some(&secret), Some(&token)),
            ..in_files
        };
        let rotation = Rotation::prepare(&data.ca(), &in_files, at).unwrap();
        rotation.publish().unwrap();
        let opened = Authority::open(&data.ca(), in_files.access).unwrap();
        let place = issuing::issuer(opened).key_place();
        assert_eq!(place, KeyPlace::File);
    });
}
