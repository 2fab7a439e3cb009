//! Writes a folder of certificates for linters outside this project.
//!
//! ```text
//! cargo run -p reseal-pki --example golden -- FOLDER
//! ```
//!
//! For each key type of an authority: a root, an intermediate and leaves with
//! P-256, P-384 and RSA-2048 keys, DV and OV, under both policy arcs, each with
//! several sets of names, organizations and validities; those with the public policies also as they are shown to logs and
//! with the promises of logs, which here are nobody's. Beside them
//! `manifest.tsv`, a line a certificate: file, `pkilint` type, file of the issuer,
//! and the findings that are expected of it (`-` for none). The README in this
//! folder gives the reasons, and `judge.py` runs the linter over the corpus.

mod signer;
mod variant;

use std::{env, error::Error, fmt::Write as _, fs, path::Path, time::SystemTime};

use jiff::Timestamp;
use reseal_pki::{
    calendar::rules_at,
    certificate::{assemble, pem},
    key::PublicKey,
    lint::{LintContext, Linted, lint_leaf, lint_logged, lint_precertificate},
    name::{DnsName, NamePolicy},
    profile::{
        CaSubject, INTERMEDIATE_LIFETIME, IntermediateUrls, IssuingAuthority, Leaf, PolicyArc,
        ROOT_LIFETIME, SignatureAlgorithm, ValidationType, Validity, intermediate_tbs, leaf_tbs,
        root_tbs,
    },
    serial::Serial,
    transparency::{Sct, correspond, logged_tbs, precertificate_tbs},
};
use signer::{KeyType, Signer};
use variant::Variant;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const KEY_TYPES: [(KeyType, &str); 3] = [
    (KeyType::P256, "p256"),
    (KeyType::P384, "p384"),
    (KeyType::Rsa2048, "rsa2048"),
];

fn main() -> Outcome {
    let folder = env::args_os().nth(1).ok_or("usage: golden FOLDER")?;
    let mut corpus = Corpus {
        folder: folder.as_ref(),
        manifest: String::new(),
    };
    fs::create_dir_all(corpus.folder)?;
    let now = Timestamp::try_from(SystemTime::now())?;
    for (key_type, label) in KEY_TYPES {
        corpus.hierarchy(key_type, label, now)?;
    }
    fs::write(corpus.folder.join("manifest.tsv"), corpus.manifest)?;
    Ok(())
}

fn ca_subject(name: &str, label: &str) -> CaSubject {
    CaSubject {
        common_name: format!("{name} {label}"),
        organization: "Reseal".into(),
        country: "NL".into(),
    }
}

/// No finding is expected.
const NONE: &str = "-";

struct Corpus<'a> {
    folder: &'a Path,
    manifest: String,
}

impl Corpus<'_> {
    fn add(&mut self, name: &str, der: &[u8], kind: &str, issuer: &str, expected: &str) -> Outcome {
        fs::write(
            self.folder.join(format!("{name}.pem")),
            pem("CERTIFICATE", der),
        )?;
        writeln!(
            self.manifest,
            "{name}.pem\t{kind}\t{issuer}.pem\t{expected}"
        )?;
        Ok(())
    }

    /// A root, an intermediate and every kind of leaf below it.
    fn hierarchy(&mut self, key_type: KeyType, label: &str, now: Timestamp) -> Outcome {
        let root_key = Signer::generate(key_type);
        let root_spki = root_key.spki();
        let validity = Validity::new(now, ROOT_LIFETIME);
        let tbs = root_tbs(
            &ca_subject("Golden Root", label),
            &root_spki,
            &Serial::random()?,
            validity,
        )?;
        let algorithm = SignatureAlgorithm::for_key(&PublicKey::from_spki_der(&root_spki)?)
            .ok_or("no algorithm")?;
        let root_der = assemble(&tbs, algorithm, &root_key.sign(&tbs));
        let root = IssuingAuthority::from_der(&root_der)?;
        let root_name = format!("root-{label}");
        self.add(&root_name, &root_der, "ROOT-CA", &root_name, NONE)?;

        let intermediate_key = Signer::generate(key_type);
        let tbs = intermediate_tbs(
            &ca_subject("Golden Issuing CA", label),
            &intermediate_key.spki(),
            &Serial::random()?,
            Validity::new(now, INTERMEDIATE_LIFETIME),
            &root,
            IntermediateUrls {
                crl: "http://pki.reseal.dev/crl/root.crl",
                ca_issuers: "http://pki.reseal.dev/ca/root.cer",
            },
        )?;
        let der = assemble(&tbs, root.signature_algorithm(), &root_key.sign(&tbs));
        let intermediate_name = format!("intermediate-{label}");
        self.add(
            &intermediate_name,
            &der,
            "INTERNAL-UNCONSTRAINED-TLS-CA",
            &root_name,
            NONE,
        )?;

        let issuer = IssuingAuthority::from_der(&der)?;
        for (leaf_type, leaf_label) in KEY_TYPES {
            let key = PublicKey::from_spki_der(&Signer::generate(leaf_type).spki())?;
            for kind in KINDS {
                for variant in Variant::all() {
                    let made = kind.issue(&variant, &issuer, &intermediate_key, &key, now)?;
                    let name = format!(
                        "leaf-{}-{}-{leaf_label}-by-{label}",
                        kind.label, variant.label
                    );
                    let final_kind = format!("{}-FINAL-CERTIFICATE", kind.pkilint);
                    let above = &intermediate_name;
                    self.add(&name, &made.plain, &final_kind, above, kind.expected())?;
                    let Some((precertificate, logged)) = made.logged else {
                        continue;
                    };
                    let pre_kind = format!("{}-PRE-CERTIFICATE", kind.pkilint);
                    let pre = format!("pre{name}");
                    self.add(&pre, &precertificate, &pre_kind, above, kind.expected())?;
                    let logged_name = format!("{name}-logged");
                    self.add(&logged_name, &logged, &final_kind, above, kind.expected())?;
                }
            }
        }
        Ok(())
    }
}

