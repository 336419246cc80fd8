//! A hundred seeds, ten for each test so that several run at once.

use touchmark_simulation::simulate;

fn run(seeds: std::ops::Range<u64>) {
    let failed: Vec<_> =
        seeds.map(simulate).filter(|report| !report.violations.is_empty()).collect();
    for report in &failed {
        for violation in &report.violations {
            eprintln!("seed {}: {violation}", report.seed);
        }
        eprintln!("replay: cargo xtask simulate --seeds 1 --from {}", report.seed);
    }
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
}

macro_rules! tens {
    ($($name:ident: $from:literal,)*) => {
        $(
            #[test]
            fn $name() {
                run($from..$from + 10);
            }
        )*
    };
}

tens! {
    seeds_from_0: 0,
    seeds_from_10: 10,
    seeds_from_20: 20,
    seeds_from_30: 30,
    seeds_from_40: 40,
    seeds_from_50: 50,
    seeds_from_60: 60,
    seeds_from_70: 70,
    seeds_from_80: 80,
    seeds_from_90: 90,
}

#[test]
fn a_seed_decides_the_run() {
    for seed in [3, 5, 12] {
        let report = simulate(seed);
        assert_eq!(simulate(seed), report);
        assert_ne!(simulate(seed + 1).trace, report.trace);
    }
}
