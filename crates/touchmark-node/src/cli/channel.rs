//! Channels: audit trails into which those write whom the author lets.

use super::answer::{Answer, Table};
use super::attributes::Pair;
use super::explain::payload::content;
use super::failure::Failure;
use super::identity::creation::nonce;
use super::identity::signing::{Proposal, Signing};
use super::session::Session;
use super::sheet::{Field, Sheet};
use super::thing::Part;
use super::{record, registered, view};
use std::path::PathBuf;
use touchmark_api::client::Page;
use touchmark_api::{ChannelView, LeafView, Listing, WriterView, Written};
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::entry::Rights;
use touchmark_wire::codec;
use touchmark_wire::ids::ChannelId;
use touchmark_wire::registry::{ChannelKind, ContentFormat, StatementKind, Writers};
use touchmark_wire::statement::Content;

/// Commands about channels
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Open a channel; whoever opens it is its author
    Open(Open),
    /// Let a thing write into a channel, as its author
    Grant(Change),
    /// Let a thing write no longer
    Withdraw(Change),
    /// Close a channel for good: nobody writes into it any more
    Close(Close),
    /// Write a file, or standard input, as an entry
    Write(Write),
    /// List channels
    List(List),
    /// Show what the network knows of a channel, and to whom its author granted writing
    Show {
        /// Channel id
        channel: ChannelId,
    },
    /// List what is about and in a channel, with the content of its entries
    Read(Read),
}

#[derive(clap::Args, Debug)]
pub(super) struct Open {
    #[command(flatten)]
    signing: Signing,
    /// Who may write, beside the author
    #[arg(long, default_value = "granted", value_parser = registered::writers())]
    writers: Writers,
    /// What it is about, such as name=cold-chain; repeatable
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Pair>,
}

#[derive(clap::Args, Debug)]
pub(super) struct Change {
    #[command(flatten)]
    signing: Signing,
    /// Channel id
    channel: ChannelId,
    /// Thing id, DID, or identity held here
    id: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct Close {
    #[command(flatten)]
    signing: Signing,
    /// Channel id
    channel: ChannelId,
}

#[derive(clap::Args, Debug)]
pub(super) struct Write {
    #[command(flatten)]
    signing: Signing,
    /// Channel id
    channel: ChannelId,
    /// The data; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What the data are: text, json, cbor, senml+json, senml+cbor, octets, or a number; otherwise
    /// what the file's name says
    #[arg(long, value_parser = registered::content_format)]
    format: Option<ContentFormat>,
}

#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// Of this author only: thing id, DID, or identity held here
    #[arg(long, value_name = "ID")]
    author: Option<String>,
    #[command(flatten)]
    part: Part,
}

#[derive(clap::Args, Debug)]
pub(super) struct Read {
    /// Channel id
    channel: ChannelId,
    /// Of this issuer only: thing id, DID, or identity held here
    #[arg(long, value_name = "ID")]
    issuer: Option<String>,
    #[command(flatten)]
    part: Part,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Open(open) => run_open(session, &open),
        Command::Grant(change) => run_change(session, &change, Rights::WRITE),
        Command::Withdraw(change) => run_change(session, &change, Rights::NONE),
        Command::Close(Close { signing, channel }) => {
            set_access(session, &signing, &Access::closing(channel))
        }
        Command::Write(write) => run_write(session, &write),
        Command::List(list) => run_list(session, &list),
        Command::Show { channel } => {
            let client = session.client()?;
            let view = client.channel(channel)?;
            let granted = client.writers(channel, &Page::default())?;
            Ok(shown(&view, &granted))
        }
        Command::Read(read) => {
            let issuer = read.issuer.as_deref().map(|text| session.thing(text)).transpose()?;
            let page = read.part.page();
            let listing = session.client()?.channel_leaves(read.channel, issuer, &page)?;
            Ok(Answer::new(&listing, entries(&listing)))
        }
    }
}

fn run_open(session: &mut Session<'_, '_>, open: &Open) -> Result<Answer, Failure> {
    let author = open.signing.open(session)?.thing()?;
    let opening = Opening {
        nonce: nonce()?,
        kind: ChannelKind::PUBLIC,
        writers: open.writers,
        attributes: Pair::map(&open.attributes),
    };
    let payload = opening.encode_to_vec();
    let channel = Opening::id_of(author, &payload);
    let proposal = Proposal::new(StatementKind::CHANNEL, &payload);
    Ok(written(&open.signing.state(session, &proposal)?, channel))
}

fn run_change(
    session: &mut Session<'_, '_>,
    change: &Change,
    rights: Rights,
) -> Result<Answer, Failure> {
    let thing = session.thing(&change.id)?;
    set_access(session, &change.signing, &Access::of(change.channel, thing, rights))
}

