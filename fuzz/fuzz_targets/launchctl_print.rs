//! See `housecall_fuzz::launchctl_print`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::launchctl_print(data));
