//! One A4 page: its elements where they stand, and from them the PDF.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use jiff::Timestamp;
use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Node, SpanTag, Tag, TagGroup, TagKind, TagTree};
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use super::face::Face;
use super::qr::Qr;
use super::text::{LABEL, LABEL_MARGIN, Line, Piece, Run};
use super::{Language, NotPrinted};

/// A4 (ISO 216), in points.
pub(super) const WIDTH: f32 = 595.28;
/// A4 (ISO 216), in points.
pub(super) const HEIGHT: f32 = 841.89;

/// What stands on a page. Positions are in points, from the page's upper left corner.
#[derive(Debug, Clone)]
pub(super) enum Element {
    /// Elements that are one thing to whoever has the page read aloud.
    Group(TagKind, Vec<Element>),
    /// A line of text, at the left end of its base line.
    Line {
        /// The text.
        line: Line,
        /// Where it starts.
        at: (f32, f32),
        /// The size of the type.
        size: f32,
        /// How it looks.
        ink: Ink,
    },
    /// An area of one colour: a rule, or what lies behind a text. It says nothing.
    Area {
        /// The upper left corner.
        at: (f32, f32),
        /// Width and height.
        extent: (f32, f32),
        /// The colour.
        ink: Ink,
    },
    /// A QR code, without its quiet zone.
    Qr {
        /// The code.
        qr: Qr,
        /// The upper left corner.
        at: (f32, f32),
        /// The length of a side.
        side: f32,
    },
}

/// How something looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// What is to be read.
    Text,
    /// The same, heavier.
    Strong,
    /// Labels and small print; dark enough to be read all the same (WCAG 1.4.3).
    Quiet,
    /// Titles and results.
    Accent,
    /// Rules.
    Rule,
    /// Behind a text.
    Panel,
}

impl Ink {
    fn colour(self) -> rgb::Color {
        match self {
            Self::Text | Self::Strong => rgb::Color::new(0x1b, 0x1f, 0x23),
            Self::Quiet => rgb::Color::new(0x4f, 0x58, 0x60),
            Self::Accent => rgb::Color::new(0x0b, 0x4a, 0x5e),
            Self::Rule => rgb::Color::new(0xc9, 0xd2, 0xd6),
            Self::Panel => rgb::Color::new(0xee, 0xf4, 0xf5),
        }
    }

    fn is_heavy(self) -> bool {
        matches!(self, Self::Strong | Self::Accent)
    }
}

/// What a page is, beside what stands on it.
pub(super) struct About<'a> {
    /// Its title, which viewers show.
    pub(super) title: &'a str,
    /// Who hands it out.
    pub(super) author: &'a str,
    /// The language that it is read aloud in.
    pub(super) language: Language,
    /// When it was made.
    pub(super) at: Timestamp,
}

/// A heading, as a tag.
pub(super) fn heading(level: u16, title: &str) -> TagKind {
    Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title.to_owned())).into()
}

/// The PDF of one page. Equal pages are equal bytes.
///
/// # Errors
/// If it would not be accessible (PDF/UA-1, ISO 14289-1), or cannot be written.
pub(super) fn print(elements: &[Element], about: &About<'_>, face: &Face) -> Result<Vec<u8>, NotPrinted> {
    let configuration = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1).finish();
    let settings = SerializeSettings {
        configuration: configuration.map_err(|_| NotPrinted::Pdf)?,
        enable_tagging: true,
        ..SerializeSettings::default()
    };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(about));
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(NotPrinted::Pdf)?;
    let mut page = document.start_page_with(size);
    let mut surface = page.surface();
    let is_english = about.language == Language::English;
    let mut painter = Painter { surface: &mut surface, face, is_english, unseen: BTreeMap::new() };
    let mut tree = TagTree::new();
    for node in elements.iter().flat_map(|element| painter.paint(element)) {
        tree.push(node);
    }
    surface.finish();
    page.finish();
    document.set_tag_tree(tree);
    document.set_outline(outline(elements));
    document.finish().map_err(|_| NotPrinted::Pdf)
}

/// The headings, as viewers list them.
fn outline(elements: &[Element]) -> Outline {
    let mut outline = Outline::new();
    for element in elements {
        if let Element::Group(TagKind::Hn(tag), lines) = element
            && let (Some(title), Some(Element::Line { at, size, .. })) = (tag.title(), lines.first())
        {
            let place = XyzDestination::new(0, Point::from_xy(at.0, at.1 - size));
            outline.push_child(OutlineNode::new(title.to_owned(), place));
        }
    }
    outline
}

fn metadata(about: &About<'_>) -> Metadata {
    let at = jiff::tz::offset(8).to_datetime(about.at);
    let part = |value: i8| value.unsigned_abs();
    let year = at.year().unsigned_abs();
    let made = DateTime::new(year).month(part(at.month())).day(part(at.day())).hour(part(at.hour()));
    let made = made.minute(part(at.minute())).second(part(at.second())).utc_offset_hour(8).utc_offset_minute(0);
    Metadata::new()
        .title(about.title.to_owned())
        .authors(vec![about.author.to_owned()])
        .creator("heyan".to_owned())
        .language(about.language.tag().to_owned())
        .creation_date(made)
}

struct Painter<'a, 'p> {
    surface: &'a mut Surface<'p>,
    face: &'a Face,
    is_english: bool,
    /// Characters that the typeface does not have, each with the shape that stands for it unseen.
    unseen: BTreeMap<String, GlyphId>,
}

