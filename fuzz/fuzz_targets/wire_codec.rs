#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| touchmark_fuzz::wire_codec::target(data));
