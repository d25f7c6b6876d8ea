//! See `housecall_fuzz::plist_lint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::plist_lint(data));