/// One kind of leaf.
#[derive(Clone, Copy)]
struct Kind {
    label: &'static str,
    pkilint: &'static str,
    validation: ValidationType,
    arc: PolicyArc,
    common_name: bool,
}

const KINDS: [Kind; 5] = [
    dv("dv", PolicyArc::Cabf, false),
    dv("dv-cn", PolicyArc::Cabf, true),
    ov("ov", PolicyArc::Cabf),
    dv("dv-private", PolicyArc::Private, true),
    ov("ov-private", PolicyArc::Private),
];

const fn dv(label: &'static str, arc: PolicyArc, common_name: bool) -> Kind {
    Kind {
        label,
        pkilint: "DV",
        validation: ValidationType::Domain,
        arc,
        common_name,
    }
}

const fn ov(label: &'static str, arc: PolicyArc) -> Kind {
    Kind {
        label,
        pkilint: "OV",
        validation: ValidationType::Organization,
        arc,
        common_name: true,
    }
}

impl Kind {
    fn expected(self) -> &'static str {
        match self.arc {
            PolicyArc::Cabf => NONE,
            PolicyArc::Private => "cabf.serverauth.subscriber_missing_reserved_policy_oid",
        }
    }

    fn issue(
        self,
        variant: &Variant,
        issuer: &IssuingAuthority,
        signer: &Signer,
        key: &PublicKey,
        now: Timestamp,
    ) -> Outcome<Made> {
        let policy = NamePolicy::default();
        let names = variant
            .names
            .iter()
            .map(|name| DnsName::parse(name, &policy))
            .collect::<Result<Vec<_>, _>>()?;
        // A longer name stands among the alternative names only (C-8).
        let common_name =
            Some(names[0].as_str()).filter(|name| self.common_name && name.len() <= 64);
        let serial = Serial::random()?;

        let tbs = leaf_tbs(&Leaf {
            serial: &serial,
            issuer,
            public_key: key,
            names: &names,
            common_name,
            subject: (self.validation != ValidationType::Domain).then_some(&variant.organization),
            validation: self.validation,
            policy: self.arc,
            validity: Validity::new(
                now,
                variant.validity.unwrap_or(rules_at(now).default_validity),
            ),
            crl_url: "http://pki.reseal.dev/crl/1/0.crl",
            ca_issuers_url: "http://pki.reseal.dev/ca/intermediate.cer",
            ocsp_url: None,
        })?;
        let context = LintContext {
            issuer,
            policy: self.arc,
            validation: self.validation,
            signing_time: now,
            ocsp: false,
        };
        let signed = |linted: Linted| {
            let signature = signer.sign(linted.tbs());
            linted.finish(&signature)
        };
        let linted = lint_leaf(tbs, &context).map_err(|findings| format!("{findings:?}"))?;
        let logged = if self.arc == PolicyArc::Cabf {
            let tbs = precertificate_tbs(linted.tbs())?;
            let precertificate = lint_precertificate(tbs, &context);
            let precertificate = signed(precertificate.map_err(|found| format!("{found:?}"))?);
            let tbs = logged_tbs(linted.tbs(), &promises(now))?;
            let logged = lint_logged(tbs, &context).map_err(|found| format!("{found:?}"))?;
            let logged = signed(logged);
            correspond(&precertificate, &logged)?;
            Some((precertificate, logged))
        } else {
            None
        };
        Ok(Made {
            plain: signed(linted),
            logged,
        })
    }
}

/// One leaf in its forms.
struct Made {
    plain: Vec<u8>,
    /// Precertificate, and certificate with promises; none for an authority that shows nothing to logs.
    logged: Option<(Vec<u8>, Vec<u8>)>,
}

/// Promises of three logs that there are not.
fn promises(now: Timestamp) -> Vec<Sct> {
    let promises = (1..=3).map(|number| Sct {
        log_id: [number; 32],
        timestamp: now.as_millisecond().cast_unsigned(),
        extensions: Vec::new(),
        hash: 4,
        algorithm: 3,
        signature: vec![0x30, 0x06, 0x02, 0x01, 0x07, 0x02, 0x01, 0x09],
    });
    promises.collect()
}
