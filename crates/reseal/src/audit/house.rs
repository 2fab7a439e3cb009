//! What a server says of itself: that it started and stopped, that it did not stop in order, and what of its
//! program, configuration, products and CA is not as it was at the start before.

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use reseal_lifecycle::Services;
use reseal_lifecycle::audit::{AuditEntry, AuditStore, SERVER, object};
use reseal_pki::certificate::Certificate;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::data::DataFolder;
use crate::wire_up::EMBEDDED;

const START: &str = "server.start";
const STOP: &str = "server.stop";

/// Digests of parts, by their names.
type Digests = BTreeMap<String, String>;

/// What the entries of the server on `data` are about: of those on a database that is `shared`, this one.
pub(crate) fn server(data: &DataFolder, shared: bool) -> anyhow::Result<String> {
    Ok(if shared {
        format!("{}/{}", object::SERVER, data.node()?)
    } else {
        object::SERVER.to_owned()
    })
}

/// Records that `server` starts, and everything that is new about it, in one commit.
pub(crate) async fn started(
    store: &dyn AuditStore,
    server: &str,
    config: &Config,
    services: &Services,
) -> anyhow::Result<()> {
    let now = services.clock().now();
    let mut entries = Vec::new();
    let before = store.last_audit_of(server).await?;
    let program = env!("CARGO_PKG_VERSION");
    if let Some(before) = &before {
        entries.extend(crashed(now, server, before));
        let was = before.detail.get("program").and_then(Value::as_str);
        if let Some(was) = was.filter(|was| *was != program) {
            let entry = AuditEntry::new(now, SERVER, "program.change", "program");
            entries.push(entry.with("from", was).with("to", program));
        }
    }
    let parts = [
        (object::CONFIGURATION, sections(config)),
        (object::CATALOGUE, products(services)),
    ];
    for (object, digests) in parts {
        let before = store.last_audit_of(object).await?;
        entries.extend(changed(now, object, before.as_ref(), &digests));
    }
    entries.extend(loaded(now, services)?);
    let entry = AuditEntry::new(now, SERVER, START, server);
    let profile = format!("{:?}", config.policy.profile).to_lowercase();
    entries.push(entry.with("program", program).with("profile", profile));
    Ok(store.append_audit(entries).await?)
}

/// The entry that `server`, which does not run, did not stop in order, if `before` is the last one of it and says so.
fn crashed(now: Timestamp, server: &str, before: &AuditEntry) -> Option<AuditEntry> {
    (before.action != STOP).then(|| {
        let entry = AuditEntry::new(now, SERVER, "server.crash", server);
        entry.with("last", format!("{:.3}", before.at))
    })
}

/// The same of the only server of a database that moves to where several may be.
pub(crate) async fn crashed_before_move(
    store: &dyn AuditStore,
    now: Timestamp,
) -> anyhow::Result<Option<AuditEntry>> {
    let before = store.last_audit_of(object::SERVER).await?;
    Ok(before.and_then(|before| crashed(now, object::SERVER, &before)))
}

/// Records that `server` has done its work.
pub(crate) async fn stopped(
    store: &dyn AuditStore,
    server: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let program = env!("CARGO_PKG_VERSION");
    let entry = AuditEntry::new(now, SERVER, STOP, server).with("program", program);
    Ok(store.append_audit(vec![entry]).await?)
}

/// The entries about keys that were made just now.
pub(crate) fn keys_made(
    now: Timestamp,
    actor: &str,
    chain: &[Vec<u8>],
) -> anyhow::Result<Vec<AuditEntry>> {
    let made = |(der, name): (&Vec<u8>, &str)| {
        let certificate = Certificate::from_der(der)?;
        Ok(key_made(now, actor, "ca.key.create", name, &certificate))
    };
    let mut chain: Vec<_> = chain.iter().zip(["intermediate", "root"]).collect();
    chain.reverse();
    chain.into_iter().map(made).collect()
}

