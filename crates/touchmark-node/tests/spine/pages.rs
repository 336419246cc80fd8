//! Pages: what they say, that nothing in the data becomes markup, and what browsers are told.

use crate::issuer::{Card, Issuer};
use crate::network::Network;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::Rights;
use touchmark_node::http::{self, Gateway, Limits};
use touchmark_node::pages;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::registry::{
    ChannelKind, ContentFormat, StatementKind, Status, ThingKind, Writers,
};
use tower::ServiceExt as _;

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

fn open(network: &Network, path: &str) -> Page {
    network.wait(async {
        let gateway = Gateway::new(network.node.clone(), network.folder.path(), Limits::default());
        let router = http::router(&gateway);
        let request = Request::get(path).header("accept", "text/html").body(Body::empty());
        let answer = router.oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 4 << 20).await.unwrap();
        Page { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    })
}

/// Markup that would do harm if a page took it for its own.
const HARM: &str = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;";

struct Story {
    network: Network,
    maker: ThingId,
    /// Author of the channel.
    keeper: ThingId,
    card: ThingId,
    channel: ChannelId,
    statement: String,
}

/// A maker with a harmful name, a card that is stolen, and records, one of them harmful.
fn story() -> Story {
    let network = Network::start();
    let mut maker = Issuer::new(network.id(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    let mut leaves = vec![maker.inception()];
    let set = [("name", HARM), ("batch", "LOT-2026-0007")];
    let set: BTreeMap<_, _> = set.map(|(name, value)| (name.into(), value.into())).into();
    let update = Update { thing: maker.id, set, remove: Vec::new() };
    leaves.push(maker.act(StatementKind::UPDATE, &update));
    leaves.push(maker.act(StatementKind::REGISTER, &card.inception));
    let reason = Some(HARM.to_owned());
    let stolen = SetStatus { thing: card.id(), status: Status::STOLEN, reason, keys: None };
    leaves.push(maker.act(StatementKind::STATUS, &stolen));
    leaves.push(maker.state(StatementKind::RECORD, ContentFormat::TEXT, HARM.as_bytes()));
    let senml = br#"[{"bn":"urn:dev:a:","n":"temperature","u":"Cel","v":21.5,"bt":1700000000}]"#;
    leaves.push(maker.state(StatementKind::RECORD, ContentFormat::SENML_JSON, senml));
    leaves.extend((0..25).map(|n| maker.record(&[n])));
    let opening = Opening {
        nonce: vec![1; 16],
        kind: ChannelKind::PUBLIC,
        writers: Writers::GRANTED,
        attributes: Some([("name".to_owned(), HARM.to_owned())].into()),
    };
    let mut keeper = Issuer::new(network.id(), ThingKind::DEVICE, Algorithm::Ed25519);
    let channel = opening.id(keeper.id);
    leaves.extend([keeper.inception(), keeper.act(StatementKind::CHANNEL, &opening)]);
    let grant = Access::of(channel, card.id(), Rights::WRITE);
    leaves.push(keeper.act(StatementKind::ACCESS, &grant));
    leaves.extend((0..25).map(|n| keeper.enter(channel, &[n])));
    let outcomes = network.submit(leaves.clone());
    assert!(outcomes.iter().all(|outcome| outcome.refusal().is_none()), "{outcomes:?}");
    let statement = touchmark_wire::statement::Statement::parse(&leaves[4]).unwrap();
    let statement = statement.id().to_string();
    let (maker, keeper) = (maker.id, keeper.id);
    Story { network, maker, keeper, card: card.id(), channel, statement }
}

fn every_page(story: &Story) -> Vec<(String, Page)> {
    let network = &story.network;
    let leaf = |text: &str| {
        let found = (1..40).find(|at| open(network, &format!("/r/{at}")).text.contains(text));
        found.unwrap_or_else(|| panic!("no leaf says {text}"))
    };
    let (harmful, judged) = (leaf("alert(1)"), leaf("How far it can be believed"));
    let query = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let paths = [
        "/".to_owned(),
        format!("/t/{}", story.maker),
        format!("/t/{}", story.card),
        format!("/t/{}?taken={query}", story.maker),
        format!("/t/{}?cursor={query}", story.maker),
        format!("/r/{harmful}"),
        format!("/r/{judged}"),
        "/search?q=nothing-has-this".to_owned(),
        format!("/search?q={query}"),
        "/search?q=LOT-".to_owned(),
        format!("/t/{query}"),
        format!("/r/{query}"),
        "/r/999999".to_owned(),
        format!("/t/{}/chain", story.maker),
        format!("/c/{}", story.channel),
        format!("/c/{}?cursor={query}", story.channel),
        format!("/c/{query}"),
        format!("/t/{}/chain?channel={query}", story.maker),
        "/t/%ff".to_owned(),
        "/r/%ff".to_owned(),
        "/search?q=1&q=2".to_owned(),
        "/setup".to_owned(),
        "/reference".to_owned(),
        "/problems".to_owned(),
        "/assets/none.css".to_owned(),
    ];
    for pattern in pages::paths() {
        assert!(paths.iter().any(|path| fits(pattern, path)), "no page of {pattern} is looked at");
    }
    paths.into_iter().map(|path| (path.clone(), open(network, &path))).collect()
}

/// Whether an address is one of a route's.
fn fits(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (parts, given) = (pattern.split('/'), path.split('/'));
    parts.clone().count() == given.clone().count()
        && parts.zip(given).all(|(part, given)| part.starts_with('{') || part == given)
}

#[test]
fn nothing_in_the_data_or_the_address_becomes_markup() {
    let story = story();
    let mut shown = 0;
    for (path, page) in every_page(&story) {
        shown += page.text.matches("alert(").count();
        for harm in ["<script", "<img src=x", "style=", "javascript:"] {
            assert!(!page.text.contains(harm), "{path}: {harm}\n{}", page.text);
        }
        // Addresses lead nowhere else, and nothing is loaded from elsewhere.
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for (_, rest) in page
                .text
                .match_indices(attribute)
                .map(|(at, _)| page.text[at..].split_at(attribute.len()))
            {
                assert!(
                    rest.starts_with(['/', '#']) && !rest.starts_with("//"),
                    "{path}: {}",
                    &rest[..40]
                );
            }
        }
    }
    assert!(shown > 6, "the harmful texts are shown as texts: {shown}");
}

#[test]
fn a_channel_is_found_by_its_id_and_says_who_writes() {
    let story = story();
    let (network, channel) = (&story.network, story.channel);
    for text in [channel.to_string(), channel.to_string().to_uppercase()] {
        let found = open(network, &format!("/search?q={text}"));
        assert_eq!(found.status, StatusCode::SEE_OTHER);
        assert_eq!(found.headers["location"], format!("/c/{channel}"));
    }
    let thing = open(network, &format!("/search?q={}", story.card));
    assert_eq!(thing.headers["location"], format!("/t/{}?taken=id", story.card));
    let page = open(network, &format!("/c/{channel}"));
    assert_eq!(page.status, StatusCode::OK);
    for said in [
        "Proved by these checks".to_owned(),
        format!("/t/{}", story.keeper),
        format!("/t/{}/chain?channel={channel}", story.card),
        format!("/v1/proofs?channel={channel}&amp;complete_channel={channel}"),
        "27 leaves".to_owned(),
        format!("/c/{channel}?cursor="),
    ] {
        assert!(page.text.contains(&said), "{said}\n{}", page.text);
    }
    let absent = open(network, &format!("/c/{}", ChannelId([9; 20])));
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

#[test]
fn every_page_forbids_scripts_frames_and_other_origins() {
    let story = story();
    for (path, page) in every_page(&story) {
        let header =
            |name: &str| page.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or("none");
        let policy = header("content-security-policy");
        for rule in
            ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert!(header("content-type").starts_with("text/html"), "{path}");
    }
    let home = open(&story.network, "/").text;
    let style = home.split("href=\"").find(|it| it.starts_with("/assets/") && it.contains(".css"));
    let style = open(&story.network, style.unwrap().split('"').next().unwrap());
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(!style.text.contains("url(") && !style.text.contains("@import"));
    assert_eq!(open(&story.network, "/assets/other.css").status, StatusCode::NOT_FOUND);
    let tag = open(&story.network, "/").headers["etag"].clone();
    assert_eq!(tag, open(&story.network, "/").headers["etag"], "pages have tags, too");
}

#[test]
fn pages_can_be_read_and_operated_without_seeing_them() {
    let story = story();
    for (path, page) in every_page(&story) {
        let count = |part: &str| page.text.matches(part).count();
        assert!(page.text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}");
        for once in
            ["<main", "<header", "<footer", "<h1", "<title>", "role=\"search\"", "class=\"skip\""]
        {
            assert_eq!(count(once), 1, "{path}: {once}");
        }
        assert_eq!(count("<label class=\"hidden\" for=\"q\">"), 1, "{path}");
        assert_eq!(count("<details"), count("<summary"), "{path}");
        // Headings go down one level at a time.
        let levels = page.text.match_indices("<h").filter_map(|(at, _)| {
            let level = page.text[at + 2..].chars().next()?.to_digit(10)?;
            page.text[at + 3..].starts_with([' ', '>']).then_some(level)
        });
        levels.fold(0, |above, level| {
            assert!(level <= above + 1, "{path}: h{level} below h{above}");
            level
        });
        let attribute = |tag: &str, name: &str| {
            let value = tag.split_once(&format!(" {name}=\""))?.1;
            Some(value.split('"').next().unwrap().to_owned())
        };
        let tags = |name: &str| {
            let begin = format!("<{name} ");
            let tags = page.text.split(&begin).skip(1).map(|tag| tag.split('>').next().unwrap());
            tags.map(|tag| format!(" {tag}")).collect::<Vec<_>>()
        };
        for field in ["input", "select", "textarea"].iter().flat_map(|name| tags(name)) {
            let id = attribute(&field, "id").unwrap_or_else(|| panic!("{path}: {field}"));
            assert_eq!(count(&format!(" for=\"{id}\"")), 1, "{path}: {id} has no label");
        }
        for image in tags("img") {
            assert!(attribute(&image, "alt").is_some(), "{path}: {image}");
        }
        let mut ids = BTreeSet::new();
        for id in page.text.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(ids.insert(id), "{path}: {id} twice");
        }
        for labelled in page.text.split("aria-labelledby=\"").skip(1) {
            let id = labelled.split('"').next().unwrap();
            assert_eq!(count(&format!(" id=\"{id}\"")), 1, "{path}: {id}");
        }
    }
}

#[test]
fn every_verdict_has_a_question_mark_that_says_what_it_does_not_prove() {
    let story = story();
    let mut verdicts = 0;
    for (path, page) in every_page(&story) {
        for part in page.text.split("<p class=\"word\">").skip(1) {
            verdicts += 1;
            let before = part.split("<section").next().unwrap();
            let help = before.split_once("<details class=\"limits\"><summary>");
            let help = help.unwrap_or_else(|| panic!("{path}: no help beside {before}")).1;
            assert!(help.starts_with("<span class=\"help\""), "{path}: {help}");
            assert!(help.contains("Does not prove: "), "{path}: {help}");
        }
        for check in page.text.split("<span class=\"mark\"").skip(1) {
            let check = check.split("</details>").next().unwrap();
            let explained = check.contains("class=\"help\"") && check.contains("Does not prove: ");
            assert!(explained, "{path}: {check}");
        }
    }
    assert!(verdicts >= 8, "{verdicts}");
}

#[test]
fn the_reference_has_every_route_and_each_problem_leads_to_its_meaning() {
    let story = story();
    let reference = open(&story.network, "/reference").text;
    let problems = open(&story.network, "/problems").text;
    let document = http::document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let shown = format!("{}</span>{path}</code>", method.to_uppercase());
            assert!(reference.contains(&shown), "{shown}");
            assert!(reference.contains(operation["summary"].as_str().unwrap()), "{shown}");
        }
    }
    for code in document["x-problem-codes"].as_array().unwrap() {
        let id = format!(" id=\"{}\"", code["code"].as_str().unwrap());
        assert_eq!(problems.matches(&id).count(), 1, "{id}");
    }
    // `type` of a problem is such an address.
    let gone = open(&story.network, "/v1/things/x").text;
    let gone: serde_json::Value = serde_json::from_str(&gone).unwrap();
    let (page, code) = gone["type"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!((page, problems.contains(&format!(" id=\"{code}\""))), ("/problems", true));
}

