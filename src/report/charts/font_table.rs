//! The left side bearing of a character, read from the font file.
//!
//! plotters draws every glyph with its leftmost pixel at the pen, so that letters such as `j`, `1`
//! and `T` stand unevenly. The two tables below say how far from the pen a glyph really starts.

/// The bearing as a part of the character's advance width; `None` when the font does not say.
pub(super) fn bearing(font: &[u8], character: char) -> Option<f64> {
    let glyph = glyph_id(table(font, b"cmap")?, u16::try_from(u32::from(character)).ok()?)?;
    let long_metrics = u16_at(table(font, b"hhea")?, 34)?;
    if glyph >= long_metrics {
        return None;
    }
    let metrics = table(font, b"hmtx")?;
    let advance = u16_at(metrics, usize::from(glyph) * 4)?;
    let left = u16_at(metrics, usize::from(glyph) * 4 + 2)? as i16;
    (advance > 0).then(|| f64::from(left) / f64::from(advance))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize)
}

/// A table of an OpenType file, by its four-letter name.
fn table<'a>(font: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let tables = usize::from(u16_at(font, 4)?);
    (0..tables).map(|i| 12 + 16 * i).find(|&at| font.get(at..at + 4) == Some(name)).and_then(|at| {
        let (start, length) = (u32_at(font, at + 8)?, u32_at(font, at + 12)?);
        font.get(start..start.checked_add(length)?)
    })
}

/// Looks a character up in the first sub-table of format 4 (segments of the basic plane).
fn glyph_id(cmap: &[u8], character: u16) -> Option<u16> {
    let subtables = usize::from(u16_at(cmap, 2)?);
    let start =
        (0..subtables).filter_map(|i| u32_at(cmap, 4 + 8 * i + 4)).find(|&start| u16_at(cmap, start) == Some(4))?;
    let segments = cmap.get(start..)?;
    let count = usize::from(u16_at(segments, 6)? / 2);
    let (ends, starts) = (14, 16 + 2 * count);
    let (deltas, offsets) = (starts + 2 * count, starts + 4 * count);
    let segment = (0..count).find(|i| u16_at(segments, ends + 2 * i).is_some_and(|end| end >= character))?;
    let first = u16_at(segments, starts + 2 * segment)?;
    let delta = u16_at(segments, deltas + 2 * segment)?;
    let offset = usize::from(u16_at(segments, offsets + 2 * segment)?);
    let steps = usize::from(character.checked_sub(first)?);
    if offset == 0 {
        return Some(character.wrapping_add(delta));
    }
    // The offset counts from its own place in the file.
    let glyph = u16_at(segments, offsets + 2 * segment + offset + 2 * steps)?;
    (glyph != 0).then(|| glyph.wrapping_add(delta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_start_where_the_font_says() {
        // In Noto Sans, H has a stem set in from the pen, j reaches back behind it.
        assert!(bearing(notosans::REGULAR_TTF, 'H').is_some_and(|part| part > 0.08 && part < 0.2));
        assert!(bearing(notosans::REGULAR_TTF, 'j').is_some_and(|part| part < 0.0));
        assert!(bearing(notosans::BOLD_TTF, 'é').is_some());
        assert_eq!(bearing(notosans::REGULAR_TTF, '\u{1f600}'), None);
    }

    #[test]
    fn a_broken_font_has_no_bearings() {
        for length in 0..600 {
            let _ = bearing(&notosans::REGULAR_TTF[..length], 'a');
        }
        assert_eq!(bearing(&[0xff; 4096], 'a'), None);
    }
}