fn set_access(
    session: &mut Session<'_, '_>,
    signing: &Signing,
    access: &Access,
) -> Result<Answer, Failure> {
    let payload = codec::encode(access);
    let proposal = Proposal::new(StatementKind::ACCESS, &payload);
    Ok(written(&signing.state(session, &proposal)?, access.channel))
}

fn run_write(session: &mut Session<'_, '_>, write: &Write) -> Result<Answer, Failure> {
    let data = session.read(&write.file)?;
    let format = write.format.unwrap_or_else(|| record::format_of(&write.file));
    let (content, channel) = (Content::Inline(format), Some(write.channel));
    let proposal = Proposal { content, channel, ..Proposal::new(StatementKind::RECORD, &data) };
    Ok(written(&write.signing.state(session, &proposal)?, write.channel))
}

fn run_list(session: &Session<'_, '_>, list: &List) -> Result<Answer, Failure> {
    let author = list.author.as_deref().map(|text| session.thing(text)).transpose()?;
    let listing = session.client()?.channels(author, &list.part.page())?;
    let mut table = Table::new(&["id", "author", "writers", "entries", "attributes"]);
    for channel in &listing.items {
        let pairs = channel.attributes.iter().map(|(name, value)| format!("{name}={value}"));
        table.row([
            channel.id.clone(),
            channel.author.clone(),
            writers(channel),
            channel.history.count.to_string(),
            pairs.collect::<Vec<_>>().join(" "),
        ]);
    }
    let text = table.to_string() + &view::more(listing.next.as_deref());
    Ok(Answer::new(&listing, text))
}

/// What became of a statement about or in a channel.
fn written(written: &Written, channel: ChannelId) -> Answer {
    let mut document = Answer::new(written, "").document;
    document["channel"] = channel.to_string().into();
    let mut sheet = Sheet::default();
    sheet.add("channel", channel.to_string());
    view::outcome(&mut sheet, written);
    Answer::raw(document, sheet.to_string().into_bytes())
}

fn writers(view: &ChannelView) -> String {
    match view.closed {
        Some(leaf) => format!("none, closed at leaf {leaf}"),
        None => view.writers.clone(),
    }
}

fn shown(view: &ChannelView, granted: &Listing<WriterView>) -> Answer {
    let mut document = Answer::new(view, "").document;
    document["granted"] = Answer::new(granted, "").document;
    let mut sheet = Sheet::default();
    sheet.add("id", view.id.as_str()).add("author", view.author.as_str());
    sheet.add("kind", view.kind.as_str()).add("writers", writers(view));
    let things = granted.items.iter().map(|writer| {
        let since = writer.since.map(|leaf| format!(" since leaf {leaf}")).unwrap_or_default();
        let place = writer.head.sequence;
        format!("{}: {}{since}, {place} entries", writer.thing, writer.rights.join(" "))
    });
    sheet.add("granted", things.collect::<Field>());
    if granted.next.is_some() {
        sheet.add("more", "GET /v1/channels/ID/writers lists all");
    }
    let mut attributes = Sheet::default();
    for (name, value) in &view.attributes {
        attributes.add(name.as_str(), value.as_str());
    }
    if !view.attributes.is_empty() {
        sheet.add("attributes", attributes);
    }
    sheet.add("opened", format!("leaf {}", view.opened));
    sheet.add("history", format!("{} leaves", view.history.count));
    let mentions = Some(view.history.mentions).filter(|mentions| *mentions > 0);
    let apart = mentions.map(|mentions| format!("{mentions} leaves of those who might not write"));
    sheet.add_some("mentions", apart);
    sheet.add("log size", view.size);
    Answer::raw(document, sheet.to_string().into_bytes())
}

/// Leaves of a channel, one line each.
fn entries(listing: &Listing<LeafView>) -> String {
    let mut table = Table::new(&["leaf", "what", "issuer", "place", "content"]);
    for leaf in &listing.items {
        let Some(statement) = &leaf.statement else { continue };
        let kind = match &leaf.code {
            Some(code) => format!("{} ({code})", leaf.kind.name()),
            None => statement.kind.clone(),
        };
        let format = ContentFormat(statement.content_format);
        let shown = match (&statement.channel, statement.committed) {
            (None, _) => String::new(),
            (Some(_), true) => "committed".to_owned(),
            (Some(_), false) => one_line(&content(format, &statement.payload.0)),
        };
        let place = statement.sequence.to_string();
        table.row([leaf.index.to_string(), kind, statement.issuer.clone(), place, shown]);
    }
    table.to_string() + &view::more(listing.next.as_deref())
}

/// A content in a line of a table; `touchmark record show` shows the whole of it.
fn one_line(content: &Field) -> String {
    const SHOWN: usize = 60;
    let text = content.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN).chain(['…']).collect()
}
