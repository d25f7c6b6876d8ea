//! See `housecall_fuzz::git_status`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::git_status(data));
