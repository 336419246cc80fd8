#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| touchmark_fuzz::threshold::target(data));
