//! See `housecall_fuzz::output`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::output(data));
