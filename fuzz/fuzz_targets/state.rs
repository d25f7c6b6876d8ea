//! See `housecall_fuzz::state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::state(data));
