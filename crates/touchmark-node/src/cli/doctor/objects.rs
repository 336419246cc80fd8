//! Object storage: whether what is kept there can be read.

use super::Patient;
use super::finding::Finding;
use super::presence::Presence;

const NAME: &str = "object storage";

/// Nothing to say where none is named and none is needed.
pub(super) fn examine(patient: &Patient) -> Option<Finding> {
    let url = patient.config.objects.url.as_deref();
    let place = url.unwrap_or("no object storage that is named");
    match &patient.presence {
        Presence::Nobody(Some(examined)) => {
            let kept = format!("{place} has {} old leaves", examined.sealed);
            match &examined.away {
                None if examined.sealed == 0 => {
                    url.map(|_| Finding::fine(NAME, format!("{place} has no leaves yet")))
                }
                None => Some(Finding::fine(NAME, format!("{kept}; the last of them is right"))),
                Some(why) => {
                    let hint = "check `objects.url`, the service and its credentials (AWS_…); of a \
                                lost bucket, put back a copy";
                    Some(Finding::failed(
                        NAME,
                        format!("{kept}, and does not give them: {why}"),
                        hint,
                    ))
                }
            }
        }
        Presence::Node(node) => url.map(|_| match node.readiness.warnings.first() {
            None => Finding::fine(NAME, format!("{place} answers the node")),
            Some(warning) => {
                Finding::warning(NAME, warning, "the node tries again by itself; its log says why")
            }
        }),
        _ => None,
    }
}
