//! See `housecall_fuzz::systemctl_show`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| housecall_fuzz::systemctl_show(data));
