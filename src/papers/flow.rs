//! From the top of the page to its foot: paragraphs, tables and the like, in type of one scale.

use krilla::tagging::{ListNumbering, TableHeaderScope, Tag, TagKind};

use super::face::Face;
use super::paper::Density;
use super::qr::{QUIET_ZONE, Qr};
use super::sheet::{Element, HEIGHT, Ink, WIDTH, heading, small};
use super::text::{Line, Text};

/// The margins at the left and the right, in points: 20 mm.
const MARGIN: f32 = 56.7;
/// How wide text may be.
const MEASURE: f32 = WIDTH - 2.0 * MARGIN;
/// The margin at the top.
const TOP: f32 = 51.0;
/// How far down text may stand.
const BOTTOM: f32 = HEIGHT - 45.0;
/// The smallest type, in points.
const SMALLEST: f32 = 9.0;

/// How small the type of a page is: as large as it can be with everything on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Of the type.
    size: f32,
    /// Of what is left free.
    room: f32,
    /// From line to line, in ems.
    leading: f32,
}

impl Scale {
    /// All of them, the largest first. In the last ones only the room shrinks: no type is smaller than 9 points.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let sizes =
            (0..=8).map(|step| 1.12 - 0.045 * small(step)).map(|size| Self { size, room: size * size, leading: 1.48 });
        sizes.chain([Self { size: 0.74, room: 0.45, leading: 1.38 }, Self { size: 0.7, room: 0.3, leading: 1.26 }])
    }
}

/// Kinds of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Verdict,
    Heading,
    Body,
    Code,
    Small,
}

impl Role {
    /// The size of the type at scale 1, and its least, in points.
    const fn sizes(self) -> (f32, f32) {
        match self {
            Self::Title => (25.0, 19.0),
            Self::Verdict => (21.0, 15.0),
            Self::Heading => (13.5, 11.0),
            Self::Code => (13.0, 11.0),
            Self::Body => (12.0, SMALLEST),
            Self::Small => (10.0, SMALLEST),
        }
    }
}

/// A page in the making.
pub(super) struct Flow<'f> {
    pub(super) face: &'f Face,
    scale: Scale,
    /// How far down the page is full.
    y: f32,
    elements: Vec<Element>,
}

impl<'f> Flow<'f> {
    pub(super) fn new(face: &'f Face, scale: Scale) -> Self {
        Self { face, scale, y: TOP, elements: Vec::new() }
    }

    /// Whether everything stands on the page, with so many points kept free at its foot.
    pub(super) fn fits(&self, foot: f32) -> bool {
        self.y <= BOTTOM - foot
    }

    /// How closely everything stands.
    pub(super) fn density(&self) -> Density {
        match self.scale.size {
            size if size > 0.96 => Density::Roomy,
            size if size > 0.86 => Density::Close,
            _ => Density::Tight,
        }
    }

    pub(super) fn finish(self) -> Vec<Element> {
        self.elements
    }

    /// Leaves room, in points at scale 1.
    pub(super) fn gap(&mut self, points: f32) {
        self.y += points * self.scale.room;
    }

    /// The page's title, and to its right who hands it out.
    pub(super) fn title(&mut self, title: &str) {
        let group = self.block(heading(1, title), title, Role::Title, Ink::Accent, (MARGIN, MEASURE));
        self.elements.push(group);
        self.gap(5.0);
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.gap(13.0);
        self.rule();
        self.gap(8.0);
        let group = self.block(heading(2, text), text, Role::Heading, Ink::Accent, (MARGIN, MEASURE));
        self.elements.push(group);
        self.gap(3.0);
    }

    pub(super) fn paragraph(&mut self, text: &str, role: Role, ink: Ink) {
        let group = self.block(Tag::P.into(), text, role, ink, (MARGIN, MEASURE));
        self.elements.push(group);
        self.gap(3.0);
    }

    /// A paragraph that is set off: what must not be overlooked.
    pub(super) fn panel(&mut self, text: &str) {
        self.set_off(|flow, column| vec![flow.block(Tag::P.into(), text, Role::Body, Ink::Strong, column)]);
    }

