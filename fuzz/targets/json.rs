//! The JSON body of a reissue.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reseal_api::fuzzing::reissue_body(bytes));
