//! Text in lines: which characters stand in which line, by the rules of Chinese and Latin type (GB/T 15834, CLREQ).

use krilla::text::{GlyphId, KrillaGlyph};

use super::face::Face;

/// A text, measured: what it takes to break it into lines of any width.
#[derive(Debug, Clone)]
pub(super) struct Text(Vec<Cluster>);

/// One character, with the marks that belong to it.
#[derive(Debug, Clone)]
struct Cluster {
    text: String,
    /// `None`: the typeface does not have it.
    glyph: Option<GlyphId>,
    /// In ems.
    width: f32,
    kind: Kind,
}

/// How a character behaves at the ends of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    /// Part of a word, which stays together.
    Word,
    /// Stands at no line's end.
    Opening,
    /// Stands at no line's start.
    Closing,
    /// Stands at no line's start either, nor apart from the word after it: "3.5".
    Point,
    /// Anything may come before and after: Hanzi.
    Free,
}

/// A line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// What stands in it, from left to right.
    pub(super) pieces: Vec<Piece>,
    /// Its width, in ems.
    pub(super) width: f32,
}

/// A part of a line.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Characters that the typeface has.
    Glyphs(Run),
    /// One that it does not have: its code point in a box.
    Unknown {
        /// The character.
        text: String,
        /// What stands in the box, in smaller type ([`LABEL`]).
        label: Run,
        /// The width of the box, in ems.
        width: f32,
    },
}

/// Characters with their shapes.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// The characters.
    pub(super) text: String,
    /// Their shapes, measured in ems.
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Their width, in ems.
    pub(super) width: f32,
}

/// The size of the type in the box of an unknown character, as a part of the size around it.
pub(super) const LABEL: f32 = 0.62;

/// The room left and right of it in the box, in ems of the size around it.
pub(super) const LABEL_MARGIN: f32 = 0.14;

impl Text {
    /// Measures a text. Line breaks and tabs become spaces; characters that cannot be seen are left out, since some of them
    /// turn the text around them; those that choose a variant of a character stay with it.
    pub(super) fn new(text: &str, face: &Face) -> Self {
        let mut clusters: Vec<Cluster> = Vec::new();
        for character in text.trim_matches(is_loose).chars() {
            if is_variation(character) {
                if let Some(last) = clusters.last_mut() {
                    last.text.push(character);
                }
                continue;
            }
            let character = if character.is_whitespace() && character != '\u{3000}' { ' ' } else { character };
            if character.is_control() || is_invisible(character) {
                continue;
            }
            let shape = face.glyph(character);
            let (glyph, width) = match shape {
                Some((glyph, width)) => (Some(glyph), width),
                None => (None, label(character, face).width * LABEL + 2.0 * LABEL_MARGIN),
            };
            clusters.push(Cluster { text: character.into(), glyph, width, kind: kind(character) });
        }
        Self(clusters)
    }

    /// Its lines, each at most so many ems wide. There is one at least.
    pub(super) fn lines(&self, width: f32, face: &Face) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut start = 0;
        while start < self.0.len() {
            let end = self.end_of_line(start, width);
            lines.push(self.line(start, end, face));
            start = end;
            while self.0.get(start).is_some_and(|cluster| cluster.kind == Kind::Space) {
                start += 1;
            }
        }
        if lines.is_empty() {
            lines.push(Line::default());
        }
        lines
    }

    /// Where the line ends that starts here: the last place at which it may be broken, or, where there is none, where it is full.
    fn end_of_line(&self, start: usize, width: f32) -> usize {
        let (mut used, mut last_break, mut end) = (0.0, None, start);
        for (index, cluster) in self.0.iter().enumerate().skip(start) {
            if index > start && self.may_break_before(index) {
                last_break = Some(index);
            }
            used += cluster.width;
            // Half a thousandth of an em is no difference: sums of widths are not exact.
            if cluster.kind != Kind::Space && used > width + 0.0005 && index > start {
                return last_break.unwrap_or(end);
            }
            end = index + 1;
        }
        end
    }

    fn may_break_before(&self, index: usize) -> bool {
        let (before, after) = (self.0[index - 1].kind, self.0[index].kind);
        let stays_together = matches!(
            (before, after),
            (_, Kind::Space | Kind::Closing | Kind::Point)
                | (Kind::Opening, _)
                | (Kind::Word | Kind::Point, Kind::Word)
        );
        !stays_together
    }

    fn line(&self, start: usize, end: usize, face: &Face) -> Line {
        let mut line = Line::default();
        let clusters = &self.0[start..end];
        let seen = clusters.iter().rposition(|cluster| cluster.kind != Kind::Space).map_or(0, |last| last + 1);
        for cluster in &clusters[..seen] {
            line.width += cluster.width;
            let Some(glyph) = cluster.glyph else {
                let label = cluster.text.chars().next().map_or_else(Run::default, |character| label(character, face));
                line.pieces.push(Piece::Unknown { text: cluster.text.clone(), label, width: cluster.width });
                continue;
            };
            if !matches!(line.pieces.last(), Some(Piece::Glyphs(_))) {
                line.pieces.push(Piece::Glyphs(Run::default()));
            }
            if let Some(Piece::Glyphs(run)) = line.pieces.last_mut() {
                run.push(&cluster.text, glyph, cluster.width);
            }
        }
        line
    }
}

