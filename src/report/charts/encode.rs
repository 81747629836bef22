//! A drawing as a PNG file.

use ::png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter};

use super::theme::ChartError;

/// Most colours a palette can have.
const COLOURS: usize = 256;

/// An index for each pixel and the colours they stand for.
struct Indexed {
    pixels: Vec<u8>,
    palette: Vec<u8>,
}

/// The place of a colour among 32 levels of each of red, green and blue.
fn bin(pixel: [u8; 3]) -> usize {
    let level = |value: u8| (usize::from(value) * 31 + 127) / 255;
    level(pixel[0]) << 10 | level(pixel[1]) << 5 | level(pixel[2])
}

/// Maps the drawing to a palette. Colours that can hardly be told apart share an entry, which is the
/// one of them with the longest run of pixels: areas keep their exact colour, only the soft edges of
/// letters move. `None` when there are too many.
fn indexed(rgb: &[u8]) -> Option<Indexed> {
    let mut index_of = vec![u16::MAX; 1 << 15];
    let mut longest: Vec<usize> = Vec::new();
    let mut palette: Vec<u8> = Vec::new();
    let mut pixels = Vec::with_capacity(rgb.len() / 3);
    let (all, _) = rgb.as_chunks::<3>();
    for run in all.chunk_by(|a, b| a == b) {
        let slot = &mut index_of[bin(run[0])];
        if *slot == u16::MAX {
            if longest.len() == COLOURS {
                return None;
            }
            *slot = longest.len() as u16;
            longest.push(0);
            palette.extend(run[0]);
        }
        let index = usize::from(*slot);
        if run.len() > longest[index] {
            longest[index] = run.len();
            palette[index * 3..index * 3 + 3].copy_from_slice(&run[0]);
        }
        pixels.resize(pixels.len() + run.len(), index as u8);
    }
    Some(Indexed { pixels, palette })
}

/// Encodes rows of red, green and blue bytes.
pub(super) fn png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, ChartError> {
    let mut out = Vec::with_capacity(64 << 10);
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_depth(BitDepth::Eight);
    // Of the levels of zlib-rs, the one beyond which more time saves little. Indices
    // have no order that a filter could use.
    encoder.set_deflate_compression(DeflateCompression::Level(2));
    encoder.set_filter(Filter::NoFilter);
    let indexed = indexed(rgb);
    let data = match &indexed {
        Some(indexed) => {
            encoder.set_color(ColorType::Indexed);
            encoder.set_palette(&indexed.palette[..]);
            &indexed.pixels
        }
        None => {
            encoder.set_color(ColorType::Rgb);
            rgb
        }
    };
    encoder.write_header()?.write_image_data(data)?;
    Ok(out)
}
