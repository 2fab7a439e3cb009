//! Keys in a token: SoftHSM makes and keeps them, `openssl` judges what they sign.

mod failing;
mod moving;
mod soft_hsm;

use reseal_lifecycle::issuer::Issuer as _;

use super::*;
use super::{crl, issuing};
use soft_hsm::with_token;

/// An authority whose keys `token` makes.
fn create(
    data: &Data,
    token: &Token,
    algorithm: KeyType,
    passphrase: Option<&Passphrase>,
) -> Result<Authority, CreateError> {
    let access = Access::new(passphrase, Some(token)).making_in_token();
    let settings = CaSettings::new(algorithm, access, PUBLIC_URL).unwrap();
    Authority::create(&data.ca(), &settings, now())
}

fn open(data: &Data, token: &Token) -> Authority {
    Authority::open(&data.ca(), Access::new(None, Some(token))).unwrap()
}

fn wait(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(work);
}

/// Everything that an authority signs, judged.
async fn judge(data: &Data, issuer: &EmbeddedIssuer) {
    let subscriber = Subscriber::p256(&["example.com"]);
    let leaf = issuing::issued(issuer, &subscriber.order()).await;
    issuing::verify(data, issuer, &leaf, "example.com");
    let last = issuer.crls().len() - 1;
    for (at, signer) in [(5, 0), (last, 1)] {
        let list = issuer.sign_crl(crl::order(issuer, at)).await.unwrap();
        crl::read(data, issuer, &list, signer);
    }
}

#[test]
fn p_13_a_6_keys_of_every_type_are_made_and_used_in_a_token() {
    with_token(|hsm| {
        for algorithm in [KeyType::P256, KeyType::P384, KeyType::Rsa3072] {
            let data = Data::empty();
            let mut settings = hsm.settings();
            settings.prefix = format!("ca.{algorithm}");
            let token = hsm.token_of(&settings);
            create(&data, &token, algorithm, None).unwrap();
            // Nothing to protect, and nothing that could be stolen.
            assert!(!data.file("unlock.key").exists());
            for name in ["root.key", "intermediate.key"] {
                let text = fs::read_to_string(data.file(name)).unwrap();
                assert!(text.contains("\"reseal-token-key\""), "{text}");
                assert_eq!(mode(&data.file(name)), 0o600);
            }
            let issuer = issuing::issuer(open(&data, &token));
            let kept = issuer.key_place().to_string();
            let label = format!("ca.{algorithm}-intermediate");
            assert_eq!(kept, format!("in the token `ca`, as `{label}`"));
            wait(judge(&data, &issuer));
        }
        // Of three CAs, the root and the intermediate of each.
        let shown = hsm.tool(&["--list-objects", "--type", "privkey"]);
        let guarded = "sensitive, always sensitive, never extractable, local";
        assert_eq!(shown.matches(guarded).count(), 6, "{shown}");
        let usages: Vec<_> = shown
            .lines()
            .filter(|line| line.contains("Usage:"))
            .collect();
        let only_sign = usages
            .iter()
            .filter(|line| line.trim() == "Usage:      sign");
        assert_eq!(only_sign.count(), 6, "{shown}");
    });
}

#[test]
fn p_13_one_of_two_tokens_of_a_label_issues_by_its_slot() {
    with_token(|hsm| {
        hsm.another(soft_hsm::LABEL);
        let slot = hsm.slots()[1];
        let mut settings = hsm.settings();
        settings.token = TokenName::Slot(slot);
        let (data, token) = (Data::empty(), hsm.token_of(&settings));
        create(&data, &token, KeyType::P256, None).unwrap();
        let issuer = issuing::issuer(open(&data, &token));
        let kept = issuer.key_place().to_string();
        assert_eq!(
            kept,
            format!("in the token in slot {slot}, as `reseal-intermediate`")
        );
        wait(judge(&data, &issuer));
        // In that one, and in no other.
        let keys = |slot: u64| {
            let shown = hsm.tool_at(slot, &["--list-objects", "--type", "privkey"]);
            shown.matches("Private Key Object").count()
        };
        assert_eq!((keys(slot), keys(hsm.slots()[0])), (2, 0));
    });
}

#[test]
fn a_key_of_the_tokens_own_tool_is_used_if_it_cannot_leave() {
    with_token(|hsm| {
        let (data, token) = (Data::empty(), hsm.token());
        hsm.make_key("reseal-root", "EC:prime256v1", &["--usage-sign"]);
        create(&data, &token, KeyType::P256, None).unwrap();
        let shown = hsm.tool(&["--list-objects", "--type", "privkey"]);
        assert_eq!(shown.matches("reseal-root").count(), 1, "{shown}");
        wait(judge(&data, &issuing::issuer(open(&data, &token))));
        // As after an attempt that was interrupted: what is there is taken up again.
        create(&Data::empty(), &token, KeyType::P256, None).unwrap();
        let shown = hsm.tool(&["--list-objects", "--type", "privkey"]);
        assert_eq!(shown.matches("Private Key Object").count(), 2, "{shown}");

        let refused = |prefix: &str| {
            let mut settings = hsm.settings();
            prefix.clone_into(&mut settings.prefix);
            let (data, token) = (Data::empty(), hsm.token_of(&settings));
            let error = create(&data, &token, KeyType::P256, None).unwrap_err();
            assert!(data.files().is_empty(), "{:?}", data.files());
            error.to_string()
        };
        hsm.make_key("long-root", "EC:secp384r1", &["--usage-sign"]);
        let said = refused("long");
        assert!(said.contains("it is p384, expected p256"), "{said}");
        hsm.make_key(
            "loose-root",
            "EC:prime256v1",
            &["--usage-sign", "--extractable"],
        );
        let said = refused("loose");
        assert!(said.contains("the token would hand it out"), "{said}");
        hsm.make_key("small-root", "rsa:2048", &["--usage-sign"]);
        let said = refused("small");
        assert!(said.contains("RSA with 2048 bits"), "{said}");
        for _ in 0..2 {
            hsm.make_key("twin-root", "EC:prime256v1", &["--usage-sign"]);
        }
        let said = refused("twin");
        assert!(said.contains("several with this label"), "{said}");
    });
}
