//! Papers in a browser: the same that the PDF says, as a page that can be printed.

use askama::Template;

use crate::papers::{Block, Density, Language, Paper, Weight};

/// A paper within a page.
#[derive(Template)]
#[template(path = "paper.html", config = "src/web/askama.toml")]
pub(super) struct Sheet {
    paper: Paper,
}

impl From<Paper> for Sheet {
    fn from(paper: Paper) -> Self {
        Self { paper }
    }
}

impl Sheet {
    /// How it is printed, as a class: on one page.
    fn density(&self) -> &'static str {
        match self.paper.density() {
            Density::Roomy => "",
            Density::Close => " paper-close",
            Density::Tight => " paper-tight",
        }
    }

    /// Whether what is quoted is in another language than the rest.
    fn is_foreign(&self) -> bool {
        self.paper.language() != Language::Chinese
    }
}

/// The language of a paper for whoever reads with these words.
pub(super) fn language(is_english: bool) -> Language {
    if is_english { Language::English } else { Language::Chinese }
}
