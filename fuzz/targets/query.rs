//! The query of a list.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| reseal_api::fuzzing::list_query(text));
