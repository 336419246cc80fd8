//! What a visitor takes along: proofs that stay valid without this server.

use maud::{Markup, html};

/// The section with these `links`, each an item of a list.
pub(super) fn section(links: &Markup) -> Markup {
    html! {
        section aria-labelledby="proofs" {
            h2 #proofs { "Take the proof with you" }
            p { "A proof file stays valid when this server is gone. "
                code { "touchmark verify FILE --trust NETWORK" } " checks it without a network." }
            ul.actions { (links) }
        }
    }
}
