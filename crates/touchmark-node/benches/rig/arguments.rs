//! What a benchmark is asked for on its command line.

/// Whether it has to be over soon.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// What stands behind this option, if it is there.
pub(crate) fn value(option: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != option).nth(1)
}

/// The number behind this option, if there is one.
pub(crate) fn number(option: &str) -> Option<usize> {
    value(option)?.parse().ok()
}
