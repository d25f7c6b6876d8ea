//! See `housecall_fuzz::page`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::page(data));
