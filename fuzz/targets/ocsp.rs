//! An OCSP request, and the answer that is made of it.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use reseal_pki::ocsp::{
    CertStatus, MOST_CERTIFICATES, OcspRequest, ResponseContent, SingleResponse, response_data,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = OcspRequest::from_der(bytes) else {
        return;
    };
    let asked = request.certificates();
    assert!((1..=MOST_CERTIFICATES).contains(&asked.len()));
    assert!(
        request
            .nonce()
            .is_none_or(|nonce| (1..=128).contains(&nonce.len()))
    );
    let responses: Vec<_> = asked
        .iter()
        .map(|certificate| SingleResponse {
            certificate,
            status: CertStatus::Unknown,
            this_update: Timestamp::UNIX_EPOCH,
            next_update: Timestamp::UNIX_EPOCH,
        })
        .collect();
    let written = SingleResponse::write_all(&responses);
    let data = response_data(&ResponseContent {
        responder: &[0x30, 0],
        produced_at: Timestamp::UNIX_EPOCH,
        responses: &written,
        nonce: request.nonce(),
    });
    for certificate in asked {
        let serial = certificate.serial();
        assert!(
            data.windows(serial.len()).any(|part| part == serial),
            "repeated as it came"
        );
    }
});
