//! The first page: one box for whatever somebody holds in hand.

use super::document::Document;
use super::reader::Reader;
use super::thing::entries;
use super::unable::Unable;
use super::wording::time;
use axum::extract::State;
use maud::html;
use touchmark_api::{LeafView, Listing, NetworkView};
use touchmark_wire::ids::Timestamp;

/// `GET /`
pub(super) async fn page(State(reader): State<Reader>) -> Result<Document, Unable> {
    let network: NetworkView = reader.json("/v1/network").await?;
    let newest = reader.json::<Listing<LeafView>>("/v1/records?order=newest&limit=8").await;
    let main = html! {
        section.hero aria-labelledby="title" {
            h1 #title { "Touch it, and you know" }
            p.lead { "Who made it, that it is genuine, and what happened to it. Every answer has a "
                "proof that you can check without this server." }
            p { "Search for what you hold in hand: an id, a DID, the address that a tap opened, a "
                "hash, a position of the log, a serial number or any other attribute." }
        }
        @if let Ok(newest) = &newest {
            @if !newest.items.is_empty() {
                section aria-labelledby="newest" {
                    h2 #newest { "Newest records" }
                    (entries(newest))
                }
            }
        }
        section aria-labelledby="network" {
            h2 #network { "This network" }
            dl.sheet {
                div { dt { "Network id" } dd { code.bytes { (network.network) } } }
                div { dt { "Log" } dd { span.text { (network.origin) } } }
                div { dt { "Entries" } dd { (network.size) } }
                div { dt { "Batches" } dd { (network.height) } }
                div { dt { "Certified" } dd { (time(Timestamp(network.time))) } }
                div { dt { "Validators" } dd {
                    ul.plain { @for validator in &network.validators { li { (validator.name) } } }
                } }
            }
            p.small { "Compare the network id with the one that its operators publish elsewhere: "
                "everything else follows from it." }
        }
    };
    Ok(Document::new("Search", main))
}
