use super::*;

/// Golden certificates: the same input gives the same bytes as when they were
/// reviewed. `testdata/profile/README.md` says how they were made.
#[test]
fn golden_leaves_are_what_was_reviewed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/profile");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}"));
    let issuer = IssuingAuthority::from_der(&read("issuer.cer").unwrap()).unwrap();
    let names = names(&["www.reseal.dev", "reseal.dev", "*.apps.reseal.dev"]);
    let organization = organization();
    let serial =
        Serial::from_bytes(&hex::decode("5eed0102030405060708090a0b0c0d0e").unwrap()).unwrap();
    let not_before: Timestamp = SIGNING_TIME.parse().unwrap();
    for key in ["p256", "rsa2048"] {
        let public_key = PublicKey::from_spki_der(&read(&format!("{key}.spki")).unwrap()).unwrap();
        for (validation, label) in [
            (ValidationType::Domain, "dv"),
            (ValidationType::Organization, "ov"),
        ] {
            for (policy, arc) in [(PolicyArc::Cabf, "cabf"), (PolicyArc::Private, "private")] {
                let ov = validation == ValidationType::Organization;
                let tbs = leaf_tbs(&Leaf {
                    serial: &serial,
                    issuer: &issuer,
                    public_key: &public_key,
                    names: &names,
                    common_name: ov.then_some("www.reseal.dev"),
                    subject: ov.then_some(&organization),
                    validation,
                    policy,
                    validity: Validity::new(not_before, SignedDuration::from_hours(199 * 24)),
                    crl_url: "http://pki.reseal.dev/crl/1/0.crl",
                    ca_issuers_url: "http://pki.reseal.dev/ca/intermediate.cer",
                    ocsp_url: None,
                })
                .unwrap();
                let context = LintContext {
                    issuer: &issuer,
                    policy,
                    validation,
                    signing_time: not_before,
                };
                let linted = lint_leaf(tbs, &context).unwrap();
                let name = format!("{label}-{key}-{arc}.tbs");
                if std::env::var_os("RESEAL_WRITE_GOLDEN").is_some() {
                    std::fs::write(format!("{folder}/{name}"), linted.tbs()).unwrap();
                }
                assert_eq!(read(&name).unwrap(), linted.tbs(), "{name}");
            }
        }
    }
}