impl Painter<'_, '_> {
    /// Paints an element. The result is what it is to whoever has the page read aloud.
    fn paint(&mut self, element: &Element) -> Vec<Node> {
        match element {
            Element::Group(kind, elements) => {
                let mut group = TagGroup::new(kind.clone());
                for node in elements.iter().flat_map(|element| self.paint(element)) {
                    group.push(node);
                }
                vec![group.into()]
            }
            Element::Line { line, at, size, ink } => self.line(line, *at, *size, *ink),
            Element::Area { at, extent, ink } => {
                self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
                self.area([(*at, *extent)].into_iter(), ink.colour());
                self.surface.end_tagged();
                Vec::new()
            }
            Element::Qr { qr, at, side } => {
                let identifier = self.surface.start_tagged(ContentTag::Other);
                let module = side / small(qr.side);
                let bars = qr.bars().map(|(row, column, length)| {
                    let corner = (at.0 + small(column) * module, at.1 + small(row) * module);
                    (corner, (small(length) * module, module))
                });
                self.area(bars, rgb::Color::black());
                self.surface.end_tagged();
                vec![identifier.into()]
            }
        }
    }

    fn line(&mut self, line: &Line, at: (f32, f32), size: f32, ink: Ink) -> Vec<Node> {
        let mut nodes = Vec::new();
        let (mut x, y) = at;
        for piece in &line.pieces {
            match piece {
                Piece::Glyphs(run) => {
                    let is_chinese = self.is_english && run.text.chars().any(|character| character > '\u{2E7F}');
                    let span = SpanTag::empty().with_lang(is_chinese.then_some("zh-CN"));
                    nodes.push(self.surface.start_tagged(ContentTag::Span(span)).into());
                    self.glyphs(run, (x, y), size, ink);
                    self.surface.end_tagged();
                    x += run.width * size;
                }
                Piece::Unknown { text, label, width } => {
                    nodes.push(self.surface.start_tagged(ContentTag::Span(SpanTag::empty())).into());
                    self.unseen(text, (x, y), size, *width);
                    self.frame((x + 0.05 * size, y - 0.82 * size), ((width - 0.1) * size, size), ink);
                    let start = (x + LABEL_MARGIN * size, y - 0.1 * size);
                    self.draw(label, start, size * LABEL, ink, true);
                    self.surface.end_tagged();
                    x += width * size;
                }
            }
        }
        nodes
    }

    /// A character that the typeface does not have, so that it can be selected and searched where its code point is seen. Not
    /// as an `ActualText`: not every reader finds the place of that.
    fn unseen(&mut self, text: &str, at: (f32, f32), size: f32, width: f32) {
        let next = u32::try_from(self.unseen.len()).unwrap_or_default();
        // A shape that is most likely used for nothing else on the page, each for one character.
        let glyph = *self.unseen.entry(text.to_owned()).or_insert_with(|| self.face.glyph_from_behind(next));
        let glyph = KrillaGlyph::new(glyph, width, 0.0, 0.0, 0.0, 0..text.len(), None);
        self.surface.set_fill(Some(Fill { opacity: NormalizedF32::ZERO, ..Fill::default() }));
        self.surface.set_stroke(None);
        let start = Point::from_xy(at.0, at.1);
        self.surface.draw_glyphs(start, &[glyph], self.face.font.clone(), text, size, false);
    }

    fn glyphs(&mut self, run: &Run, at: (f32, f32), size: f32, ink: Ink) {
        self.draw(run, at, size, ink, false);
    }

    fn draw(&mut self, run: &Run, at: (f32, f32), size: f32, ink: Ink, as_shapes: bool) {
        let colour = ink.colour();
        self.surface.set_fill(Some(Fill { paint: colour.into(), ..Fill::default() }));
        let stroke = Stroke { paint: colour.into(), width: size * HEAVIER, ..Stroke::default() };
        self.surface.set_stroke(ink.is_heavy().then_some(stroke));
        let start = Point::from_xy(at.0, at.1);
        self.surface.draw_glyphs(start, &run.glyphs, self.face.font.clone(), &run.text, size, as_shapes);
    }

    fn frame(&mut self, at: (f32, f32), extent: (f32, f32), ink: Ink) {
        let Some(rect) = Rect::from_xywh(at.0, at.1, extent.0, extent.1) else { return };
        let mut path = PathBuilder::new();
        path.push_rect(rect);
        let Some(path) = path.finish() else { return };
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke { paint: ink.colour().into(), width: 0.5, ..Stroke::default() }));
        self.surface.draw_path(&path);
    }

    fn area(&mut self, areas: impl Iterator<Item = ((f32, f32), (f32, f32))>, colour: rgb::Color) {
        let mut path = PathBuilder::new();
        for (at, extent) in areas {
            if let Some(rect) = Rect::from_xywh(at.0, at.1, extent.0, extent.1) {
                path.push_rect(rect);
            }
        }
        let Some(path) = path.finish() else { return };
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(Fill { paint: colour.into(), ..Fill::default() }));
        self.surface.draw_path(&path);
    }
}

/// How much is added to a heavy line's strokes, in ems: there is one weight of the typeface.
const HEAVIER: f32 = 0.024;

/// A count that is small: a QR code has at most 177 modules a side.
pub(super) fn small(count: usize) -> f32 {
    u16::try_from(count).map_or(f32::from(u16::MAX), f32::from)
}
