use jiff::Timestamp;

use super::face::Face;
use super::flow::{Flow, Role, Scale};
use super::qr::Qr;
use super::sheet::{self, About, Ink};
use super::{Language, NotPrinted, words};

/// What stands on a paper, from top to bottom. The page that shows it and the PDF are both made of this, so that both say the
/// same.
#[derive(Debug, Clone)]
pub struct Paper {
    name: String,
    author: String,
    language: Language,
    at: Timestamp,
    blocks: Vec<Block>,
    foot: String,
}

/// One part of a paper.
#[derive(Debug, Clone)]
pub enum Block {
    /// What the paper is called.
    Title(String),
    /// What must not be overlooked.
    Panel(String),
    /// What a part is about.
    Heading(String),
    /// A paragraph.
    Text(Weight, String),
    /// What is written somewhere else, in its own words.
    Quote {
        /// Where.
        place: String,
        /// The words.
        text: String,
    },
    /// Texts, each with its label.
    Rows(Vec<(String, String)>),
    /// One after another, numbered. Where all are more than a page holds, the PDF says how many are missing.
    Steps(Vec<String>),
    /// A table of two columns, shortened like steps.
    Table {
        /// What stands in each column.
        head: [String; 2],
        /// The rows.
        rows: Vec<[String; 2]>,
    },
    /// What came of something.
    Result(Finding),
    /// Who hands it out, and when.
    Signature(Vec<String>),
}

/// How heavy a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Small print.
    Quiet,
    /// Like everything else.
    Plain,
    /// To be read first.
    Strong,
}

/// What came of something, and how whoever holds the paper sees that it is so.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The result, in a few words.
    pub result: String,
    /// What that means.
    pub meaning: String,
    /// How it is checked.
    pub proof: Option<Proof>,
}

/// A code that can be checked.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What the code is.
    pub label: String,
    /// The code, as it is typed.
    pub code: String,
    /// How and until when it is checked.
    pub how: String,
    /// The same for whoever has a camera. `None`: the address is longer than any QR code holds.
    pub qr: Option<Qr>,
    /// What the QR code is, for whoever does not see it.
    pub alt: String,
}

/// How closely everything stands on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    /// With room to spare.
    Roomy,
    /// In smaller type.
    Close,
    /// In the smallest type.
    Tight,
}

impl Paper {
    /// An empty paper: what viewers call it, and who hands it out.
    #[must_use]
    pub fn new(name: impl Into<String>, author: impl Into<String>, language: Language, at: Timestamp) -> Self {
        let (name, author) = (name.into(), author.into());
        Self { name, author, language, at, blocks: Vec::new(), foot: String::new() }
    }

