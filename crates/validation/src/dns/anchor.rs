//! Trust anchors: the root's, or those of a file with DS or DNSKEY records.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hickory_proto::{
    dnssec::{
        Algorithm, DigestType, PublicKey as _, PublicKeyBuf, TrustAnchors,
        rdata::{DNSSECRData, DS},
    },
    op::Message,
    rr::{Name, RData},
};

use crate::settings::SettingsError;

/// Anchors as configured; digests have to be matched with keys before use.
#[derive(Clone)]
pub(super) struct Anchors {
    keys: TrustAnchors,
    digests: Vec<(Name, DS)>,
    /// Zone of the first anchor.
    zone: Name,
    /// The built-in anchors.
    built_in: bool,
}

impl Anchors {
    /// The keys of the root zone.
    pub(super) fn root() -> Self {
        Self {
            keys: TrustAnchors::default(),
            digests: Vec::new(),
            zone: Name::root(),
            built_in: true,
        }
    }

    /// Reads a file of DS and DNSKEY records: `owner [ttl] [class] type data`, `;` begins a
    /// comment, one record a line. At least one record is needed.
    pub(super) fn parse(text: &str) -> Result<Self, SettingsError> {
        let mut anchors = Self {
            keys: TrustAnchors::empty(),
            digests: Vec::new(),
            zone: Name::root(),
            built_in: false,
        };
        let mut found = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.split(';').next().unwrap_or_default();
            let fields: Vec<&str> = line
                .split([' ', '\t', '(', ')'])
                .filter(|field| !field.is_empty())
                .collect();
            if fields.is_empty() {
                continue;
            }
            let zone = anchors
                .add(&fields)
                .map_err(|reason| SettingsError::TrustAnchor {
                    line: index + 1,
                    reason,
                })?;
            if !found {
                anchors.zone = zone;
            }
            found = true;
        }
        if found {
            Ok(anchors)
        } else {
            Err(SettingsError::TrustAnchor {
                line: 1,
                reason: "expected at least one DS or DNSKEY record, found none".to_owned(),
            })
        }
    }

    /// Adds one record; gives its zone.
    fn add(&mut self, fields: &[&str]) -> Result<Name, String> {
        let (owner, rest) = fields.split_first().ok_or("the line is empty")?;
        let mut owner = Name::from_ascii(owner)
            .map_err(|_| format!("`{owner}` is not a domain name"))?
            .to_lowercase();
        owner.set_fqdn(true);
        let start = rest
            .iter()
            .position(|field| !is_ttl_or_class(field))
            .ok_or("expected a record type, DS or DNSKEY")?;
        match &rest[start..] {
            [kind, _flags, protocol, algorithm, key @ ..]
                if kind.eq_ignore_ascii_case("DNSKEY") && !key.is_empty() =>
            {
                if *protocol != "3" {
                    return Err(format!("protocol must be 3, is `{protocol}`"));
                }
                let algorithm = supported(algorithm)?;
                let bytes = BASE64_STANDARD
                    .decode(key.concat())
                    .map_err(|error| format!("the key is not base64: {error}"))?;
                let key = PublicKeyBuf::new(bytes, algorithm);
                self.keys.insert_with_name(&key, owner.clone().into());
                Ok(owner)
            }
            [kind, tag, algorithm, digest_type, digest @ ..]
                if kind.eq_ignore_ascii_case("DS") && !digest.is_empty() =>
            {
                let tag = number(tag, "key tag")?;
                let algorithm = supported(algorithm)?;
                let digest_type = DigestType::from(number::<u8>(digest_type, "digest type")?);
                if !digest_type.is_supported() {
                    return Err("the digest type is not supported: use 2 (SHA-256)".to_owned());
                }
                let digest = hex::decode(digest.concat())
                    .map_err(|error| format!("the digest is not hexadecimal: {error}"))?;
                let digest = DS::new(tag, algorithm, digest_type, digest);
                self.digests.push((owner.clone(), digest));
                Ok(owner)
            }
            [kind, ..] => Err(format!(
                "expected `DNSKEY flags 3 algorithm key` or `DS tag algorithm digest-type digest`, found `{kind}` with {} fields",
                rest.len() - start - 1
            )),
            [] => Err("expected a record type, DS or DNSKEY".to_owned()),
        }
    }

    /// Zone of the first anchor.
    pub(super) fn zone(&self) -> &Name {
        &self.zone
    }

    /// Whether these are the built-in anchors of the public root.
    pub(super) fn are_the_roots(&self) -> bool {
        self.built_in
    }

    /// Anchors given as keys.
    pub(super) fn keys(&self) -> TrustAnchors {
        self.keys.clone()
    }

    /// Zones that have anchors given as digests.
    pub(super) fn digested_zones(&self) -> Vec<&Name> {
        let mut zones: Vec<&Name> = self.digests.iter().map(|(zone, _)| zone).collect();
        zones.dedup();
        zones
    }
}

/// Adds the keys in `message` that match a digest of `zone`; tells whether there was one.
pub(super) fn insert_matching(
    anchors: &Anchors,
    zone: &Name,
    message: &Message,
    keys: &mut TrustAnchors,
) -> bool {
    let mut found = false;
    for record in &message.answers {
        let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else {
            continue;
        };
        let matches = record.name == *zone
            && key.zone_key()
            && !key.revoke()
            && anchors.digests.iter().any(|(owner, digest)| {
                owner == zone
                    && digest.algorithm() == key.public_key().algorithm()
                    && digest.covers(zone, key).unwrap_or(false)
            });
        if matches {
            keys.insert_with_name(key.public_key(), zone.clone().into());
            found = true;
        }
    }
    found
}

fn is_ttl_or_class(field: &str) -> bool {
    field.bytes().all(|byte| byte.is_ascii_digit()) || field.eq_ignore_ascii_case("IN")
}

fn supported(field: &str) -> Result<Algorithm, String> {
    let algorithm = Algorithm::from_u8(number(field, "algorithm")?);
    if algorithm.is_supported() {
        Ok(algorithm)
    } else {
        Err(format!("algorithm {field} is not supported"))
    }
}

fn number<T: std::str::FromStr>(field: &str, what: &str) -> Result<T, String> {
    field
        .parse()
        .map_err(|_| format!("`{field}` is not a {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT_DS: &str =
        ". 172800 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

    #[test]
    fn anchors_are_read_with_and_without_ttl_and_class() {
        let text = format!(
            "; the root\n{ROOT_DS} ; 2017\n\nexample. DNSKEY 257 3 13 ( mdsswUyr3DPW132mOi8V9xESWE8jTo0d xCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ== )\n"
        );
        let anchors = Anchors::parse(&text).unwrap();
        assert_eq!(anchors.digested_zones(), [&Name::root()]);
        assert_eq!(anchors.digests[0].1.key_tag(), 20326);
        assert_eq!(anchors.keys().len(), 0, "no key for the root itself");
    }

    #[test]
    fn broken_anchor_files_name_the_line() {
        for (text, expected) in [
            ("", "line 1"),
            ("; nothing\n", "line 1"),
            ("\n. DS 1 8 2 zz", "line 2"),
            (". DNSKEY 257 4 13 AAAA", "line 1"),
            (". DNSKEY 257 3 13 !!!", "line 1"),
            (". DNSKEY 257 3 1 AAAA", "line 1"),
            (". IN A 192.0.2.1", "line 1"),
            (".", "line 1"),
        ] {
            let error = Anchors::parse(text).err().expect(text).to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
