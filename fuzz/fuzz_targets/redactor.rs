//! See `housecall_fuzz::redactor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::redactor(data));