    /// What is written somewhere else, and where.
    pub(super) fn quote(&mut self, place: &str, text: &str) {
        self.set_off(|flow, column| {
            let place = flow.block(Tag::P.into(), place, Role::Small, Ink::Quiet, column);
            let text = flow.block(Tag::P.into(), &format!("“{text}”"), Role::Body, Ink::Text, column);
            vec![Element::Group(Tag::BlockQuote.into(), vec![place, text])]
        });
        self.gap(4.0);
    }

    fn set_off(&mut self, inside: impl FnOnce(&mut Self, (f32, f32)) -> Vec<Element>) {
        let (start, padding) = (self.y, 8.0 * self.scale.room.max(0.6));
        self.y += padding;
        let text = inside(self, (MARGIN + 12.0, MEASURE - 24.0));
        self.y += padding - 2.0;
        let extent = (MEASURE, self.y - start);
        self.elements.push(Element::Area { at: (MARGIN, start), extent, ink: Ink::Panel });
        self.elements.push(Element::Area { at: (MARGIN, start), extent: (3.0, extent.1), ink: Ink::Accent });
        self.elements.extend(text);
        self.gap(4.0);
    }

    /// A text with its label to the left of it, several times.
    pub(super) fn rows(&mut self, rows: &[(String, String)]) {
        let size = self.size(Role::Body);
        let of = |(label, _): &(String, String)| self.width(label, size);
        let widest = rows.iter().map(of).fold(0.0, f32::max).min(MEASURE * 0.3);
        let indent = widest + 1.2 * size;
        let mut table = Vec::new();
        for (label, value) in rows {
            let start = self.y;
            let scope = TagKind::from(Tag::TH(TableHeaderScope::Row));
            let label = self.block(scope, label, Role::Body, Ink::Quiet, (MARGIN, widest + 0.1));
            let below = std::mem::replace(&mut self.y, start);
            let column = (MARGIN + indent, MEASURE - indent);
            let value = self.block(Tag::TD.into(), value, Role::Body, Ink::Text, column);
            self.y = self.y.max(below);
            self.gap(2.5);
            table.push(Element::Group(Tag::TR.into(), vec![label, value]));
        }
        self.elements.push(Element::Group(Tag::Table.into(), table));
    }

