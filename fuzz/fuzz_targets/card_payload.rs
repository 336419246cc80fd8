#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| touchmark_fuzz::card_payload::target(data));
