//! See `housecall_fuzz::allowed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::allowed(data));
