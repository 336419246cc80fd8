//! Texts of other machines, as people and their terminals are to see them.

/// The beginning of a text, so many characters of it, as [`plain`].
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    plain(text).chars().take(characters).collect()
}

/// A text on one line, without what a terminal would act on or show in another order.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|it| !it.is_control() && !is_formatting(*it)).collect()
}

/// Unicode's Bidi_Control (UAX #9), and its separators of lines and paragraphs.
const fn is_formatting(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_writes_moves_no_terminal_and_is_short() {
        assert_eq!(excerpt("a\u{1b}[2Jb\r\n", 200), "a[2Jb");
        assert_eq!(plain("\u{202e}evil\u{2066}\u{200f} \u{61c}\u{2028}é"), "evil é");
        assert_eq!(excerpt(&"é".repeat(1_000), 200).chars().count(), 200);
    }
}
