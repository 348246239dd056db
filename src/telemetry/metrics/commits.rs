use std::time::Duration;

use super::instrument::Histogram;
use super::{DISK, FAST, Page, catalog};

/// How the ledger's transactions went. The ledger has one of its own, because it is there before anything is recorded.
#[derive(Debug, Default)]
pub struct Commits {
    took: Histogram<FAST>,
    entries: Histogram<SIZES>,
}

/// Upper bounds of a transaction's entries.
const ENTRIES: [f64; SIZES] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
const SIZES: usize = 11;

impl Commits {
    /// A transaction of so many entries was written.
    pub fn observe(&self, took: Duration, entries: usize) {
        self.took.count_time(took, &DISK);
        self.entries.count_things(entries, &ENTRIES);
    }

    /// Writes it down.
    pub fn write(&self, page: &mut Page) {
        page.histogram(&catalog::COMMIT_DURATION, vec![], self.took.read(&DISK));
        page.histogram(&catalog::COMMIT_ENTRIES, vec![], self.entries.read(&ENTRIES));
    }
}