    /// One more part.
    pub fn put(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// A part that is called so.
    pub fn heading(&mut self, text: &str) {
        self.put(Block::Heading(text.to_owned()));
    }

    /// A paragraph.
    pub fn text(&mut self, weight: Weight, text: impl Into<String>) {
        self.put(Block::Text(weight, text.into()));
    }

    /// Texts with their labels; nothing, where there are none.
    pub fn rows(&mut self, rows: Vec<(String, String)>) {
        if !rows.is_empty() {
            self.put(Block::Rows(rows));
        }
    }

    /// Numbered steps; nothing, where there are none.
    pub fn steps(&mut self, steps: Vec<String>) {
        if !steps.is_empty() {
            self.put(Block::Steps(steps));
        }
    }

    /// Small print at its foot.
    pub fn foot(&mut self, text: &str) {
        text.clone_into(&mut self.foot);
    }

    /// Everything on it, but for its foot.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The small print at its foot.
    #[must_use]
    pub fn footer(&self) -> &str {
        &self.foot
    }

    /// The language that it is in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The paper as a PDF of one page, in the largest type in which everything stands on it.
    ///
    /// # Errors
    /// If it is more than a page holds, or cannot be written.
    pub fn pdf(&self) -> Result<Vec<u8>, NotPrinted> {
        let face = Face::get().ok_or(NotPrinted::Face)?;
        let about = About { title: &self.name, author: &self.author, language: self.language, at: self.at };
        let (_, mut flow) = self.laid(face).ok_or(NotPrinted::TooLong)?;
        flow.foot(&self.foot);
        sheet::print(&flow.finish(), &about, face)
    }

    /// How closely everything has to stand to be one page, also where a browser prints it.
    #[must_use]
    pub fn density(&self) -> Density {
        match Face::get().and_then(|face| self.laid(face)) {
            Some((Most(usize::MAX), flow)) => flow.density(),
            // What the PDF leaves out stands on the page.
            _ => Density::Tight,
        }
    }

    /// Everything but the foot in the largest type in which all of it is one page, and how much of it that is.
    fn laid(&self, face: &'static Face) -> Option<(Most, Flow<'static>)> {
        let ways = Most::ALL.into_iter().flat_map(|most| Scale::all().map(move |scale| (most, scale)));
        ways.map(|(most, scale)| {
            let mut flow = Flow::new(face, scale);
            for block in &self.blocks {
                self.lay(block, &mut flow, most);
            }
            (most, flow)
        })
        .find(|(_, flow)| flow.fits(flow.foot_height(&self.foot)))
    }

    fn lay(&self, block: &Block, flow: &mut Flow<'_>, most: Most) {
        match block {
            Block::Title(text) => flow.title(text),
            Block::Panel(text) => flow.panel(text),
            Block::Heading(text) => flow.heading(text),
            Block::Text(Weight::Quiet, text) => flow.paragraph(text, Role::Small, Ink::Quiet),
            Block::Text(Weight::Plain, text) => flow.paragraph(text, Role::Body, Ink::Text),
            Block::Text(Weight::Strong, text) => {
                flow.gap(6.0);
                flow.paragraph(text, Role::Body, Ink::Strong);
            }
            Block::Quote { place, text } => flow.quote(place, text),
            Block::Rows(rows) => flow.rows(rows),
            Block::Steps(steps) => {
                let (steps, left_out) = most.of(steps);
                flow.steps(steps);
                self.left_out(flow, left_out);
            }
            Block::Table { head, rows } => {
                let (rows, left_out) = most.of(rows);
                flow.gap(4.0);
                flow.table(head, rows);
                self.left_out(flow, left_out);
            }
            Block::Result(finding) => lay_finding(finding, flow),
            Block::Signature(lines) => flow.signature(lines),
        }
    }

    fn left_out(&self, flow: &mut Flow<'_>, count: usize) {
        if count > 0 {
            flow.paragraph(&words::left_out(count, self.language), Role::Small, Ink::Quiet);
        }
    }
}

fn lay_finding(finding: &Finding, flow: &mut Flow<'_>) {
    flow.gap(4.0);
    let Some(proof) = &finding.proof else {
        flow.paragraph(&finding.result, Role::Verdict, Ink::Accent);
        flow.paragraph(&finding.meaning, Role::Body, Ink::Text);
        return;
    };
    flow.with_qr(proof.qr.as_ref(), &proof.alt, QR_SIDE, |flow| {
        let room = QR_SIDE + 22.0;
        flow.narrow(&finding.result, Role::Verdict, Ink::Accent, room);
        flow.narrow(&finding.meaning, Role::Body, Ink::Text, room);
        flow.gap(7.0);
        flow.narrow(&proof.label, Role::Small, Ink::Quiet, room);
        flow.narrow(&proof.code, Role::Code, Ink::Strong, room);
        flow.gap(2.0);
        flow.narrow(&proof.how, Role::Small, Ink::Quiet, room);
    });
}

/// The side of the QR code, in points: 29 mm.
const QR_SIDE: f32 = 82.0;

/// How much of what could be left out stands on a page: where all of it is too much, it says how much is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Most(usize);

impl Most {
    /// As many as there are; and fewer, where those are too many for a page.
    const ALL: [Self; 6] = [Self(usize::MAX), Self(20), Self(12), Self(6), Self(3), Self(1)];

    /// The first ones, and how many are left out.
    fn of<T>(self, all: &[T]) -> (&[T], usize) {
        let shown = all.len().min(self.0);
        (&all[..shown], all.len() - shown)
    }
}
