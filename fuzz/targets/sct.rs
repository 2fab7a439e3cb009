//! What a log of Certificate Transparency answers, and its promise as certificates carry it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reseal_lifecycle::transparency::read_answer;
use reseal_pki::transparency::{Sct, decode_list, encode_list, entry_tbs, has_scts};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sct) = Sct::decode(bytes) {
        assert_eq!(sct.encode().expect("what was read"), bytes);
    }
    if let Ok(scts) = decode_list(bytes) {
        assert_eq!(encode_list(&scts).expect("what was read"), bytes);
    }
    if let Ok(sct) = read_answer(bytes) {
        let encoded = sct.encode().expect("what was read");
        assert_eq!(Sct::decode(&encoded).as_ref(), Ok(&sct));
        sct.moment();
    }
    let _ = (entry_tbs(bytes), has_scts(bytes));
});
