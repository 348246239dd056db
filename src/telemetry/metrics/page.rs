use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::catalog::Metric;
use super::instrument::{Counter, Exemplar};
use crate::domain::Slug;

/// Everything that is counted and how things stand, at one moment.
#[derive(Debug, Default)]
pub struct Page {
    /// By the metric's name.
    pub(in crate::telemetry) families: BTreeMap<&'static str, (&'static Metric, Vec<Sample>)>,
}

/// One series at one moment.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its labels.
    pub labels: Vec<Label>,
    /// Its value.
    pub reading: Reading,
}

/// A label. Its value is an id of the configuration or a word of an enumeration.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its name, by the semantic conventions or below `heyan`.
    pub name: &'static str,
    /// Its value.
    pub value: Cow<'static, str>,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Reading {
    /// How often something happened.
    Count(u64),
    /// How something stands, or a sum that is no whole number.
    Value(f64),
    /// How values are spread.
    Distribution(Box<Distribution>),
}

/// How values are spread, in the metric's unit.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Upper bounds.
    pub bounds: Vec<f64>,
    /// How many came under each bound and over the one before; the last: over all of them.
    pub counts: Vec<u64>,
    /// All of them together.
    pub sum: f64,
    /// An example of each, where there is one.
    pub exemplars: Vec<Option<Exemplar>>,
}

impl Label {
    /// A label whose value is an id.
    #[must_use]
    pub fn new(name: &'static str, value: impl AsRef<str>) -> Self {
        Self { name, value: Cow::Owned(value.as_ref().to_owned()) }
    }

    /// A label whose value is a word.
    #[must_use]
    pub fn fixed(name: &'static str, value: &'static str) -> Self {
        Self { name, value: Cow::Borrowed(value) }
    }

    /// The source.
    #[must_use]
    pub fn source(source: &Slug) -> Self {
        Self::new("source", source.as_str())
    }

    pub(super) fn number(name: &'static str, value: impl fmt::Display) -> Self {
        Self { name, value: Cow::Owned(value.to_string()) }
    }
}

impl Page {
    /// How something stands.
    #[expect(clippy::cast_precision_loss, reason = "what is shown need not be exact beyond 2^53")]
    pub fn whole(&mut self, metric: &'static Metric, labels: Vec<Label>, value: u64) {
        self.value(metric, labels, value as f64);
    }

    /// How something stands, in the metric's unit.
    pub fn value(&mut self, metric: &'static Metric, labels: Vec<Label>, value: f64) {
        self.add(metric, labels, Reading::Value(value));
    }

    /// How often something has happened.
    pub fn total(&mut self, metric: &'static Metric, labels: Vec<Label>, count: u64) {
        self.add(metric, labels, Reading::Count(count));
    }

    pub(super) fn count(&mut self, metric: &'static Metric, labels: Vec<Label>, counter: &Counter) {
        self.total(metric, labels, counter.value());
    }

    /// What never happened is left out: there would be a series for each cause of each operation.
    pub(super) fn count_if_any(&mut self, metric: &'static Metric, labels: Vec<Label>, counter: &Counter) {
        if counter.value() > 0 {
            self.count(metric, labels, counter);
        }
    }

    pub(super) fn histogram(&mut self, metric: &'static Metric, labels: Vec<Label>, reading: Reading) {
        self.add(metric, labels, reading);
    }

    fn add(&mut self, metric: &'static Metric, labels: Vec<Label>, reading: Reading) {
        let (_, samples) = self.families.entry(metric.name).or_insert_with(|| (metric, Vec::new()));
        samples.push(Sample { labels, reading });
    }

    /// Every family, ordered by name.
    pub fn families(&self) -> impl Iterator<Item = (&'static Metric, &[Sample])> {
        self.families.values().map(|(metric, samples)| (*metric, samples.as_slice()))
    }
}
