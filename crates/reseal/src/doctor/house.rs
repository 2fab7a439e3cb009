//! What lies in DATA.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use reseal_issuer::embedded::{EmbeddedIssuer, Protection, Severity, inspect};
use reseal_lifecycle::crl::{self, Coverage, CrlStore as _};
use reseal_lifecycle::issuer::Issuer as _;
use reseal_lifecycle::services::Trust;
use reseal_lifecycle::store::Store as _;
use reseal_pki::key::debian;
use reseal_store::Source;

use super::Report;
use crate::clock::clock;
use crate::config::{Config, HookKind};
use crate::data::DataFolder;
use crate::house::{open_store, source};
use crate::terms::ROOT_LIST_ENDS;
use crate::wire_up::{self, Embedded};

/// Secrets that others may read, and files that are missing; the CA's own are looked at with the CA.
pub(super) fn files(data: &DataFolder, config: &Config, report: &mut Report) {
    let before = report.findings.len();
    let mut private = vec![data.root().to_owned(), data.ca()];
    private.extend(Some(data.database()).filter(|_| !data.is_on_postgres()));
    private.extend(config.database.password_file.clone());
    if config.mail.url.contains('@') || config.database.url.contains('@') {
        // A password stands in it.
        private.push(data.config());
    }
    private.extend(config.server.tls.as_ref().map(|(_, key)| key.clone()));
    let tokens = config.dcv.perspectives.iter();
    private.extend(tokens.filter_map(|one| one.token_file.clone()));
    private.extend(config.metrics.token_file.clone());
    let issuers = config.issuers.iter();
    private.extend(issuers.filter_map(|issuer| issuer.eab_key_file.clone()));
    private.extend(config.dns_hooks.iter().filter_map(|hook| match &hook.kind {
        HookKind::Update { key_file, .. } => Some(key_file.clone()),
        HookKind::Program(_) => None,
    }));
    // Made at the first start.
    private.extend(Some(data.webhook_key_file()).filter(|path| path.exists()));
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
                let open = format!(
                    "{} is open to others (mode {:03o}): `chmod go= {0}`",
                    path.display(),
                    metadata.permissions().mode() & 0o777
                );
                if harmful != 0 {
                    report.fail(open);
                } else if others != 0 {
                    report.warn(open);
                }
            }
        }
    }
    if report.findings.len() == before {
        report.ok(format!(
            "{}: the folder and the database are closed to others",
            data.root().display()
        ));
    }
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

/// Whether the CA's keys can be used, how they are kept, and for how long its certificates are good.
pub(super) fn authority(data: &DataFolder, config: &Config, report: &mut Report) {
    let now = clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    let url = wire_up::public_url(config, config.server.listen);
    let token = match wire_up::key_token(data, config) {
        Ok(token) => token,
        Err(error) => return report.fail(format!("{error:#}")),
    };
    let passphrase_file = config.ca.passphrase_file.as_deref();
    let seen = inspect(&data.ca(), passphrase_file, token.as_ref(), &url, now);
    if seen.worst() < Some(Severity::Fault) {
        report.ok(format!(
            "the CA's keys open and match the certificates of {}",
            seen.issuing_subject.unwrap_or_default()
        ));
        for (name, end) in [
            ("issuing", seen.issuing_not_after),
            ("root", seen.root_not_after),
        ] {
            if let Some(end) = end {
                report.ok(format!("the {name} certificate ends at {end:.0}"));
            }
        }
    }
    match (seen.protection, &token) {
        (Some(Protection::Passphrase { .. }), _) => {
            report.ok("the CA's keys are encrypted under a passphrase");
        }
        (Some(Protection::Token), Some(token)) => report.ok(format!(
            "the key that issues is in the token {}",
            token.name()
        )),
        _ => {}
    }
    let in_files = seen.protection.is_some_and(|how| how != Protection::Token);
    if config.policy.profile == Trust::Public && in_files {
        report.warn(
            "the profile is `public`, and the key that issues lies in a file: a publicly trusted one has to be made and kept in \
             a validated module (docs/hsm.md) [A-6]",
        );
    }
    for finding in seen.findings {
        match finding.severity {
            Severity::Note => report.ok(finding.message),
            Severity::Warning => report.warn(finding.message),
            Severity::Fault => report.fail(finding.message),
        }
    }
}

