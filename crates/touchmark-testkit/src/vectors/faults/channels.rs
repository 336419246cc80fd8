//! What goes wrong in channels.

use super::{End, Faults};
use crate::vectors::channels::{closed, open};
use crate::vectors::writer::{Key, signed};
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::entry::Rights;
use touchmark_wire::codec;
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::registry::{ContentFormat, RefusalCode, StatementKind, Writers};
use touchmark_wire::statement::{Content, Draft, Link};

impl Faults<'_> {
    /// The next entry of a thing in a channel, changed.
    fn entry(
        &self,
        channel: ChannelId,
        (issuer, number, key): (ThingId, u32, Key),
        change: impl FnOnce(&mut Link),
    ) -> Vec<u8> {
        let mut link = self.writer.link_in(Some(channel), issuer, StatementKind::RECORD);
        change(&mut link);
        let content = Content::Inline(ContentFormat::TEXT);
        let draft = Draft { issuer, link, content, claims: None, payload: b"entry" };
        signed(&draft, number, key)
    }

    pub(super) fn channels(&mut self) {
        let author = self.cast.organisation.id();
        let (by_author, by_sensor, by_device) = (
            (author, 0, Key::P256),
            (self.cast.sensor.id(), 0, Key::K256),
            (self.cast.device.id(), 1, Key::Next),
        );
        let (open, closed) = (open().id(author), closed().id(author));
        let missing = self.entry(open, by_sensor, |link| link.sequence.0 += 1);
        self.refused("an entry after a missing one", &missing, RefusalCode::OUT_OF_ORDER);
        let main = self.writer.link(author, StatementKind::RECORD).previous;
        let wrong = self.entry(open, by_author, |link| link.previous = main);
        self.refused("an entry after one of the main chain", &wrong, RefusalCode::CONFLICT);
        let kind = self.entry(open, by_author, |link| link.kind = StatementKind::UPDATE);
        self.refused("an update in a channel", &kind, RefusalCode::UNKNOWN_KIND);
        let origin = super::super::NETWORK.0;
        let twin = self.entry(open, by_sensor, |link| {
            (link.sequence.0, link.previous) = (1, origin);
        });
        self.case("a second first entry", &twin, End::Forked, RefusalCode::FORK);
        let stranger = self.entry(open, by_device, |_| {});
        let code = RefusalCode::NOT_AUTHORISED;
        self.case("an entry without the right to write", &stranger, End::Denied, code);
        let late = self.entry(closed, by_author, |_| {});
        self.case("an entry in a closed channel", &late, End::Denied, RefusalCode::CLOSED);
        self.openings_and_access(open, closed);
    }

    fn openings_and_access(&mut self, open: ChannelId, closed: ChannelId) {
        let opening = super::super::channels::open();
        for (name, opening, code) in [
            ("the same channel again", opening.clone(), RefusalCode::EXISTS),
            (
                "a channel with a short nonce",
                Opening { nonce: vec![1; 8], ..opening.clone() },
                RefusalCode::PAYLOAD,
            ),
            (
                "a channel with unknown writers",
                Opening { writers: Writers(9), ..opening },
                RefusalCode::UNKNOWN_KIND,
            ),
        ] {
            let bytes = self.by_organisation(StatementKind::CHANNEL, opening.encode_to_vec());
            self.case(name, &bytes, End::Denied, code);
        }
        let (sensor, device) = (self.cast.sensor.id(), self.cast.device.id());
        let grant = |thing| Access::of(open, thing, Rights::WRITE);
        for (name, access, code) in [
            ("a right that it has", grant(sensor), RefusalCode::STATUS),
            ("an unknown right", Access::of(open, device, Rights(128)), RefusalCode::PAYLOAD),
            ("rights of everybody", Access { thing: None, ..grant(device) }, RefusalCode::PAYLOAD),
            ("a right of nobody", grant(ThingId([0x5c; 20])), RefusalCode::UNKNOWN_THING),
            (
                "a right in no channel",
                Access { channel: ChannelId([1; 20]), ..grant(device) },
                RefusalCode::UNKNOWN_CHANNEL,
            ),
            ("closed again", Access::closing(closed), RefusalCode::CLOSED),
        ] {
            let bytes = self.by_organisation(StatementKind::ACCESS, codec::encode(&access));
            self.case(name, &bytes, End::Denied, code);
        }
        let theirs = (sensor, StatementKind::ACCESS, codec::encode(&grant(device)));
        let bytes = self.statement(theirs, 0, Key::K256);
        self.case("a right given by a writer", &bytes, End::Denied, RefusalCode::NOT_AUTHORISED);
    }
}
