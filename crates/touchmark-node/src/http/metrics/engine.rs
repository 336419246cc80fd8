//! The order engine's own counters, as far as an operator can use them.

/// How the engine's name of a family ends, and what we call it. None of them has a sample for each
/// peer or view, so their number does not grow.
const FAMILIES: [(&str, &str); 5] = [
    ("_state_current_view", "touchmark_engine_view"),
    ("_voter_notarization_latency", "touchmark_engine_notarization_latency"),
    ("_voter_finalization_latency", "touchmark_engine_finalization_latency"),
    ("_marshal_finalized_height", "touchmark_engine_finalized_height"),
    ("_marshal_processed_height", "touchmark_engine_processed_height"),
];

/// What follows a family's name in the name of a sample.
const SAMPLES: [&str; 5] = ["", "_total", "_bucket", "_sum", "_count"];

/// Most lines of a family.
const LINES: usize = 64;

/// The chosen families of an exposition in OpenMetrics text, under our names and without its end.
pub(super) fn families(engine: &str) -> String {
    let mut text = String::new();
    for (ending, ours) in FAMILIES {
        let mut types = engine.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names = types.find_map(|rest| {
            let (name, _) = rest.split_once(' ')?;
            name.ends_with(ending).then_some(name)
        });
        let Some(theirs) = names else { continue };
        for line in engine.lines().filter_map(|line| renamed(line, theirs, ours)).take(LINES) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// A line of the family `theirs` as one of `ours`.
fn renamed(line: &str, theirs: &str, ours: &str) -> Option<String> {
    for about in ["# HELP ", "# TYPE "] {
        if let Some(rest) = line.strip_prefix(about) {
            let rest = rest.strip_prefix(theirs)?;
            return rest.starts_with(' ').then(|| format!("{about}{ours}{rest}"));
        }
    }
    let rest = line.strip_prefix(theirs)?;
    let end = rest.find(['{', ' '])?;
    SAMPLES.contains(&&rest[..end]).then(|| format!("{ours}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::families;

    #[test]
    fn only_whole_families_that_were_chosen_are_taken() {
        let engine = "# HELP a_state_current_view current view.\n\
            # TYPE a_state_current_view gauge\na_state_current_view{epoch=\"0\"} 7\n\
            # HELP a_state_current_view_other x.\n# TYPE a_state_current_view_other counter\n\
            a_state_current_view_other_total 9\n# TYPE peers counter\npeers_total 1\n# EOF\n";
        assert_eq!(
            families(engine),
            "# HELP touchmark_engine_view current view.\n# TYPE touchmark_engine_view gauge\n\
             touchmark_engine_view{epoch=\"0\"} 7\n"
        );
        assert_eq!(families(""), "");
    }
}
