//! Two channels: one that is open for the granted, one that is closed.

use super::Cast;
use super::writer::{Key, Writer};
use std::collections::BTreeMap;
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::entry::Rights;
use touchmark_wire::codec;
use touchmark_wire::ids::ChannelId;
use touchmark_wire::registry::{ChannelKind, ContentFormat, StatementKind, Writers};
use touchmark_wire::statement::Content;

/// Open for the sensor and its author, the organisation.
pub(super) fn open() -> Opening {
    let attributes = BTreeMap::from([("name".into(), "cold chain".into())]);
    let (kind, writers) = (ChannelKind::PUBLIC, Writers::GRANTED);
    Opening { nonce: vec![0xc1; 16], kind, writers, attributes: Some(attributes) }
}

/// Closed by its author, the organisation; anyone might write.
pub(super) fn closed() -> Opening {
    let (kind, writers) = (ChannelKind::PUBLIC, Writers::ANYONE);
    Opening { nonce: vec![0xc2; 16], kind, writers, attributes: None }
}

/// Opens, grants, writes, withdraws, closes.
pub(super) fn accepted(writer: &mut Writer, cast: &Cast) {
    let (author, sensor, device) = (cast.organisation.id(), cast.sensor.id(), cast.device.id());
    let by = (0, Key::P256);
    let said = |kind, payload| (author, kind, payload);
    let (open, closed) = (open(), closed());
    let channel = open.id(author);
    let text = Content::Inline(ContentFormat::TEXT);
    let access = |access: &Access| said(StatementKind::ACCESS, codec::encode(access));
    let grant = |thing| access(&Access::of(channel, thing, Rights::WRITE));
    let record = |thing, text: &str| (thing, StatementKind::RECORD, text.as_bytes().to_vec());
    writer.one("a channel", said(StatementKind::CHANNEL, open.encode_to_vec()), by);
    writer.one("a right to write", grant(sensor), by);
    writer.one("another right to write", grant(device), by);
    let inside = |channel: ChannelId, writer: &mut Writer, name, record, signer| {
        writer.inside(Some(channel)).formatted(name, record, signer, text);
        writer.inside(None);
    };
    let k256 = (0, Key::K256);
    inside(channel, writer, "an entry", record(sensor, "4.5 C"), k256);
    inside(channel, writer, "an entry of the author", record(author, "checked"), by);
    inside(channel, writer, "a second entry of a writer", record(sensor, "4.6 C"), k256);
    let withdraw = access(&Access::of(channel, device, Rights::NONE));
    writer.one("a right withdrawn", withdraw, by);
    let opening = said(StatementKind::CHANNEL, closed.encode_to_vec());
    writer.one("a channel for anyone", opening, by);
    let other = closed.id(author);
    inside(other, writer, "an entry of anyone", record(sensor, "4.7 C"), k256);
    writer.one("a channel is closed", access(&Access::closing(other)), by);
}
