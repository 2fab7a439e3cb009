//! What lies in DATA.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::store::Store as _;
use reseal_pki::certificate::Certificate;
use reseal_pki::key::debian;
use reseal_store::SqliteStore;

use super::Report;
use crate::clock::clock;
use crate::config::Config;
use crate::data::DataFolder;
use crate::wire_up;

/// How long before its end a CA certificate is a matter of concern. A leaf must end before its issuer does.
const CA_ENDS_SOON: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Secrets that others may read, and files that are missing.
pub(super) fn files(data: &DataFolder, config: &Config, report: &mut Report) {
    let before = report.findings.len();
    let mut private = vec![data.root().to_owned(), data.database(), data.ca()];
    private.extend(keys(&data.ca()));
    private.extend(config.ca.passphrase_file.clone());
    private.extend(config.server.tls.as_ref().map(|(_, key)| key.clone()));
    for path in private {
        match fs::metadata(&path) {
            Err(error) => report.fail(format!("{} cannot be looked at: {error}", path.display())),
            Ok(metadata) => {
                let others = metadata.permissions().mode() & 0o077;
                // A readable folder tells names only; what lies in it is looked at by itself.
                let harmful = if metadata.is_dir() {
                    others & 0o022
                } else {
                    others
                };
                if harmful != 0 {
                    report.fail(format!(
                        "{} is open to others (mode {:03o}): `chmod go= {0}`",
                        path.display(),
                        metadata.permissions().mode() & 0o777
                    ));
                }
            }
        }
    }
    if report.findings.len() == before {
        report.ok(format!(
            "{}: keys and database are closed to others",
            data.root().display()
        ));
    }
}

fn keys(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .filter(|path| path.extension().is_none_or(|extension| extension != "pem"))
        .collect()
}

/// Whether products.toml can be read.
pub(super) fn catalogue(data: &DataFolder, report: &mut Report) {
    match wire_up::catalogue(data) {
        Ok(catalogue) if catalogue.products().is_empty() => {
            report.warn("products.toml has no product: nothing can be ordered");
        }
        Ok(catalogue) => report.ok(format!(
            "products.toml has {} products",
            catalogue.products().len()
        )),
        Err(error) => report.fail(format!("{error:#}")),
    }
}

/// Whether the CA's keys can be used, and for how long its certificates are good.
pub(super) fn authority(data: &DataFolder, config: &Config, report: &mut Report) {
    if config.ca.passphrase_file.is_some() {
        report.ok("the CA's keys are encrypted under the passphrase of `ca.passphrase_file`");
    } else {
        report.warn(
            "the CA's keys are encrypted under a key that lies beside them: whoever copies the folder has \
             both. Set `ca.passphrase_file` to a file on another medium before the next `init`",
        );
    }
    match wire_up::open_authority(data, config) {
        Ok(_) => report.ok("the CA's keys open and match their certificates"),
        Err(error) => report.fail(format!("the CA cannot sign: {error:#}")),
    }
    let now = clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    for name in ["root", "intermediate"] {
        let path = data.ca().join(format!("{name}.pem"));
        let certificate = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                Certificate::from_pem_or_der(&text).map_err(|error| error.to_string())
            });
        match certificate {
            Err(error) => report.fail(format!("{} cannot be read: {error}", path.display())),
            Ok(certificate) => remaining(name, certificate.not_after(), now, report),
        }
    }
}

fn remaining(name: &str, end: Timestamp, now: Timestamp, report: &mut Report) {
    let left = end.duration_since(now);
    let day = format!("{end:.0}");
    if left.is_negative() {
        report.fail(format!(
            "the {name} certificate ended at {day}: nothing it signs is trusted"
        ));
    } else if left < CA_ENDS_SOON {
        report.warn(format!(
            "the {name} certificate ends at {day}: what it signs cannot last longer"
        ));
    } else {
        report.ok(format!("the {name} certificate is good until {day}"));
    }
}

/// Whether the database opens, has the schema of this version, and takes a write.
pub(super) async fn database(data: &DataFolder, report: &mut Report) {
    let path = data.database();
    match SqliteStore::open(&path) {
        Err(error) => report.fail(format!("{} cannot be opened: {error}", path.display())),
        Ok(store) => match store.ping().await {
            Ok(()) => report.ok("the database opens, has this version's schema, and takes a write"),
            Err(error) => report.fail(format!("the database cannot be used: {error}")),
        },
    }
}

/// Which kinds of Debian's predictable keys are listed (rules.md C-20).
pub(super) fn weak_keys(report: &mut Report) {
    let coverage = debian::coverage();
    let named = |listed: bool| {
        let kinds = coverage.iter().filter(|kind| (kind.keys > 0) == listed);
        kinds
            .map(|kind| format!("{} {} bits", kind.algorithm.name(), kind.size_bits))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (listed, missing) = (named(true), named(false));
    if !listed.is_empty() {
        report.ok(format!(
            "Debian's predictable keys are refused for {listed}"
        ));
    }
    if !missing.is_empty() {
        report.warn(format!(
            "Debian's predictable keys are not listed for {missing}: such a key would not be noticed"
        ));
    }
}
