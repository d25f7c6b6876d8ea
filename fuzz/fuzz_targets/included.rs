//! See `housecall_fuzz::included`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::included(data));
