//! Which builds run: this program, the node in the folder, and other nodes that are asked.

use super::Patient;
use super::against::Other;
use super::finding::Finding;
use super::presence::Presence;
use crate::rules::BUILD;
use std::cmp::Ordering;
use touchmark_api::NodeView;
use touchmark_wire::genesis::RULES_VERSION;

const NAME: &str = "build";
const UPGRADE: &str = "upgrade this program before the network decides on newer rules";

pub(super) fn examine(patient: &Patient, others: &[Other]) -> Vec<Finding> {
    let running = match &patient.presence {
        Presence::Node(node) => Some(&node.node),
        _ => None,
    };
    // One that does not answer is named by its clock.
    let said = others.iter().filter_map(|other| Some((&other.url, other.said.as_ref().ok()?)));
    let others = said.map(|(url, said)| compared(url, &said.node));
    std::iter::once(own(running)).chain(others).collect()
}

/// This program, and the node that it examines.
fn own(running: Option<&NodeView>) -> Finding {
    let here = format!("touchmark {BUILD}, rules {RULES_VERSION}");
    match running.and_then(|node| Some((node.build.as_deref()?, node.rules?))) {
        Some((build, rules)) if (build, rules) != (BUILD, RULES_VERSION) => {
            let found = format!("{here}; the node here runs touchmark {build}, rules {rules}");
            let hint = if rules > RULES_VERSION {
                UPGRADE
            } else {
                "start the node again, so that it is this build"
            };
            Finding::warning(NAME, found, hint)
        }
        _ => Finding::fine(NAME, here),
    }
}

/// Another node.
fn compared(url: &str, node: &NodeView) -> Finding {
    let found = match (&node.build, node.rules) {
        (Some(build), Some(rules)) => format!("{url} runs touchmark {build}, rules {rules}"),
        _ => format!("{url} runs an earlier build, which does not say which"),
    };
    match node.rules.map(|rules| rules.cmp(&RULES_VERSION)) {
        Some(Ordering::Less) => {
            let hint = "upgrade it before the network decides on newer rules";
            Finding::warning(NAME, found, hint)
        }
        Some(Ordering::Greater) => Finding::warning(NAME, found, UPGRADE),
        Some(Ordering::Equal) | None => Finding::fine(NAME, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Verdict;
    use touchmark_api::openapi::Exampled as _;

    fn running(build: &str) -> NodeView {
        let mut view = NodeView::example();
        view["build"] = build.into();
        serde_json::from_value(view).unwrap()
    }

    #[test]
    fn a_node_of_another_build_than_the_program_is_named() {
        assert_eq!(own(None).verdict, Verdict::Fine);
        assert_eq!(own(Some(&running(BUILD))).verdict, Verdict::Fine);
        let other = own(Some(&running("0.0.1")));
        assert_eq!(other.verdict, Verdict::Warning);
        assert!(other.found.contains("0.0.1") && other.found.contains(BUILD), "{}", other.found);
    }

    #[test]
    fn whoever_has_the_older_rules_is_told_to_be_upgraded() {
        let with = |rules| NodeView { rules: Some(rules), ..running(BUILD) };
        let hint = |finding: Finding| finding.hint.unwrap_or_default();
        let newer = with(RULES_VERSION + 1);
        for finding in [own(Some(&newer)), compared("http://there", &newer)] {
            assert_eq!(finding.verdict, Verdict::Warning);
            assert!(hint(finding).contains("upgrade this program"));
        }
        assert!(hint(compared("http://there", &with(RULES_VERSION - 1))).contains("upgrade it"));
        let same = compared("http://there", &with(RULES_VERSION));
        assert_eq!(same.verdict, Verdict::Fine);
    }
}
