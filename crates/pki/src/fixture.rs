//! Authorities and leaves for the tests of this crate.

#[path = "../examples/golden/signer.rs"]
mod signer;

use jiff::{SignedDuration, Timestamp};
pub(crate) use signer::{KeyType, Signer};

use crate::{
    certificate::assemble,
    dn::OrganizationSubject,
    key::PublicKey,
    lint::{LintContext, lint_leaf},
    name::DnsName,
    profile::{
        CaSubject, INTERMEDIATE_LIFETIME, IntermediateUrls, IssuingAuthority, Leaf, PolicyArc,
        ROOT_LIFETIME, SignatureAlgorithm, ValidationType, Validity, intermediate_tbs, leaf_tbs,
        root_tbs,
    },
    serial::Serial,
};

pub(crate) const SIGNING_TIME: &str = "2026-11-24T12:00:00Z";

pub(crate) const URLS: IntermediateUrls<'_> = IntermediateUrls {
    crl: "http://pki.reseal.dev/crl/root.crl",
    ca_issuers: "http://pki.reseal.dev/ca/root.cer",
};

impl Signer {
    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::from_spki_der(&self.spki()).unwrap()
    }
}

pub(crate) fn organization() -> OrganizationSubject {
    OrganizationSubject {
        organization: "Zürcher Käserei AG".into(),
        country: "CH".into(),
        state: Some("Zürich".into()),
        locality: Some("Winterthur".into()),
        postal_code: Some("8400".into()),
        street: Some("Marktgasse 1".into()),
    }
}

/// A root and an intermediate below it.
pub(crate) struct Hierarchy {
    pub(crate) root: IssuingAuthority,
    pub(crate) issuer: IssuingAuthority,
    signer: Signer,
    serial: Serial,
}

impl Hierarchy {
    pub(crate) fn new(key_type: KeyType) -> Self {
        let subject = |common_name: &str| CaSubject {
            common_name: common_name.into(),
            organization: "Reseal".into(),
            country: "NL".into(),
        };
        let now: Timestamp = SIGNING_TIME.parse().unwrap();
        let root_key = Signer::generate(key_type);
        let tbs = root_tbs(
            &subject("Test Root"),
            &root_key.spki(),
            &Serial::random().unwrap(),
            Validity::new(now, ROOT_LIFETIME),
        )
        .unwrap();
        let algorithm = SignatureAlgorithm::for_key(&root_key.public_key()).unwrap();
        let root =
            IssuingAuthority::from_der(&assemble(&tbs, algorithm, &root_key.sign(&tbs))).unwrap();
        let signer = Signer::generate(key_type);
        let tbs = intermediate_tbs(
            &subject("Test Issuing CA"),
            &signer.spki(),
            &Serial::random().unwrap(),
            Validity::new(now, INTERMEDIATE_LIFETIME),
            &root,
            URLS,
        )
        .unwrap();
        let der = assemble(&tbs, root.signature_algorithm(), &root_key.sign(&tbs));
        let issuer = IssuingAuthority::from_der(&der).unwrap();
        Self {
            root,
            issuer,
            signer,
            serial: Serial::random().unwrap(),
        }
    }

    pub(crate) fn validity(&self) -> Validity {
        Validity::new(
            self.issuer.not_before(),
            SignedDuration::from_hours(199 * 24),
        )
    }

    /// A DV leaf without a common name.
    pub(crate) fn leaf<'a>(&'a self, public_key: &'a PublicKey, names: &'a [DnsName]) -> Leaf<'a> {
        Leaf {
            serial: &self.serial,
            issuer: &self.issuer,
            public_key,
            names,
            common_name: None,
            subject: None,
            validation: ValidationType::Domain,
            policy: PolicyArc::Cabf,
            validity: self.validity(),
            crl_url: "http://pki.reseal.dev/crl/1/0.crl",
            ca_issuers_url: "http://pki.reseal.dev/ca/intermediate.cer",
            ocsp_url: Some("http://pki.reseal.dev/ocsp"),
        }
    }

    pub(crate) fn context(&self, leaf: &Leaf<'_>) -> LintContext<'_> {
        LintContext {
            issuer: &self.issuer,
            policy: leaf.policy,
            validation: leaf.validation,
            signing_time: SIGNING_TIME.parse().unwrap(),
            ocsp: true,
        }
    }

    /// The intermediate's signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signer.sign(message)
    }

    /// Builds, lints and signs.
    pub(crate) fn issue(&self, leaf: &Leaf<'_>) -> Vec<u8> {
        let linted = lint_leaf(leaf_tbs(leaf).unwrap(), &self.context(leaf)).unwrap();
        let signature = self.signer.sign(linted.tbs());
        linted.finish(&signature)
    }
}
