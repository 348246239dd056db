//! The questions of late, and whom a department hits that gives no answer.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use uuid::Uuid;

use super::latency::{Latencies, Merged};
use super::picture::{Asked, Hits, OfAgency, Pending, Traffic};
use super::window::{Tally, Window};
use super::{Question, SLOT, TEN_MINUTES};
use crate::domain::{AgencyId, ClaimRef, Outcome, Slug};

#[derive(Debug, Default)]
pub(super) struct Questions {
    recent: Window<Recent, SLOT, TEN_MINUTES>,
    /// Traces of questions that were hit, by source, the last first.
    traces: HashMap<Slug, VecDeque<(Timestamp, Box<str>)>>,
    waiting: HashMap<Uuid, Waiting>,
    /// Those that are not among them because they are too many.
    others_waiting: u32,
}

/// The most traces of a source that are kept.
pub(super) const TRACES: usize = 5;

/// The most questions that wait and are told apart.
pub(super) const MOST_WAITING: usize = 100_000;

#[derive(Debug, Default)]
struct Recent {
    asked: u32,
    outcomes: Asked,
    latencies: Latencies,
    agencies: Tally<AgencyId>,
    hit_agencies: Tally<AgencyId>,
    refused: Tally<AgencyId>,
    /// By source.
    hits: HashMap<Slug, Hit>,
    witnesses: Tally<Slug>,
    cached: Tally<Slug>,
}

#[derive(Debug, Default)]
struct Hit {
    unavailable: u32,
    pending: u32,
    agencies: Tally<AgencyId>,
    claims: Tally<ClaimRef>,
}

#[derive(Debug)]
struct Waiting {
    asked: Timestamp,
    again: Option<Timestamp>,
    sources: Vec<Slug>,
    /// Whether it was counted as hit when it began to wait.
    is_counted: bool,
}

impl Questions {
    pub(super) fn asked(&mut self, question: &Question<'_>) {
        let slot = self.recent.at(question.at);
        slot.asked = slot.asked.saturating_add(1);
        slot.outcomes.add(question.outcome);
        let took = question.at.duration_since(question.asked).unsigned_abs();
        slot.latencies.add(took);
        slot.agencies.add(question.agency, 1);
        for witness in question.witnesses {
            slot.witnesses.add(witness.source, 1);
            if witness.cached {
                slot.cached.add(witness.source, 1);
            }
        }
        // One that a department takes its time for is pending, and nobody is hit by that.
        let hit = question.outcome == Outcome::Unavailable
            || question.outcome == Outcome::Pending && question.witnesses.iter().any(|witness| witness.missing);
        if hit {
            self.hit(question);
        }
    }

    fn hit(&mut self, question: &Question<'_>) {
        let slot = self.recent.at(question.at);
        slot.hit_agencies.add(question.agency, 1);
        let mut missing: Vec<&Slug> = missing(question).collect();
        missing.sort_unstable();
        missing.dedup();
        for source in missing {
            let hit = slot.hits.entry(source.clone()).or_default();
            let count = if question.outcome == Outcome::Pending { &mut hit.pending } else { &mut hit.unavailable };
            *count = count.saturating_add(1);
            hit.agencies.add(question.agency, 1);
            hit.claims.add(question.claim, 1);
            if let Some(trace) = question.trace {
                let traces = self.traces.entry(source.clone()).or_default();
                traces.truncate(TRACES - 1);
                traces.push_front((question.at, trace.into()));
            }
        }
    }

    pub(super) fn refused(&mut self, agency: &AgencyId, at: Timestamp) {
        self.recent.at(at).refused.add(agency, 1);
    }

    pub(super) fn waits(&mut self, question: &Question<'_>) {
        let is_known = self.waiting.contains_key(&question.id);
        if !is_known && self.waiting.len() >= MOST_WAITING {
            self.others_waiting = self.others_waiting.saturating_add(1);
            return;
        }
        let open = question.witnesses.iter().filter(|witness| witness.missing).map(|witness| witness.source.clone());
        let mut sources: Vec<Slug> = open.collect();
        sources.sort_unstable();
        sources.dedup();
        let is_counted = !sources.is_empty() || self.waiting.get(&question.id).is_some_and(|known| known.is_counted);
        let waiting = Waiting { asked: question.asked, again: question.again, sources, is_counted };
        self.waiting.insert(question.id, waiting);
    }

    pub(super) fn arrived(&mut self, question: &Question<'_>) {
        let waiting = self.waiting.remove(&question.id);
        if waiting.is_none() {
            self.others_waiting = self.others_waiting.saturating_sub(1);
        }
        if question.outcome == Outcome::Unavailable && !waiting.is_some_and(|waiting| waiting.is_counted) {
            self.hit(question);
        }
    }

