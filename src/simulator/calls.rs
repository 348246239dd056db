//! Who was asked what, and how often.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

/// Every operation of every source.
const OPERATIONS: [(&str, &[&str]); 4] = [
    ("police", &["person", "households"]),
    ("civil-affairs", &["marriages", "adoptions", "key"]),
    ("health", &["birth", "births-of", "death"]),
    ("court", &["index", "judgments", "judgments.fetch", "token"]),
];

/// The source ids.
pub(super) fn sources() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(source, _)| *source)
}

/// The operations of a source.
pub(super) fn operations(source: &str) -> Option<&'static [&'static str]> {
    OPERATIONS.iter().find(|(known, _)| *known == source).map(|(_, operations)| *operations)
}

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Calls([[AtomicU64; 4]; 4]);

impl Calls {
    /// Counts one call.
    pub(super) fn count(&self, source: &str, operation: &str) {
        for ((known, operations), counters) in OPERATIONS.iter().zip(&self.0) {
            if *known == source {
                let counter = operations.iter().zip(counters).find(|(name, _)| **name == operation);
                if let Some((_, counter)) = counter {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// All counters, by source and operation.
    pub(super) fn report(&self) -> Value {
        let line = |operations: &[&str], counters: &[AtomicU64]| {
            let counted = operations.iter().zip(counters);
            counted.map(|(name, counter)| ((*name).to_owned(), counter.load(Ordering::Relaxed).into())).collect()
        };
        let sources = OPERATIONS.iter().zip(&self.0);
        let lines = sources
            .map(|((source, operations), counters)| ((*source).to_owned(), Value::Object(line(operations, counters))));
        Value::Object(lines.collect::<Map<_, _>>())
    }
}
