//! CAA records, one a line.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| reseal_validation::fuzzing::caa(text));