impl Run {
    fn push(&mut self, text: &str, glyph: GlyphId, width: f32) {
        let start = self.text.len();
        self.text.push_str(text);
        self.glyphs.push(KrillaGlyph::new(glyph, width, 0.0, 0.0, 0.0, start..self.text.len(), None));
        self.width += width;
    }
}

/// The code point of a character that the typeface does not have.
fn label(character: char, face: &Face) -> Run {
    let mut run = Run::default();
    for digit in format!("U+{:04X}", u32::from(character)).chars() {
        if let Some((glyph, width)) = face.glyph(digit) {
            run.push(digit.encode_utf8(&mut [0; 4]), glyph, width);
        }
    }
    run
}

/// White space at the ends of a text, which means nothing. An ideographic space at the start sets a paragraph in.
fn is_loose(character: char) -> bool {
    character.is_whitespace() && character != '\u{3000}'
}

/// Chooses a variant of the character before it: Unicode, chapter 23.4.
fn is_variation(character: char) -> bool {
    matches!(u32::from(character), 0xFE00..=0xFE0F | 0xE_0100..=0xE_01EF)
}

/// Has no shape of its own: joiners, marks of direction, tags, fillers.
fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1_D173..=0x1_D17A
            | 0xE_0000..=0xE_00FF | 0xE_01F0..=0xE_0FFF
    )
}

const OPENING: &str = "（《〈「『【〔“‘([{〖";
const CLOSING: &str = "，。、；：？！）》〉」』】〕”’…—～·％‰〗々ー";
const POINTS: &str = ",.;:?!%)]}";

fn kind(character: char) -> Kind {
    match character {
        ' ' | '\u{3000}' => Kind::Space,
        character if OPENING.contains(character) => Kind::Opening,
        character if CLOSING.contains(character) => Kind::Closing,
        character if POINTS.contains(character) => Kind::Point,
        character if is_hanzi(character) => Kind::Free,
        _ => Kind::Word,
    }
}

fn is_hanzi(character: char) -> bool {
    matches!(
        u32::from(character),
        0x2E80..=0x2FFF | 0x3003..=0x312F | 0x3190..=0x9FFF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x2_0000..=0x3_FFFF
            | 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn face() -> &'static Face {
        Face::get().unwrap()
    }

    fn lines(text: &str, width: f32) -> Vec<String> {
        Text::new(text, face()).lines(width, face()).iter().map(shown).collect()
    }

    fn shown(line: &Line) -> String {
        let of = |piece: &Piece| match piece {
            Piece::Glyphs(run) => run.text.clone(),
            Piece::Unknown { label, .. } => format!("[{}]", label.text),
        };
        line.pieces.iter().map(of).collect()
    }

    #[test]
    fn lines_are_broken_as_chinese_type_is() {
        assert_eq!(lines("甲乙丙丁", 2.0), ["甲乙", "丙丁"]);
        // No line starts with what closes, and none ends with what opens.
        assert_eq!(lines("甲乙，丙", 2.0), ["甲", "乙，", "丙"]);
        assert_eq!(lines("甲乙丙（丁）戊", 4.0), ["甲乙丙", "（丁）戊"]);
        assert_eq!(lines("甲乙丙》。丁", 4.0), ["甲乙", "丙》。丁"]);
        assert_eq!(lines("阿依古丽·买买提", 4.0), ["阿依古", "丽·买买", "提"]);
    }

    #[test]
    fn words_and_numbers_stay_together_where_they_can() {
        assert_eq!(lines("Ask the police station", 6.0), ["Ask the", "police", "station"]);
        assert_eq!(lines("甲乙3.5元", 3.0), ["甲乙", "3.5元"]);
        assert_eq!(lines("https://a.example/b", 4.0).concat(), "https://a.example/b");
    }

    #[test]
    fn what_cannot_be_seen_is_left_out_and_what_cannot_be_printed_is_named() {
        assert_eq!(lines("a\r\n\tb \u{202E}c\u{200B}\u{0}", 20.0), ["a   b c"]);
        assert_eq!(lines("𠮷𬱖㛃·", 20.0), ["𠮷𬱖㛃·"]);
        assert_eq!(lines("王𪚥\u{E123}", 20.0), ["王[U+2A6A5][U+E123]"]);
        // The variant that is asked for cannot be had, but the text says so to whoever reads it back.
        assert_eq!(lines("葛\u{E0100}", 20.0), ["葛\u{E0100}"]);
        assert_eq!(lines("", 20.0), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_character_is_lost(text in "[一-龥（），。a-z0-9 ]{0,80}", width in 2.0_f32..30.0) {
            let lines = Text::new(&text, face()).lines(width, face());
            for line in &lines {
                prop_assert!(line.width <= width + 0.01, "{}", shown(line));
            }
            let read: String = lines.iter().map(shown).collect();
            prop_assert_eq!(read.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
