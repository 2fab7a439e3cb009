//! Revocation lists, judged by `openssl`.

use reseal_lifecycle::crl::{Coverage, CrlOrder};
use reseal_lifecycle::issuer::{Issuer as _, IssuerError};
use reseal_pki::certificate::pem;
use reseal_pki::crl::CrlEntry;
use reseal_pki::serial::Serial;

use super::issuing::{issuer, p256};
use super::*;

pub(super) fn order(issuer: &EmbeddedIssuer, at: usize) -> CrlOrder {
    let scope = issuer.crls().remove(at);
    let this_update = Timestamp::from_second(now().as_second()).unwrap();
    CrlOrder {
        name: scope.name,
        addresses: vec![scope.address],
        number: 7,
        previous: Some(6),
        this_update,
        next_update: this_update + scope.coverage.lifetime(),
        entries: Vec::new(),
    }
}

fn entry(ending: u8) -> CrlEntry {
    CrlEntry {
        serial: [&[0x11; 15][..], &[ending]].concat(),
        revoked_at: now() - days(1),
        reason: Some(1),
    }
}

/// What `openssl` reads, after it has verified the signature by the chain's certificate.
pub(super) fn read(data: &Data, issuer: &EmbeddedIssuer, der: &[u8], signer: usize) -> String {
    let (list, authority) = (data.file("list.crl"), data.file("signer.pem"));
    fs::write(&list, der).unwrap();
    fs::write(&authority, pem("CERTIFICATE", &issuer.chain()[signer])).unwrap();
    let shown = openssl(
        &["crl", "-inform", "DER", "-noout", "-text", "-CAfile"],
        &[&authority, Path::new("-in"), &list],
    )
    .unwrap();
    assert!(shown.contains("verify OK"), "{shown}");
    shown
}

#[tokio::test]
async fn x_8_every_serial_belongs_to_one_list_and_its_pointer_leads_there() {
    let (_data, issuer) = p256();
    let lists = issuer.crls();
    assert_eq!(lists.len(), usize::from(CRL_SHARDS) + 1);
    for ending in 0..=u8::MAX {
        let of: Vec<_> = lists
            .iter()
            .filter(|list| list.endings.contains(&ending))
            .collect();
        let serial = Serial::from_bytes(&[&[1; 15][..], &[ending]].concat()).unwrap();
        assert_eq!(of.len(), 1, "{ending}");
        assert_eq!(of[0].address, issuer.crl_url(&serial));
        assert!(of[0].address.ends_with(&format!("/crl/{}.crl", of[0].name)));
    }
    let root = lists.last().unwrap();
    assert_eq!(root.coverage, Coverage::Authorities);
    assert_eq!(root.address, format!("{PUBLIC_URL}/crl/root.crl"));
    assert!(root.endings.is_empty());
}

#[tokio::test]
async fn x_7_lists_of_every_key_type_are_good_to_openssl() {
    for key_type in KeyType::ALL {
        let (data, authority) = Data::with_ca(key_type, None);
        let issuer = issuer(authority);
        let shard = CrlOrder {
            entries: vec![entry(5), entry(5 + CRL_SHARDS)],
            ..order(&issuer, 5)
        };
        let der = issuer.sign_crl(shard).await.unwrap();
        let shown = read(&data, &issuer, &der, 0);
        assert_eq!(shown.matches("Key Compromise").count(), 2, "{shown}");
        assert!(shown.contains("/5.crl"), "{shown}");
        let root = order(&issuer, usize::from(CRL_SHARDS));
        let der = issuer.sign_crl(root).await.unwrap();
        let shown = read(&data, &issuer, &der, 1);
        assert!(shown.contains("No Revoked Certificates"), "{shown}");
        assert!(!shown.contains("Issuing Distribution Point"), "{shown}");
    }
}

#[tokio::test]
async fn x_8_what_belongs_on_another_list_is_not_signed() {
    let (_data, issuer) = p256();
    let stray = CrlOrder {
        entries: vec![entry(6)],
        ..order(&issuer, 5)
    };
    let error = issuer.sign_crl(stray).await.unwrap_err();
    assert!(
        matches!(&error, IssuerError::Lint(why) if why.contains("X-8")),
        "{error}"
    );
    let older = CrlOrder {
        previous: Some(7),
        ..order(&issuer, 5)
    };
    let error = issuer.sign_crl(older).await.unwrap_err();
    assert!(
        matches!(&error, IssuerError::Lint(why) if why.contains("X-7")),
        "{error}"
    );
    let id = order(&issuer, 0).name.replace("/0", "");
    for name in ["", "0", "/0", "rooted", "00/0", &format!("{id}/128"), &id] {
        let unknown = CrlOrder {
            name: name.to_owned(),
            ..order(&issuer, 0)
        };
        let error = issuer.sign_crl(unknown).await.unwrap_err();
        assert!(matches!(error, IssuerError::Refused(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn p_13_the_roots_list_needs_its_key_and_the_others_do_not() {
    let secret = passphrase("a good long passphrase");
    let (data, authority) = Data::with_ca(KeyType::P256, Some(&secret));
    let root = usize::from(CRL_SHARDS);
    let locked = issuer(authority);
    let error = locked.sign_crl(order(&locked, root)).await.unwrap_err();
    assert!(error.to_string().contains("passphrase"), "{error}");
    let file = data.root.path().join("passphrase");
    fs::write(&file, "a good long passphrase\n").unwrap();
    set_mode(&file, 0o600);
    let issuer = locked.with_passphrase_file(Some(file));
    issuer.sign_crl(order(&issuer, root)).await.unwrap();
    fs::rename(data.file("root.key"), data.root.path().join("safe")).unwrap();
    let error = issuer.sign_crl(order(&issuer, root)).await.unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("root.key") && told.contains("reseal ca crl root --sign"),
        "{told}"
    );
    issuer.sign_crl(order(&issuer, 0)).await.unwrap();
}