#[test]
fn a_thing_is_judged_in_words_with_checks_that_are_explained() {
    let story = story();
    let maker = open(&story.network, &format!("/t/{}", story.maker));
    for text in ["Active", "Certified", "Authority", "Does not prove:", "LOT-2026-0007", "Ed25519"]
    {
        assert!(maker.text.contains(text), "{text}\n{}", maker.text);
    }
    assert!(maker.text.contains(&format!("/v1/proofs?status={}", story.maker)));
    assert!(maker.text.contains("class=\"verdict good\""), "the panel has its colour");
    assert!(maker.text.contains("Inception"), "{}", maker.text);
    let more = maker.text.split("href=\"").find(|it| it.contains("cursor=")).unwrap();
    let more = open(&story.network, more.split(['"', '#']).next().unwrap()).text;
    assert!(more.contains("Record") && !more.contains("Inception"), "{more}");
    assert!(!more.contains("cursor="), "it is the last page");
    let card = open(&story.network, &format!("/t/{}", story.card)).text;
    for text in ["Reported stolen", "has no effect", "Status over time", "Stolen"] {
        assert!(card.contains(text), "{text}\n{card}");
    }
    assert!(card.contains(&format!("href=\"/t/{}\"", story.maker)), "its controller");
}

#[test]
fn a_record_shows_its_values_and_an_unknown_one_says_why_not() {
    let story = story();
    let find = |text: &str| {
        let pages = (1..40).map(|at| open(&story.network, &format!("/r/{at}")));
        pages.map(|page| page.text).find(|page| page.contains(text)).unwrap()
    };
    let record = find("Cel");
    for text in [
        "In the log, rightly signed",
        "urn:dev:a:temperature",
        "21.5",
        "COSE receipt",
        "Certified",
        "How far it can be believed",
        "TM-SIGNED-BY-ISSUER",
    ] {
        assert!(record.contains(text), "{text}\n{record}");
    }
    let gone = open(&story.network, "/r/999999");
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.text.contains("TM-NOT-FOUND") && gone.text.contains("What you can do"));
    assert_eq!(open(&story.network, "/t/x").status, StatusCode::BAD_REQUEST);
}

