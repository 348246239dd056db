use std::sync::LazyLock;

use krilla::text::{Font, GlyphId};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// The one typeface of our papers. `font/README.md` says what is in it and how it was made.
static FILE: &[u8] = include_bytes!("font/NotoSansCJKsc-subset.otf");

/// It is read when the first paper is made: the start of the program does not wait for it.
static FACE: LazyLock<Option<Face>> = LazyLock::new(Face::read);

/// The typeface, ready to measure and to print with.
pub(super) struct Face {
    pub(super) font: Font,
    characters: skrifa::charmap::Charmap<'static>,
    metrics: skrifa::metrics::GlyphMetrics<'static>,
    units_per_em: f32,
    glyphs: u32,
}

impl Face {
    /// The typeface. `None`: the file that was built in is no font.
    pub(super) fn get() -> Option<&'static Self> {
        FACE.as_ref()
    }

    fn read() -> Option<Self> {
        let parsed = FontRef::new(FILE).ok()?;
        let font = Font::new(FILE.into(), 0)?;
        let units_per_em = font.units_per_em();
        let metrics = parsed.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyphs = metrics.glyph_count();
        Some(Self { font, characters: parsed.charmap(), metrics, units_per_em, glyphs })
    }

    /// The shape of a character and how wide it is, in ems. `None`: the typeface has none.
    pub(super) fn glyph(&self, character: char) -> Option<(GlyphId, f32)> {
        let glyph = self.characters.map(character)?;
        let width = self.metrics.advance_width(glyph)? / self.units_per_em;
        Some((GlyphId::new(glyph.to_u32()), width))
    }

    /// A shape, counted from the last one of the typeface.
    pub(super) fn glyph_from_behind(&self, place: u32) -> GlyphId {
        GlyphId::new(self.glyphs.saturating_sub(place + 1))
    }
}