    /// Steps, numbered.
    pub(super) fn steps(&mut self, steps: &[String]) {
        let size = self.size(Role::Body);
        let mut list = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let number = format!("{}.", index + 1);
            let start = self.y;
            let label = self.block(Tag::Lbl.into(), &number, Role::Body, Ink::Accent, (MARGIN, 2.0 * size));
            self.y = start;
            let column = (MARGIN + 1.7 * size, MEASURE - 1.7 * size);
            let body = self.block(Tag::LBody.into(), step, Role::Body, Ink::Text, column);
            self.gap(2.5);
            list.push(Element::Group(Tag::LI.into(), vec![label, body]));
        }
        self.elements.push(Element::Group(Tag::L(ListNumbering::Decimal).into(), list));
    }

    /// A table of two columns; a long one stands in two halves beside each other.
    pub(super) fn table(&mut self, head: &[String; 2], rows: &[[String; 2]]) {
        let halves = if rows.len() > 7 { 2 } else { 1 };
        let (gutter, top) = (16.0, self.y);
        let width = (MEASURE - gutter * small(halves - 1)) / small(halves);
        let (mut table, mut lowest) = (Vec::new(), top);
        for (half, rows) in rows.chunks(rows.len().div_ceil(halves).max(1)).enumerate() {
            self.y = top;
            let left = MARGIN + small(half) * (width + gutter);
            table.push(self.row(head, true, left, width));
            for row in rows {
                let at = (left, self.y - 2.2 * self.scale.room);
                table.push(Element::Area { at, extent: (width, 0.5), ink: Ink::Rule });
                table.push(self.row(row, false, left, width));
            }
            lowest = lowest.max(self.y);
        }
        self.y = lowest;
        self.elements.push(Element::Group(Tag::Table.into(), table));
        self.gap(2.0);
    }

    fn row(&mut self, cells: &[String; 2], is_head: bool, left: f32, width: f32) -> Element {
        let (start, mut lowest) = (self.y, self.y);
        let first = width * 0.42;
        let mut row = Vec::new();
        for (index, text) in cells.iter().enumerate() {
            self.y = start;
            let column = if index == 0 { (left, first - 8.0) } else { (left + first, width - first) };
            let tag: TagKind = if is_head { Tag::TH(TableHeaderScope::Column).into() } else { Tag::TD.into() };
            let ink = if is_head { Ink::Quiet } else { Ink::Text };
            row.push(self.block(tag, text, Role::Small, ink, column));
            lowest = lowest.max(self.y);
        }
        self.y = lowest;
        self.gap(4.0);
        Element::Group(Tag::TR.into(), row)
    }

    /// A QR code at the right, and at its left what is made by `beside`.
    pub(super) fn with_qr(&mut self, qr: Option<&Qr>, alt: &str, side: f32, beside: impl FnOnce(&mut Self)) {
        let start = self.y;
        beside(self);
        let Some(qr) = qr.cloned() else { return };
        let quiet = side / small(qr.side) * small(QUIET_ZONE);
        let at = (WIDTH - MARGIN - side, start + quiet * 0.6);
        self.y = self.y.max(at.1 + side + quiet * 0.4);
        let figure = Tag::Figure(Some(alt.to_owned())).into();
        self.elements.push(Element::Group(figure, vec![Element::Qr { qr, at, side }]));
    }

    /// A paragraph that leaves room for a QR code at its right.
    pub(super) fn narrow(&mut self, text: &str, role: Role, ink: Ink, right: f32) {
        let group = self.block(Tag::P.into(), text, role, ink, (MARGIN, MEASURE - right));
        self.elements.push(group);
    }

    /// Lines at the right: who hands it out, and when.
    pub(super) fn signature(&mut self, lines: &[String]) {
        self.gap(14.0);
        for text in lines {
            let size = self.size(Role::Body);
            let left = (WIDTH - MARGIN - self.width(text, size)).max(MARGIN);
            let group = self.block(Tag::P.into(), text, Role::Body, Ink::Text, (left, WIDTH - MARGIN - left + 0.1));
            self.elements.push(group);
        }
    }

    /// Small print at the page's foot.
    pub(super) fn foot(&mut self, text: &str) {
        let lines = self.lines(text, Role::Small, MEASURE);
        let size = self.size(Role::Small);
        self.y = self.y.max(BOTTOM - small(lines.len()) * self.leading(size) + size * 0.2);
        self.rule();
        self.y += size * 0.5;
        let group = self.block(Tag::P.into(), text, Role::Small, Ink::Quiet, (MARGIN, MEASURE));
        self.elements.push(group);
    }

    /// How many points small print at the foot takes.
    pub(super) fn foot_height(&self, text: &str) -> f32 {
        let size = self.size(Role::Small);
        small(self.lines(text, Role::Small, MEASURE).len()) * self.leading(size) + size * 0.5
    }

    fn rule(&mut self) {
        self.elements.push(Element::Area { at: (MARGIN, self.y), extent: (MEASURE, 0.6), ink: Ink::Rule });
    }

    /// A text of one role, in a column: where it starts, and how wide it is.
    fn block(&mut self, tag: TagKind, text: &str, role: Role, ink: Ink, column: (f32, f32)) -> Element {
        let size = self.size(role);
        let mut group = Vec::new();
        for line in self.lines(text, role, column.1) {
            let leading = self.leading(size);
            // The base line: what is above and below a Hanzi's square is the same.
            let at = (column.0, self.y + leading / 2.0 + size * 0.38);
            self.y += leading;
            group.push(Element::Line { line, at, size, ink });
        }
        Element::Group(tag, group)
    }

    fn lines(&self, text: &str, role: Role, width: f32) -> Vec<Line> {
        Text::new(text, self.face).lines(width / self.size(role), self.face)
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        Text::new(text, self.face).lines(f32::MAX, self.face).first().map_or(0.0, |line| line.width * size)
    }

    fn size(&self, role: Role) -> f32 {
        let (size, least) = role.sizes();
        (size * self.scale.size).max(least)
    }

    /// From line to line, in points.
    fn leading(&self, size: f32) -> f32 {
        size * self.scale.leading
    }
}
