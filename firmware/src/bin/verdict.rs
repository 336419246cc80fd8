//! Judges the bundles that the host names, with the verdict that `touchmark verify` gives.
#![no_std]
#![no_main]

extern crate alloc;

use cortex_m_rt::entry;
use touchmark_core::verdict::{Trust, judge};
use touchmark_firmware::board;

#[entry]
fn main() -> ! {
    board::start();
    let trust = Trust { network: Some(touchmark_firmware::network()), ..Trust::default() };
    for path in board::arguments() {
        let Some(bundle) = board::read(&path) else { panic!("the host has no {path}") };
        board::tell("bundle", bundle.len());
        let (verdict, instructions) = board::counted(|| judge(&bundle, &trust));
        let failed = verdict.checks.iter().find(|check| !check.result.holds());
        match failed.and_then(|check| check.code) {
            Some(code) => board::tell("verdict", code),
            None if verdict.valid => board::tell("verdict", "valid"),
            None => board::tell("verdict", "nothing is claimed"),
        }
        board::tell("instructions", instructions);
    }
    board::end_with_peaks()
}
