//! Keys and signing requests.

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair};

/// A request with a new P-256 key: the first name is the common name, all are alternative names.
pub(crate) fn csr(names: &[&str]) -> String {
    with_key(&KeyPair::generate().unwrap(), names)
}

/// The same with a given key.
pub(crate) fn with_key(key: &KeyPair, names: &[&str]) -> String {
    params(names).serialize_request(key).unwrap().pem().unwrap()
}

/// A request with a common name and no alternative names.
pub(crate) fn common_name_only(name: &str) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name);
    params
        .serialize_request(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
        .unwrap()
}

/// A certificate that nobody else signed.
pub(crate) fn self_signed(name: &str) -> String {
    params(&[name])
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
}

/// The same with a last day.
pub(crate) fn self_signed_until(name: &str, day: jiff::civil::Date) -> String {
    let mut params = params(&[name]);
    let part = |number: i8| u8::try_from(number).unwrap();
    params.not_after = rcgen::date_time_ymd(day.year().into(), part(day.month()), part(day.day()));
    params
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
}

/// A request whose alternative names are given as the contents of the extension.
pub(crate) fn with_raw_alternative_names(general_names: &[(u8, &[u8])]) -> String {
    let contents: Vec<u8> = general_names
        .iter()
        .flat_map(|(tag, value)| [&[*tag, u8::try_from(value.len()).unwrap()], *value].concat())
        .collect();
    let length = u8::try_from(contents.len()).unwrap();
    assert!(length < 0x80);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject("www.reseal.dev");
    let extension =
        CustomExtension::from_oid_content(&[2, 5, 29, 17], [&[0x30, length], &*contents].concat());
    params.custom_extensions.push(extension);
    params
        .serialize_request(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
        .unwrap()
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params.distinguished_name = subject(&names[0]);
    params
}

fn subject(common_name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, common_name);
    subject
}

/// A request of the rule crate's collection; all are for `www.reseal.dev`.
pub(crate) fn stored(file: &str) -> String {
    let path = format!(
        "{}/../crates/pki/testdata/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
