//! See `housecall_fuzz::gossfile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::gossfile(data));
