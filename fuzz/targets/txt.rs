//! A TXT record, as a proof and as a contact.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| reseal_validation::fuzzing::txt(text));
