//! A certificate that is taken in, as PEM or as DER.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reseal_pki::certificate::Certificate;

fuzz_target!(|bytes: &[u8]| {
    let text = std::str::from_utf8(bytes).ok();
    let from_text = text.map(Certificate::from_pem_or_der);
    for certificate in from_text
        .into_iter()
        .chain([Certificate::from_der(bytes)])
        .flatten()
    {
        certificate.validation_type();
        certificate.issuer_text();
        let again = Certificate::from_pem_or_der(&certificate.pem()).expect("what we write");
        assert_eq!(again.der(), certificate.der());
    }
});
