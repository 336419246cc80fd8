//! Media types: what a client accepts (RFC 9110 §12.5.1), and what it sends (§8.3).

use axum::http::{HeaderMap, header};

/// What a client accepts; without a word about it, anything.
pub(super) struct Accepted(Vec<Range>);

/// A media range, in lower case and without parameters.
struct Range {
    name: String,
    /// From 0, which is not acceptable, to 1.
    quality: f32,
}

impl Accepted {
    /// By the headers of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let fields = headers.get_all(header::ACCEPT).iter().filter_map(|field| field.to_str().ok());
        let ranges = fields.flat_map(|field| field.split(',')).map(str::trim);
        Self(ranges.filter(|range| !range.is_empty()).map(Range::parse).collect())
    }

    /// The wanted one of `offers`, the first of those that are wanted equally.
    pub(super) fn best<'o>(&self, offers: &[&'o str]) -> Option<&'o str> {
        let judged = offers.iter().map(|offer| (self.quality(offer), *offer));
        let wanted = judged.filter(|(quality, _)| *quality > 0.0);
        wanted.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, it)| it)
    }

    /// Whether bytes of this media type are wanted rather than JSON.
    pub(super) fn prefers(&self, media: &'static str) -> bool {
        self.best(&["application/json", media]) == Some(media)
    }

    /// What the narrowest range says that fits.
    fn quality(&self, offer: &str) -> f32 {
        if self.0.is_empty() {
            return 1.0;
        }
        let fitting = self.0.iter().filter_map(|range| Some((range.narrowness(offer)?, range)));
        fitting.max_by_key(|(narrowness, _)| *narrowness).map_or(0.0, |(_, range)| range.quality)
    }
}

impl Range {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let quality = quality.and_then(|quality| quality.parse::<f32>().ok());
        // What is no such number says nothing.
        let quality = quality.filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(1.0);
        Self { name, quality }
    }

    fn narrowness(&self, offer: &str) -> Option<u8> {
        if self.name == offer {
            return Some(2);
        }
        if self.name == "*/*" {
            return Some(0);
        }
        let kind = self.name.strip_suffix("/*")?;
        (offer.split('/').next() == Some(kind)).then_some(1)
    }
}

/// The media type of a request's body, in lower case and without parameters; empty if it has none.
pub(super) fn sent(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";
    const CBOR: &str = "application/cbor";

    fn best(accept: &[&str]) -> Option<&'static str> {
        let fields = accept.iter().map(|field| (header::ACCEPT, field.parse().unwrap()));
        Accepted::of(&fields.collect()).best(&[JSON, CBOR])
    }

    #[test]
    fn the_wanted_one_is_answered_and_json_where_it_does_not_matter() {
        for any in [&[][..], &[""], &["*/*"], &["application/*"], &["text/html, */*;q=0.1"]] {
            assert_eq!(best(any), Some(JSON), "{any:?}");
        }
        for cbor in [
            &[CBOR][..],
            &["Application/CBOR"],
            &["application/json;q=0.5, application/cbor"],
            &["application/json;q=0.5", "application/cbor;q=0.6"],
            &["application/json;q=0, */*"],
            &["application/cbor;v=1;q=0.9, */*;q=0.1"],
        ] {
            assert_eq!(best(cbor), Some(CBOR), "{cbor:?}");
        }
        assert_eq!(best(&["application/json, application/cbor;q=0.5"]), Some(JSON));
        for none in ["text/csv", "application/cbor-seq", "text/*", "*/*;q=0", "nonsense"] {
            assert_eq!(best(&[none]), None, "{none}");
        }
    }

    #[test]
    fn what_is_sent_is_compared_without_case_and_parameters() {
        let of = |text: &str| {
            sent(&HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]))
        };
        assert_eq!(of("Text/Plain; charset=utf-8"), "text/plain");
        assert_eq!(of("application/cose ;x=y"), "application/cose");
        assert_eq!(sent(&HeaderMap::new()), "");
    }
}