    pub(super) fn hits(&self, source: &Slug, now: Timestamp) -> Hits {
        let (mut hits, mut agencies, mut claims) = (Hits::default(), Tally::default(), Tally::default());
        for (_, slot) in self.recent.last(now, TEN_MINUTES) {
            hits.asked = hits.asked.saturating_add(slot.asked);
            if let Some(hit) = slot.hits.get(source) {
                hits.unavailable = hits.unavailable.saturating_add(hit.unavailable);
                hits.pending = hits.pending.saturating_add(hit.pending);
                agencies.add_all(&hit.agencies);
                claims.add_all(&hit.claims);
            }
        }
        (hits.agencies, hits.claims) = (agencies.sorted(), claims.sorted());
        let length = Window::<Recent, SLOT, TEN_MINUTES>::length(now, TEN_MINUTES);
        let recent = |at: &Timestamp| now.duration_since(*at).unsigned_abs() <= length;
        let traces = self.traces.get(source).into_iter().flatten();
        hits.traces = traces.filter(|(at, _)| recent(at)).map(|(_, trace)| trace.clone()).collect();
        hits
    }

    pub(super) fn traffic(&self, now: Timestamp, slots: usize) -> Traffic {
        let (mut traffic, mut latencies) = (Traffic::default(), Merged::default());
        for (_, slot) in self.recent.last(now, slots) {
            traffic.asked = traffic.asked.saturating_add(slot.asked);
            traffic.outcomes.merge(&slot.outcomes);
            latencies.add(&slot.latencies);
        }
        traffic.length = Window::<Recent, SLOT, TEN_MINUTES>::length(now, slots);
        (traffic.p50, traffic.p99) = (latencies.percentile(50), latencies.percentile(99));
        traffic
    }

    pub(super) fn pending(&self) -> Pending {
        let mut by_source: HashMap<&Slug, (u32, Option<Timestamp>)> = HashMap::new();
        for waiting in self.waiting.values() {
            for source in &waiting.sources {
                let (count, next) = by_source.entry(source).or_default();
                *count += 1;
                *next = earlier(*next, waiting.again);
            }
        }
        let mut by_source: Vec<_> =
            by_source.into_iter().map(|(source, (count, next))| (source.clone(), count, next)).collect();
        by_source.sort_by(|(a, many, _), (b, more, _)| more.cmp(many).then_with(|| a.cmp(b)));
        Pending {
            count: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX).saturating_add(self.others_waiting),
            oldest: self.waiting.values().map(|waiting| waiting.asked).min(),
            next: self.waiting.values().fold(None, |next, waiting| earlier(next, waiting.again)),
            by_source,
        }
    }

    pub(super) fn agencies(&self, now: Timestamp) -> Vec<OfAgency> {
        let (mut asked, mut hit, mut refused) = (Tally::default(), Tally::default(), Tally::default());
        for (_, slot) in self.recent.last(now, TEN_MINUTES) {
            asked.add_all(&slot.agencies);
            hit.add_all(&slot.hit_agencies);
            refused.add_all(&slot.refused);
        }
        let mut all: HashMap<AgencyId, OfAgency> = HashMap::new();
        let empty = |agency: &AgencyId| OfAgency { agency: agency.clone(), asked: 0, hit: 0, refused: 0 };
        for (agency, count) in asked.sorted() {
            all.entry(agency.clone()).or_insert_with(|| empty(&agency)).asked = count;
        }
        for (agency, count) in hit.sorted() {
            all.entry(agency.clone()).or_insert_with(|| empty(&agency)).hit = count;
        }
        for (agency, count) in refused.sorted() {
            all.entry(agency.clone()).or_insert_with(|| empty(&agency)).refused = count;
        }
        let mut all: Vec<OfAgency> = all.into_values().collect();
        all.sort_by(|a, b| b.asked.cmp(&a.asked).then_with(|| a.agency.cmp(&b.agency)));
        all
    }

    pub(super) fn remembered(&self, now: Timestamp) -> Vec<(Slug, u32, u32)> {
        let (mut witnesses, mut cached) = (Tally::default(), Tally::default());
        for (_, slot) in self.recent.last(now, TEN_MINUTES) {
            witnesses.add_all(&slot.witnesses);
            cached.add_all(&slot.cached);
        }
        let cached: HashMap<Slug, u32> = cached.sorted().into_iter().collect();
        let of = |(source, count): (Slug, u32)| {
            let known = cached.get(&source).copied().unwrap_or_default();
            (source, count, known)
        };
        witnesses.sorted().into_iter().map(of).collect()
    }
}

/// The sources that a question has no answer of.
fn missing<'a>(question: &Question<'a>) -> impl Iterator<Item = &'a Slug> {
    question.witnesses.iter().filter(|witness| witness.missing).map(|witness| witness.source)
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
