//! A certificate signing request, as PEM or as DER.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reseal_pki::csr::{Csr, CsrPolicy};
use reseal_pki::key::KeyPolicy;
use reseal_pki::name::NamePolicy;

fuzz_target!(|bytes: &[u8]| {
    let names = NamePolicy::default();
    let policy = CsrPolicy {
        keys: KeyPolicy::default(),
        names: &names,
        allow_ip: false,
    };
    let from_text = std::str::from_utf8(bytes).ok().map(Csr::parse);
    for csr in from_text
        .into_iter()
        .chain([Csr::from_der(bytes)])
        .flatten()
    {
        csr.check(&policy);
        csr.warnings();
        let again = Csr::parse(&csr.pem()).expect("what we write");
        assert_eq!(again.der(), csr.der());
    }
});