/// The entry that `action` was done with `certificate` and its key, whose files are called `name`.
pub(crate) fn key_made(
    now: Timestamp,
    actor: &str,
    action: &'static str,
    name: &str,
    certificate: &Certificate,
) -> AuditEntry {
    let key = certificate.public_key();
    let entry = AuditEntry::new(now, actor, action, format!("ca/{name}"));
    entry
        .with("algorithm", key.algorithm().name())
        .with("bits", key.size_bits())
        .with("key", hex::encode(key.spki_sha256()))
        .with("certificate", hex::encode(certificate.sha256_fingerprint()))
        .with("until", format!("{:.0}", certificate.not_after()))
}

/// The CA's keys are at hand from now on.
fn loaded(now: Timestamp, services: &Services) -> anyhow::Result<Vec<AuditEntry>> {
    let mut entries = Vec::new();
    for name in services.issuers() {
        let Some(later) = name.strip_prefix(EMBEDDED) else {
            continue;
        };
        let chain = services.chain(name).unwrap_or_default();
        let Some(der) = chain.first().filter(|_| services.holds_key(name)) else {
            continue;
        };
        let certificate = Certificate::from_der(der)?;
        let key = hex::encode(certificate.public_key().spki_sha256());
        let object = format!("ca/intermediate{later}");
        let entry = AuditEntry::new(now, SERVER, "ca.key.load", object).with("key", key);
        entries.push(entry.with("certificate", hex::encode(certificate.sha256_fingerprint())));
    }
    Ok(entries)
}

/// `url` without what says who connects, wherever an address may have it.
fn without_user(url: &str) -> String {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(scheme);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // A name that is spelt in an unusual way may be either of the two.
    let is_plain = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            !name.is_empty() && is_plain(name) && !["user", "password"].contains(&name)
        })
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}{address}{mark}{}", kept.join("&"))
}

/// The configuration section by section. Digests only: the file is the operator's.
fn sections(config: &Config) -> Digests {
    let Config {
        server,
        database,
        ca,
        ocsp,
        ct,
        issuers,
        dns_hooks,
        policy,
        dcv,
        mail,
        limits,
        webhook,
        metrics,
        retention,
        // What a process of another kind reads.
        perspective: _,
    } = config;
    let (mut mail, mut database) = (mail.clone(), database.clone());
    // A digest over a password would let it be guessed.
    mail.url = without_user(&mail.url);
    database.url = without_user(&database.url);
    let sections: [(&str, &dyn Debug); 14] = [
        ("server", server),
        ("database", &database),
        ("ca", ca),
        ("ocsp", ocsp),
        ("ct", ct),
        ("issuer", issuers),
        ("dns_hook", dns_hooks),
        ("policy", policy),
        ("dcv", dcv),
        ("mail", &mail),
        ("limits", limits),
        ("webhook", webhook),
        ("metrics", metrics),
        ("retention", retention),
    ];
    sections
        .into_iter()
        .map(|(name, section)| (name.to_owned(), digest_of(section)))
        .collect()
}

fn products(services: &Services) -> Digests {
    let products = services.catalogue().products().iter();
    products
        .map(|product| (product.product.clone(), digest_of(product)))
        .collect()
}

fn digest_of(part: &dyn Debug) -> String {
    hex::encode(&digest(&SHA256, format!("{part:?}").as_bytes()).as_ref()[..16])
}

