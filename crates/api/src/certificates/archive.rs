//! The ZIP of a certificate.
//!
//! ```text
//! Linux/<stem>.ca-bundle    intermediates and root: first, since one client takes the first file in this folder
//! Linux/<stem>.crt          the certificate
//! Linux/<stem>.fullchain.crt    the certificate, then the bundle
//! Windows/<stem>.cer        the certificate
//! Windows/<stem>.p7b        the certificate and its chain
//! ```
//! The stem is the domain name with dots as underscores. The asterisk of a wildcard is written out, because
//! no file on Windows can have it in its name: `*.example.com` becomes `wildcard_example_com`.

use std::io::{Cursor, Write as _};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Bytes of a stem: with the longest extension a file name has 255 at most.
const LONGEST_STEM: usize = 240;

/// What goes into the archive, as PEM.
pub(super) struct Contents<'a> {
    pub(super) domain_name: &'a str,
    pub(super) leaf: &'a str,
    pub(super) bundle: &'a str,
    pub(super) pkcs7: &'a str,
}

/// The archive. The same contents give the same bytes.
pub(super) fn zip(contents: &Contents<'_>) -> ZipResult<Vec<u8>> {
    let stem = file_stem(contents.domain_name);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (folder, extension, parts) in [
        ("Linux", "ca-bundle", [contents.bundle, ""]),
        ("Linux", "crt", [contents.leaf, ""]),
        ("Linux", "fullchain.crt", [contents.leaf, contents.bundle]),
        ("Windows", "cer", [contents.leaf, ""]),
        ("Windows", "p7b", [contents.pkcs7, ""]),
    ] {
        archive.start_file(format!("{folder}/{stem}.{extension}"), options)?;
        for part in parts {
            archive.write_all(part.as_bytes())?;
        }
    }
    Ok(archive.finish()?.into_inner())
}

/// A file name without extension for `domain`, of letters, digits, `-` and `_` only: imported certificates may
/// name anything.
pub(super) fn file_stem(domain: &str) -> String {
    let (prefix, rest) = match domain.strip_prefix("*.") {
        Some(rest) => ("wildcard_", rest),
        None => ("", domain),
    };
    let safe = rest.chars().map(|character| match character {
        plain if plain.is_ascii_alphanumeric() || plain == '-' => plain,
        _ => '_',
    });
    let stem: String = prefix.chars().chain(safe).take(LONGEST_STEM).collect();
    if stem.is_empty() {
        return "certificate".to_owned();
    }
    stem
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    fn archive(domain_name: &str) -> ZipArchive<Cursor<Vec<u8>>> {
        let bytes = zip(&Contents {
            domain_name,
            leaf: "LEAF\n",
            bundle: "INTERMEDIATE\nROOT\n",
            pkcs7: "P7\n",
        });
        ZipArchive::new(Cursor::new(bytes.unwrap())).unwrap()
    }

    #[test]
    fn the_first_entry_is_the_bundle_under_the_domains_name() {
        let mut archive = archive("www.example.com");
        let mut first = archive.by_index(0).unwrap();
        assert_eq!(first.name().unwrap(), "Linux/www_example_com.ca-bundle");
        let mut text = String::new();
        first.read_to_string(&mut text).unwrap();
        assert_eq!(text, "INTERMEDIATE\nROOT\n");
    }

    #[test]
    fn every_entry_is_there_with_its_contents() {
        let mut archive = archive("example.com");
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            entries.push((entry.name().unwrap().into_owned(), text));
        }
        let expected = [
            ("Linux/example_com.ca-bundle", "INTERMEDIATE\nROOT\n"),
            ("Linux/example_com.crt", "LEAF\n"),
            (
                "Linux/example_com.fullchain.crt",
                "LEAF\nINTERMEDIATE\nROOT\n",
            ),
            ("Windows/example_com.cer", "LEAF\n"),
            ("Windows/example_com.p7b", "P7\n"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(entries, expected);
    }

    #[test]
    fn file_names_are_safe() {
        for (domain, stem) in [
            ("*.example.com", "wildcard_example_com"),
            ("../../etc/passwd", "______etc_passwd"),
            ("a\"b\r\nc", "a_b__c"),
            ("münchen", "m_nchen"),
            ("", "certificate"),
        ] {
            assert_eq!(file_stem(domain), stem);
        }
        assert_eq!(file_stem(&"a".repeat(300)).len(), LONGEST_STEM);
    }
}
