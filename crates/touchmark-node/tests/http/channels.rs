//! Channels over HTTP: lists, rights, heads, and what happens.

use crate::issuer::Issuer;
use crate::site::Site;
use serde_json::Value;
use touchmark_api::{Base64, media};
use touchmark_core::channel::access::Access;
use touchmark_core::entry::Rights;
use touchmark_core::verdict::{Trust, judge};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::ChannelId;
use touchmark_wire::registry::{StatementKind, ThingKind, Writers};

struct Trail {
    site: Site,
    author: Issuer,
    writer: Issuer,
    stranger: Issuer,
    channel: ChannelId,
    other: ChannelId,
    leaves: Vec<u64>,
}

/// A channel with a grant and three entries, and an empty one for anyone.
fn trail() -> Trail {
    let site = Site::start();
    let issuer = |kind| Issuer::new(site.network(), kind, Algorithm::Ed25519);
    let (mut author, mut writer, mut stranger) =
        (issuer(ThingKind::ORGANISATION), issuer(ThingKind::DEVICE), issuer(ThingKind::DEVICE));
    site.submit(&[author.inception(), writer.inception(), stranger.inception()]);
    let (channel, opening) = author.open(1, Writers::GRANTED);
    let grant = author.act(StatementKind::ACCESS, &Access::of(channel, writer.id, Rights::WRITE));
    let entries =
        [writer.enter(channel, b"1"), author.enter(channel, b"2"), writer.enter(channel, b"3")];
    let leaves = site.submit(&[vec![opening, grant], entries.to_vec()].concat());
    let (other, opening) = author.open(2, Writers::ANYONE);
    site.submit(&[opening]);
    Trail { site, author, writer, stranger, channel, other, leaves }
}

fn all(site: &Site, path: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = site.get(&format!("{path}limit={limit}{cursor}")).json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        assert!(items.len() <= limit, "{page}");
        found.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the list has no end")
}

fn positions(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["index"].as_u64().unwrap()).collect()
}

#[test]
fn channels_and_their_leaves_are_listed_in_pages_of_every_size() {
    let trail = trail();
    let (site, channel) = (&trail.site, trail.channel);
    let ids = [channel, trail.other].map(|id| Value::from(id.to_string()));
    let (author, writer) = (trail.author.id, trail.writer.id);
    for limit in [1, 2, 1_000] {
        let ids_of = |path: &str| -> Vec<Value> {
            all(site, path, limit).into_iter().map(|item| item["id"].clone()).collect()
        };
        assert_eq!(ids_of("/v1/channels?"), ids);
        assert_eq!(ids_of(&format!("/v1/channels?author={author}&")), ids);
        assert_eq!(ids_of(&format!("/v1/channels?author={writer}&")), <[Value; 0]>::default());
        let newest = ids_of("/v1/channels?order=newest&");
        assert_eq!(newest, [ids[1].clone(), ids[0].clone()]);
        let leaves = |query: &str| {
            positions(&all(site, &format!("/v1/channels/{channel}/leaves?{query}"), limit))
        };
        assert_eq!(leaves(""), trail.leaves);
        assert_eq!(leaves("kind=record&"), trail.leaves[2..]);
        let theirs = leaves(&format!("issuer={writer}&order=newest&"));
        assert_eq!(theirs, [trail.leaves[4], trail.leaves[2]]);
        let window = format!("since={}&until={}&", trail.leaves[1], trail.leaves[3]);
        assert_eq!(leaves(&window), trail.leaves[1..3]);
        let chain = format!("/v1/things/{writer}/chain?channel={channel}&");
        let chain = positions(&all(site, &chain, limit));
        assert_eq!(chain, [trail.leaves[2], trail.leaves[4]]);
    }
    for path in [
        "/v1/channels?writer=x",
        "/v1/channels?author=x",
        "/v1/channels?cursor=x",
        "/v1/channels/x",
    ] {
        assert_eq!(site.get(path).status, 400, "{path}");
    }
}

