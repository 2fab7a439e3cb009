//! `[issuer.NAME]`: CAs elsewhere.

use reseal_lifecycle::import;

use super::UpstreamIssuer;
use super::form::HttpsUrl;
use super::read::Reader;
use super::unit::Span;
use crate::wire_up::EMBEDDED;

/// Reads all of them.
pub(super) fn issuers(reader: &mut Reader) -> Vec<UpstreamIssuer> {
    let names = reader.tables_below("issuer").into_iter();
    names.map(|name| issuer(reader, name)).collect()
}

fn issuer(reader: &mut Reader, name: String) -> UpstreamIssuer {
    let section = format!("issuer.{name}");
    let key = |field: &str| format!("{section}.{field}");
    // Names under which certificates are stored that are ours, or nobody's.
    if [EMBEDDED, import::ISSUER].contains(&name.as_str()) {
        reader.refuse(&section, None, "this name is taken, choose another");
    }
    let origins = (
        reader.origin(&key("eab_key_id")),
        reader.origin(&key("eab_key_file")),
    );
    let issuer = UpstreamIssuer {
        kind: reader
            .word(&key("kind"), "acme", &[("acme", "acme")])
            .to_owned(),
        directory: directory(reader, &key("directory")),
        ca_file: reader.path(&key("ca_file")),
        contact: reader.text(&key("contact"), ""),
        eab_key_id: reader.text(&key("eab_key_id"), ""),
        eab_key_file: reader.path(&key("eab_key_file")),
        preferred_chain: reader.text(&key("preferred_chain"), ""),
        longest_validity: reader
            .optional(
                &key("longest_validity"),
                None,
                "a duration such as `90d`, or nothing",
            )
            .map(Span::signed),
        roots_file: reader.path(&key("roots_file")),
        name,
    };
    let together = "`eab_key_id` and `eab_key_file` belong together, set both or neither";
    match (issuer.eab_key_id.is_empty(), &issuer.eab_key_file) {
        (false, None) => reader.refuse(&key("eab_key_id"), origins.0.as_ref(), together),
        (true, Some(_)) => reader.refuse(&key("eab_key_file"), origins.1.as_ref(), together),
        _ => {}
    }
    issuer
}

fn directory(reader: &mut Reader, key: &str) -> String {
    if reader.origin(key).is_none() {
        reader.refuse(key, None, "name the directory of the ACME server");
    }
    let expected = "an https URL such as `https://acme.example/directory`";
    reader.parsed(key, HttpsUrl(String::new()), expected).0
}
