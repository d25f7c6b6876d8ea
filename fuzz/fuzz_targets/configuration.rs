//! See `housecall_fuzz::configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::configuration(data));
