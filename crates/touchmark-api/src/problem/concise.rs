//! Problems in CBOR: concise problem details (RFC 9290).

use super::{HeadView, Problem, status};
use minicbor::Encoder;
use minicbor::encode::Error;
use std::convert::Infallible;
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// Standard problem details (RFC 9290 §2).
const TITLE: i8 = -1;
const DETAIL: i8 = -2;
/// The custom problem detail entry (RFC 9290 §3.2) with what RFC 9290 has no place for.
const OURS: &str = "https://github.com/touchmark/touchmark/blob/main/spec/scitt.md#problems";

impl Problem {
    /// The problem as concise problem details, in deterministic CBOR:
    /// `{-1: title, -2: detail, "https://…": {"code", ?"head", "hint", "type", "status", ?"position"}}`.
    pub fn to_concise(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
        bytes
    }

    /// The title that draft-ietf-scitt-scrapi has for a registered code, if it has one. What the
    /// ledger refuses is refused by the registration policy.
    fn concise_title(&self) -> &str {
        match self.code() {
            Some(RefusalCode::MALFORMED) => "Malformed request",
            Some(RefusalCode::NOT_FOUND) => "Not Found",
            Some(RefusalCode::QUOTA) => "Too Many Requests",
            Some(RefusalCode::TOO_LONG) | None => &self.title,
            Some(code) if status(code).0 < 500 => "Rejected",
            Some(_) => &self.title,
        }
    }

    fn write(&self, e: &mut Encoder<&mut Vec<u8>>) -> Result<(), Error<Infallible>> {
        // What is no digest would help nobody to go on.
        let digest = |head: &HeadView| Some((head.sequence, head.last.parse::<Digest>().ok()?));
        let head = self.head.as_ref().and_then(digest);
        let members = 4 + u64::from(head.is_some()) + u64::from(self.position.is_some());
        e.map(3)?.i8(TITLE)?.str(self.concise_title())?.i8(DETAIL)?.str(&self.detail)?;
        e.str(OURS)?.map(members)?.str("code")?.str(&self.code)?;
        if let Some((sequence, last)) = head {
            e.str("head")?.map(2)?.str("last")?.bytes(&last.0)?.str("sequence")?.u32(sequence)?;
        }
        e.str("hint")?.str(&self.hint)?.str("type")?.str(&self.kind)?;
        e.str("status")?.u16(self.status)?;
        if let Some(position) = self.position {
            e.str("position")?.u64(position)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EdgeCode;

    #[test]
    fn what_cbor_says_is_what_json_says() {
        let last = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let head = HeadView { sequence: 7, last: last.into() };
        let problem = Problem {
            head: Some(head),
            position: Some(17),
            ..Problem::new(RefusalCode::CONFLICT, "its place is taken")
        };
        let expected = format!(
            "{{-1: \"Rejected\", -2: \"its place is taken\", \"{OURS}\": {{\"code\": \"TM-CONFLICT\", \
             \"head\": {{\"last\": h'{last}', \"sequence\": 7}}, \
             \"hint\": \"continue from the head that is given here\", \
             \"type\": \"/problems#TM-CONFLICT\", \"status\": 409, \"position\": 17}}}}"
        );
        let shown = minicbor::display(&problem.to_concise()).to_string();
        let plain = |text: &str| text.replace(char::is_whitespace, "").to_lowercase();
        assert_eq!(plain(&shown), plain(&expected));
        for (code, title) in [
            (RefusalCode::MALFORMED, "Malformed request"),
            (RefusalCode::SIGNATURE, "Rejected"),
            (RefusalCode::UNKNOWN_THING, "Rejected"),
            (RefusalCode::NOT_FOUND, "Not Found"),
            (RefusalCode::QUOTA, "Too Many Requests"),
            (RefusalCode::TOO_LONG, "Too large"),
            (RefusalCode::STORAGE, "Not available now"),
        ] {
            assert_eq!(Problem::new(code, "").concise_title(), title);
        }
        let edge = Problem::of_edge(EdgeCode::NoSuchKey, "");
        assert_eq!(edge.concise_title(), edge.title);
        let without = Problem::new(RefusalCode::NOT_FOUND, "x").to_concise();
        assert!(!minicbor::display(&without).to_string().contains("head"));
    }
}