/// Whether the database opens, has the schema of this version, and takes a write; and whether it keeps it.
pub(super) async fn database(data: &DataFolder, config: &Config, report: &mut Report) {
    if let Ok(Source::Postgres(url)) = source(data, config)
        && url.is_plain_over_network()
    {
        report.warn(format!(
            "{url}: everybody on the way can read along: `sslmode=verify-full`"
        ));
    }
    let store = match open_store(data, config) {
        Ok(store) => store,
        Err(error) => return report.fail(format!("{error:#}")),
    };
    let careless = match store.ping().await {
        Ok(()) => store.careless_settings().await,
        Err(error) => Err(error),
    };
    match careless {
        Ok(settings) => {
            report.ok("the database opens, has this version's schema, and takes a write");
            for setting in settings {
                report.fail(format!(
                    "the database server runs with `{setting} = off`: what was answered may be lost with the power"
                ));
            }
        }
        Err(error) => report.fail(format!("the database cannot be used: {error}")),
    }
}

/// A list older than this was not signed by a server in good health.
const OLD_LIST: SignedDuration = SignedDuration::from_hours(24);

/// Whether revocation lists are there and fresh: without them clients may refuse every certificate.
pub(super) async fn revocation_lists(data: &DataFolder, config: &Config, report: &mut Report) {
    let now = clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    let url = wire_up::public_url(config, config.server.listen);
    // What keeps either from opening is reported where they are looked at.
    let (Ok(embedded), Ok(store)) = (Embedded::open(data, config, &url), open_store(data, config))
    else {
        return;
    };
    let states = match store.crl_states().await {
        Ok(states) => states,
        Err(error) => {
            return report.fail(format!("the revocation lists cannot be read: {error}"));
        }
    };
    for id in embedded.unknown_ids(&states) {
        report.fail(format!(
            "the database has revocation lists of the intermediate {id}, which is not in {}: copy its two files from the node \
             where it was made",
            data.ca().display()
        ));
    }
    let newest = |name: &str| states.iter().find(|state| state.name == name);
    let (leaves, root): (Vec<_>, Vec<_>) = embedded
        .all()
        .flat_map(EmbeddedIssuer::crls)
        .filter(|list| !crl::is_over(list, newest(&list.name), now))
        .partition(|list| list.coverage == Coverage::Subscribers);
    let signed: Vec<_> = leaves
        .iter()
        .filter_map(|list| newest(&list.name))
        .collect();
    let oldest = signed.iter().map(|state| state.this_update).min();
    let over = signed
        .iter()
        .filter(|state| state.next_update <= now)
        .count();
    match oldest {
        None => report.ok("revocation lists are signed when the server starts for the first time"),
        Some(_) if over > 0 || signed.len() < leaves.len() => report.fail(format!(
            "of {} revocation lists {} are missing and {over} out of date: they are signed while the server \
             runs; its log says what is wrong",
            leaves.len(),
            leaves.len() - signed.len()
        )),
        Some(oldest) if oldest.duration_until(now) > OLD_LIST => report.warn(format!(
            "a revocation list was last signed at {oldest:.0}: they are signed every six hours while the server \
             runs"
        )),
        Some(oldest) => report.ok(format!(
            "{} revocation lists are fresh, the oldest of {oldest:.0}",
            signed.len()
        )),
    }
    let again = "`reseal ca crl root --sign` signs it, with the root's key in its place";
    for list in root {
        match newest(&list.name).map(|state| state.next_update) {
            None => report.fail(format!("the root's revocation list is missing: {again}")),
            Some(end) if end <= now => {
                report.fail(format!(
                    "the root's revocation list ended at {end:.0}: {again}"
                ));
            }
            Some(end) if now.duration_until(end) < ROOT_LIST_ENDS => {
                report.warn(format!(
                    "the root's revocation list ends at {end:.0}: {again}"
                ));
            }
            Some(end) => report.ok(format!("the root's revocation list is good until {end:.0}")),
        }
    }
}

/// Which kinds of Debian's predictable keys are listed (rules.md C-20).
pub(super) fn weak_keys(report: &mut Report) {
    let coverage = debian::coverage();
    let named = |which: &dyn Fn(&debian::Coverage) -> bool| {
        let kinds = coverage.iter().filter(|kind| which(kind));
        kinds
            .map(|kind| format!("{} {} bits", kind.algorithm.name(), kind.size_bits))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let complete = named(&debian::Coverage::is_complete);
    if !complete.is_empty() {
        report.ok(format!(
            "Debian's predictable keys are refused for {complete}"
        ));
    }
    let begun = named(&|kind| kind.keys > 0 && !kind.is_complete());
    if !begun.is_empty() {
        report.warn(format!(
            "Debian's predictable keys are listed in part for {begun}: some such keys would not be noticed"
        ));
    }
    let missing = named(&|kind| kind.keys == 0);
    if !missing.is_empty() {
        report.warn(format!(
            "Debian's predictable keys are not listed for {missing}: such a key would not be noticed"
        ));
    }
}
