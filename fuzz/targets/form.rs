//! The form behind a mailed link.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| reseal_api::fuzzing::approval_form(text));