#[test]
fn the_search_box_takes_what_somebody_has_in_hand() {
    let story = story();
    let look = |text: &str| open(&story.network, &format!("/search?q={text}"));
    let to = |page: &Page| page.headers["location"].to_str().unwrap().to_owned();
    let (id, maker) = (story.maker.to_string(), story.maker);
    assert_eq!(to(&look(&id)), format!("/t/{id}?taken=id"));
    let did = maker.did(&story.network.id());
    assert_eq!(to(&look(&format!("%20{did}"))), format!("/t/{id}?taken=did"));
    let card = Card::new(maker);
    let tap = String::from_utf8(card.url(3)).unwrap().replace('&', "%26");
    assert_eq!(to(&look(&tap)), format!("/t/{}?taken=tap", card.id()));
    assert!(open(&story.network, &to(&look(&id))).text.contains("Taken for a thing id"));
    assert_eq!(to(&look("")), "/");
    for (text, taken) in [
        (story.statement.as_str(), "Taken for: The id of a statement"),
        (&story.network.id().to_string(), "Taken for: The id of a network"),
        ("3", "Taken for: A position of the log"),
        ("LOT-2026-0007", "Taken for: the value of an attribute"),
        ("LOT-2026", "Taken for: the start of an attribute"),
        ("nothing-has-this", "Nothing here has this"),
    ] {
        let page = look(text);
        assert_eq!(page.status, StatusCode::OK, "{text}");
        assert!(page.text.contains(taken), "{text}: {taken}\n{}", page.text);
    }
}
