//! Words on charts: hostile names made harmless and short, quantities as people read them.

use std::time::Duration;

use super::glyphs;
use super::theme::ChartError;
use crate::units::{Bytes, GIB, Span};

/// Stands for what cannot be shown.
const REPLACEMENT: char = '\u{fffd}';

/// Longest name that is looked at; no chart has room for more.
const LONGEST: usize = 400;

/// Whether the built-in font has the character and it takes up room of its own: no controls, no
/// marks that change direction or stack up.
pub(super) fn is_shown(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{17f}' | '\u{391}'..='\u{3a1}' | '\u{3a3}'..='\u{3ce}'
        | '\u{400}'..='\u{45f}' | '–' | '—' | '‘' | '’' | '“' | '”' | '…' | '€' | '≤' | '≥' | REPLACEMENT)
}

/// One line of characters that can be shown; each run of others becomes one U+FFFD.
///
/// Of a very long text only the beginning and the end are looked at.
pub(super) fn sanitise(text: &str) -> String {
    let mut out = String::new();
    let mut add = |c: char| {
        if is_shown(c) && c != REPLACEMENT {
            out.push(c);
        } else if !out.ends_with(REPLACEMENT) {
            out.push(REPLACEMENT);
        }
    };
    if text.len() <= 4 * LONGEST {
        text.chars().for_each(&mut add);
    } else {
        text.chars().take(LONGEST / 2).for_each(&mut add);
        add('…');
        let tail: Vec<char> = text.chars().rev().take(LONGEST / 2).collect();
        tail.into_iter().rev().for_each(&mut add);
    }
    out
}

/// The text, or as much of its beginning and end as fits into `room` pixels with `…` between.
///
/// The end of a path says more than its beginning, so it gets the larger part.
pub(super) fn shorten(text: &str, room: i32, size: u32, bold: bool) -> Result<String, ChartError> {
    let fits = |text: &str| -> Result<bool, ChartError> { Ok(glyphs::width(text, size, bold)? <= f64::from(room)) };
    let text = sanitise(text);
    if fits(&text)? {
        return Ok(text);
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |kept: usize| -> String {
        let head = kept * 2 / 5;
        chars[..head].iter().chain(&['…']).chain(&chars[chars.len() - (kept - head)..]).collect()
    };
    // The width grows with the number of characters kept; look for the largest that fits.
    let (mut low, mut high) = (0, chars.len().saturating_sub(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(&cut(middle))? {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(cut(low))
}

/// A text cut at its end, for sentences.
pub(super) fn truncate(text: &str, room: i32, size: u32, bold: bool) -> Result<String, ChartError> {
    let text = sanitise(text);
    if glyphs::width(&text, size, bold)? <= f64::from(room) {
        return Ok(text);
    }
    let mut used = glyphs::width("…", size, bold)?;
    let mut out = String::new();
    for c in text.chars() {
        used += glyphs::width(c.encode_utf8(&mut [0; 4]), size, bold)?;
        if used > f64::from(room) {
            break;
        }
        out.push(c);
    }
    Ok(out.trim_end().to_owned() + "…")
}

/// A finite number that is not negative and small enough to compute with; otherwise nothing.
pub(super) fn sane(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then(|| value.min(1e18))
}

/// A duration in seconds, with its unit.
pub(super) fn seconds(value: f64) -> String {
    if value.is_finite() && value >= 36_000.0 {
        return format!("{} h", count(value / 3600.0));
    }
    Duration::try_from_secs_f64(value).map_or_else(|_| "?".to_owned(), |duration| Span(duration).to_string())
}

/// A size in bytes, with its unit.
pub(super) fn bytes(value: f64) -> String {
    let gib = GIB as f64;
    for (unit, factor) in [("EiB", gib * gib), ("PiB", gib * 1024.0 * 1024.0), ("TiB", gib * 1024.0)] {
        if value >= factor {
            return format!("{} {unit}", decimal(value / factor));
        }
    }
    Bytes(value as u64).to_string()
}

/// A number of things: exact up to 9999, then `12.5k`, `3M`.
pub(super) fn count(value: f64) -> String {
    for (unit, factor) in [("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)] {
        if value >= factor && value >= 10_000.0 {
            return format!("{}{unit}", decimal(value / factor));
        }
    }
    if value >= 1000.0 { grouped(value as usize) } else { decimal(value) }
}

/// An exact number of cases, in groups of three digits.
pub(super) fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 case`, `2,000 cases`.
pub(super) fn cases(value: usize) -> String {
    format!("{} case{}", grouped(value), if value == 1 { "" } else { "s" })
}

/// Three significant digits, without zeros at the end.
pub(super) fn decimal(value: f64) -> String {
    let digits = if value >= 100.0 { 0 } else { 2 - (value.max(1.0).log10().floor() as usize).min(2) };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_becomes_one_harmless_line() {
        assert_eq!(sanitise("a\u{202e}b\n\x1b[31mc😀😀d"), "a\u{fffd}b\u{fffd}[31mc\u{fffd}d");
        assert_eq!(sanitise("größe/Ω.py"), "größe/Ω.py");
        assert!(sanitise(&"x".repeat(100_000)).chars().count() <= LONGEST + 1);
    }

    #[test]
    fn long_names_keep_both_ends() {
        let short = shorten(&format!("first/{}/last.py", "x".repeat(5000)), 200, 16, false).unwrap();
        assert!(short.starts_with("first/") && short.ends_with("last.py") && short.contains('…'), "{short}");
        assert!(glyphs::width(&short, 16, false).unwrap() <= 200.0);
        let cut = truncate(&"words ".repeat(99), 200, 24, true).unwrap();
        assert!(cut.starts_with("words words") && cut.ends_with('…'), "{cut}");
        assert!(glyphs::width(&cut, 24, true).unwrap() <= 200.0);
        assert_eq!(shorten("a.py", 200, 16, false).unwrap(), "a.py");
    }

    #[test]
    fn quantities_have_units() {
        assert_eq!(seconds(0.25), "250 ms");
        assert_eq!(seconds(f64::INFINITY), "?");
        assert_eq!(bytes(1024.0 * 1024.0), "1 MiB");
        assert_eq!(bytes(2f64.powi(60)), "1 EiB");
        assert_eq!(count(12_500.0), "12.5k");
        assert_eq!(count(7.0), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(cases(1), "1 case");
        assert_eq!(decimal(0.25), "0.25");
        assert_eq!(decimal(99.5), "99.5");
    }
}
