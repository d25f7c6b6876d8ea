//! See `housecall_fuzz::mountinfo`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::mountinfo(data));