#[test]
fn a_channel_says_who_opened_it_and_what_is_in_it_with_proof() {
    let mut trail = trail();
    let path = format!("/v1/channels/{}", trail.channel);
    let answer = trail.site.get(&format!("{path}?proof=1"));
    let view = answer.json();
    assert_eq!(view["author"], trail.author.id.to_string());
    assert_eq!((&view["kind"], &view["writers"]), (&"public".into(), &"granted".into()));
    assert_eq!(view["attributes"]["name"], "channel 1");
    assert_eq!((&view["opened"], &view["history"]["count"]), (&trail.leaves[0].into(), &5.into()));
    assert_eq!(view["closed"], Value::Null);
    let proof = Base64::parse(view["proof"].as_str().unwrap()).unwrap();
    let trust = Trust { network: Some(trail.site.network()), ..Trust::default() };
    let verdict = judge(&proof.0, &trust);
    assert!(verdict.valid, "{:#?}", verdict.checks);
    let channel = trail.channel;
    let questions = format!("complete_channel={channel}&writer={channel}:{}", trail.writer.id);
    let bundle = trail.site.get(&format!("/v1/proofs?{questions}&channel={channel}")).body;
    assert!(judge(&bundle, &trust).valid);
    let tag = trail.site.get(&path).header("etag").unwrap().to_owned();
    assert_eq!(trail.site.ask(&path, &[("if-none-match", &tag)]).status, 304);
    let close = trail.author.act(StatementKind::ACCESS, &Access::closing(trail.channel));
    let at = trail.site.submit(&[close])[0];
    let path = format!("{path}?at_least={}", at + 1);
    let answer = trail.site.ask(&path, &[("if-none-match", &tag)]);
    assert_eq!((answer.status, &answer.json()["closed"]), (200, &at.into()));
    let absent = trail.site.get(&format!("/v1/channels/{}", ChannelId([9; 20])));
    assert_eq!((absent.status, &absent.json()["code"]), (404, &"TM-NOT-FOUND".into()));
}

#[test]
fn writers_are_listed_and_everybody_finds_the_head_of_its_chain() {
    let mut trail = trail();
    let channel = trail.channel;
    let (writer, stranger) = (trail.writer.id, trail.stranger.id);
    let writers = format!("/v1/channels/{channel}/writers");
    let listed = all(&trail.site, &format!("{writers}?"), 1);
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["thing"], &listed[0]["rights"][0]),
        (&writer.to_string().into(), &"write".into())
    );
    let other = all(&trail.site, &format!("/v1/channels/{}/writers?", trail.other), 9);
    assert_eq!(other.len(), 0);
    let of = |site: &Site, thing| site.get(&format!("{writers}/{thing}?proof=1")).json();
    let view = of(&trail.site, writer);
    assert_eq!((&view["may_write"], &view["head"]["sequence"]), (&true.into(), &2.into()));
    let last = trail.site.get(&format!("/v1/leaves/{}", trail.leaves[4])).json();
    assert_eq!(view["head"]["last"], last["statement"]["id"]);
    let proof = Base64::parse(view["proof"].as_str().unwrap()).unwrap();
    let trust = Trust { network: Some(trail.site.network()), ..Trust::default() };
    assert!(judge(&proof.0, &trust).valid);
    let author = of(&trail.site, trail.author.id);
    assert_eq!((&author["may_write"], &author["head"]["sequence"]), (&true.into(), &1.into()));
    let none = of(&trail.site, stranger);
    assert_eq!((&none["may_write"], &none["head"]["sequence"]), (&false.into(), &0.into()));
    assert_eq!(none["head"]["last"], trail.site.network().to_string());
    assert_eq!(trail.site.get(&format!("{writers}/{}", "a".repeat(32))).status, 404);
    assert_eq!(trail.site.get(&format!("{writers}/x")).status, 400);

    // A stranger's entry is denied, with a position; a conflict names the head in the channel.
    let denied = trail.stranger.enter(channel, b"x");
    let denied = trail.site.post("/v1/statements", media::COSE, &denied);
    let problem = denied.json();
    assert_eq!((denied.status, &problem["code"]), (403, &"TM-NOT-AUTHORISED".into()));
    let place = problem["position"].as_u64().unwrap();
    let leaves = format!("/v1/channels/{channel}/leaves?kind=denied&at_least={}&", place + 1);
    assert_eq!(positions(&all(&trail.site, &leaves, 9)), [place]);
    let entry = trail.writer.enter(channel, b"4");
    let conflict = trail.writer.enter(channel, b"5");
    trail.site.submit(&[entry]);
    let gap = trail.writer.enter(channel, b"6");
    let missing = trail.site.post("/v1/statements", media::COSE, &gap).json();
    assert_eq!(
        (&missing["code"], &missing["head"]["sequence"]),
        (&"TM-OUT-OF-ORDER".into(), &3.into())
    );
    trail.site.submit(&[conflict]);
    let unknown = trail.writer.enter(ChannelId([9; 20]), b"x");
    let unknown = trail.site.post("/v1/statements", media::COSE, &unknown);
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &"TM-UNKNOWN-CHANNEL".into()));
}
