//! Showing hostile text harmlessly.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal, a browser or a spreadsheet might act on this character instead of showing
/// it: control characters (also the 8-bit ones), bidirectional overrides, invisible characters,
/// line and paragraph separators, and the byte order mark.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text with every dangerous character written out: `\n`, `\x1B`, `\u{202E}`.
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// As [`escape_controls`], but newlines and tabs stay: for output that is shown in lines.
pub fn escape_output(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n' || c == '\t')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c: char| is_dangerous(c) && !keep(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !bad(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if u32::from(c) < 0x100 => write!(escaped, "\\x{:02X}", u32::from(c)).expect("writing to a string"),
            c => write!(escaped, "\\u{{{:X}}}", u32::from(c)).expect("writing to a string"),
        }
    }
    Cow::Owned(escaped)
}

/// A text of at most `width` columns: the middle of a longer one is replaced by `…`, because the
/// end of a path says most.
pub fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let take = |chars: &mut dyn Iterator<Item = char>, columns: usize| {
        let mut used = 0;
        chars
            .take_while(|c| {
                used += c.width().unwrap_or(0);
                used <= columns
            })
            .collect::<Vec<_>>()
    };
    let room = width.saturating_sub(1);
    let head: String = take(&mut text.chars(), room / 3).into_iter().collect();
    let tail: String = take(&mut text.chars().rev(), room - room / 3).into_iter().rev().collect();
    Cow::Owned(format!("{head}…{tail}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(escape_controls("\x1b]0;title\x07"), "\\x1B]0;title\\x07");
        assert_eq!(escape_controls("a\u{9b}31mb"), "a\\x9B31mb");
        assert_eq!(escape_controls("evil\u{202e}txt.py"), "evil\\u{202E}txt.py");
        assert_eq!(escape_controls("naïve — 日本 🐍"), "naïve — 日本 🐍");
        assert_eq!(escape_output("a\tb\nc\rd"), "a\tb\nc\\rd");
    }

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten("directory/with/long/name.py", 16), "direc…ng/name.py");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in any::<String>()) {
            prop_assert!(!escape_controls(&text).contains(is_dangerous));
        }

        #[test]
        fn no_name_is_wider_than_asked(text in "\\PC{0,80}", width in 4usize..60) {
            prop_assert!(shorten(&escape_controls(&text), width).width() <= width);
        }
    }
}