/// The entry that `object` now has other parts than `before` says; `None` when all are the same.
fn changed(
    now: Timestamp,
    object: &str,
    before: Option<&AuditEntry>,
    digests: &Digests,
) -> Option<AuditEntry> {
    let nothing = Map::new();
    let known = before
        .and_then(|entry| entry.detail.get("digests")?.as_object())
        .unwrap_or(&nothing);
    let is_new = |name: &&String| !known.contains_key(*name);
    let differs = |name: &&String| known.get(*name).is_some_and(|was| *was != digests[*name]);
    let names = |chosen: &dyn Fn(&&String) -> bool| -> Vec<&String> {
        digests.keys().filter(chosen).collect()
    };
    let (added, altered) = (names(&is_new), names(&differs));
    let removed: Vec<_> = known
        .keys()
        .filter(|name| !digests.contains_key(*name))
        .collect();
    if added.is_empty() && altered.is_empty() && removed.is_empty() {
        return None;
    }
    let entry = AuditEntry::new(now, SERVER, format!("{object}.change"), object);
    Some(
        entry
            .with("added", json!(added))
            .with("changed", json!(altered))
            .with("removed", json!(removed))
            .with("digests", json!(digests)),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        Config::from_toml(text, Path::new("reseal.toml")).unwrap()
    }

    fn digests(parts: &[(&str, &str)]) -> Digests {
        let owned = |(name, digest): &(&str, &str)| ((*name).to_owned(), (*digest).to_owned());
        parts.iter().map(owned).collect()
    }

    #[test]
    fn a_1_a_changed_section_of_the_configuration_is_named() {
        let now = Timestamp::UNIX_EPOCH;
        let before = changed(now, "configuration", None, &sections(&config(""))).unwrap();
        assert_eq!(before.detail["added"].as_array().unwrap().len(), 14);
        let same = sections(&config("[server]\nlisten = \"127.0.0.1:8080\""));
        assert_eq!(changed(now, "configuration", Some(&before), &same), None);
        let other = sections(&config("[dcv]\nhttp_port = 8080"));
        let entry = changed(now, "configuration", Some(&before), &other).unwrap();
        assert_eq!(entry.action, "configuration.change");
        assert_eq!(entry.detail["changed"], json!(["dcv"]));
        assert_eq!(entry.detail["added"], json!([]));
    }

    #[test]
    fn a_5_a_password_in_the_configuration_is_in_no_digest() {
        let with = |user: &str| {
            sections(&config(&format!(
                "[mail]\nurl = \"smtps://{user}mail.test:465\""
            )))
        };
        assert_eq!(with("a:secret@"), with("a:other@"));
        assert_ne!(with("a:secret@"), sections(&config("")));
        let with = |url: &str| sections(&config(&format!("[database]\nurl = \"{url}\"")));
        let plain = with("postgres://db.test/x?sslmode=require");
        for secret in [
            "postgres://u:secret@db.test/x?sslmode=require",
            "postgres://u:se?cret@db.test/x?sslmode=require",
            "postgres://db.test/x?user=u&sslmode=require&password=secret",
            "postgres://db.test/x?sslmode=require&pass%77ord=secret",
        ] {
            assert_eq!(with(secret), plain, "{secret}");
        }
    }

    #[test]
    fn a_1_how_the_database_is_reached_is_configuration() {
        let with = |url: &str| sections(&config(&format!("[database]\nurl = \"{url}\"")));
        let all = [
            "postgres://u@db.test/x",
            "postgres://u@db.test/x?sslmode=disable",
            "postgres://u@db.test/x?hostaddr=192.0.2.1",
            "postgres://u@db.test/y",
        ]
        .map(with);
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn a_1_products_that_come_go_or_change_are_named() {
        let now = Timestamp::UNIX_EPOCH;
        let first = digests(&[("kept", "1"), ("gone", "2"), ("altered", "3")]);
        let before = changed(now, "catalogue", None, &first).unwrap();
        let second = digests(&[("kept", "1"), ("altered", "4"), ("new", "5")]);
        let entry = changed(now, "catalogue", Some(&before), &second).unwrap();
        for (name, expected) in [
            ("added", "new"),
            ("removed", "gone"),
            ("changed", "altered"),
        ] {
            assert_eq!(entry.detail[name], json!([expected]));
        }
    }
}
