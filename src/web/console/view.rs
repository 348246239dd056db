//! The first screen in words: one sentence of the whole, what is wrong, and each department.

use std::time::Duration;

use jiff::Timestamp;

use super::chart;
use super::wording::{self, Moment};
use crate::api::Shared;
use crate::departments::OperationRef;
use crate::domain::{Cause, Outcome};
use crate::matters::Catalog;
use crate::situation::{Department, Hits, Picture, State};
use crate::sources::Description;
use crate::web::Web;
use crate::words::Words;

/// Everything on the first screen.
pub(super) struct View {
    /// One sentence of the whole.
    pub(super) headline: String,
    /// The same without lengths of time: it changes when something happens.
    pub(super) said: String,
    pub(super) tone: &'static str,
    /// What has failed of late and is answered again.
    pub(super) past: Vec<String>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) cards: Vec<Card>,
    pub(super) traffic: Vec<(String, String)>,
    pub(super) at: Moment,
}

/// A department that is not well.
pub(super) struct Trouble {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) cause: String,
    /// What the cause means.
    pub(super) meaning: String,
    pub(super) since: Option<Moment>,
    pub(super) lasts: String,
    pub(super) until: Option<Moment>,
    pub(super) causes: String,
    /// Which of its operations.
    pub(super) operations: String,
    pub(super) hits: Hit,
    pub(super) tries: Vec<String>,
    pub(super) advice: String,
    pub(super) closure: Option<String>,
    pub(super) is_closed: bool,
}

/// Whom it hits.
pub(super) struct Hit {
    pub(super) told: String,
    pub(super) agencies: String,
    pub(super) claims: String,
    pub(super) traces: Vec<String>,
}

/// A department on the first screen.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) told: String,
    pub(super) facts: Vec<(String, String)>,
    pub(super) chart: String,
}

/// How things stand now.
pub(super) fn picture(web: &Web) -> Picture {
    let now = web.api.gateway.clock.now();
    let shared = &web.api.shared;
    let circumstances = |source: &Description| shared.states.condition(source, now).circumstances(source.id());
    let all: Vec<_> = shared.descriptions.iter().map(circumstances).collect();
    shared.states.situation().picture(&all, now)
}

impl View {
    pub(super) fn new(web: &Web, words: &Words) -> Self {
        let picture = picture(web);
        let writer = Writer { web, words, now: picture.at };
        let troubles = picture.troubles();
        let told = |department: &Department| {
            let name = wording::source(writer.shared(), &department.source);
            Some(words.fill("console.past", &[("name", &name), ("what", &writer.past(department)?)]))
        };
        let past: Vec<String> = picture.departments.iter().filter_map(told).collect();
        let best = if picture.count(&[State::Well, State::Recovered]) > 0 { "good" } else { "calm" };
        let tone = troubles.first().map_or(best, |worst| wording::tone(worst.state));
        Self {
            headline: writer.headline(&picture, &troubles, true),
            said: [&[writer.headline(&picture, &troubles, false)], &*past].concat().join(" "),
            tone,
            past,
            troubles: troubles.iter().map(|department| writer.trouble(department, &picture)).collect(),
            cards: picture.departments.iter().map(|department| writer.card(department)).collect(),
            traffic: writer.traffic(&picture),
            at: Moment::new(picture.at, picture.at),
        }
    }
}

/// Writes it in a reader's language.
pub(super) struct Writer<'a> {
    pub(super) web: &'a Web,
    pub(super) words: &'a Words,
    pub(super) now: Timestamp,
}

impl Writer<'_> {
    fn shared(&self) -> &Shared {
        &self.web.api.shared
    }

    fn catalog(&self) -> &Catalog {
        &self.web.api.gateway.catalog
    }

    fn headline(&self, picture: &Picture, troubles: &[&Department], is_long: bool) -> String {
        let one = |department: &&Department| {
            let name = wording::source(self.shared(), &department.source);
            let what = self.what(department);
            match department.since.filter(|_| is_long) {
                Some(since) => {
                    let lasts = wording::since(self.words, since, self.now);
                    self.words.fill("console.headline_one", &[("name", &name), ("what", &what), ("lasts", &lasts)])
                }
                None => self.words.fill("console.headline_short", &[("name", &name), ("what", &what)]),
            }
        };
        let mut troubles: Vec<String> = troubles.iter().map(one).collect();
        let all = picture.departments.len();
        // One that nobody asks may be as bad as any.
        let others = [
            ("console.rest_well", picture.count(&[State::Well, State::Recovered])),
            ("console.rest_quiet", picture.count(&[State::NoTraffic])),
            ("console.rest_planned", picture.count(&[State::PlannedOutage])),
        ];
        if others[0].1 == all {
            return self.words.fill("console.headline_well", &[("all", &all)]);
        }
        let told = others.iter().filter(|(_, count)| *count > 0);
        let rest: Vec<String> = told.map(|(key, count)| self.words.fill(key, &[("count", count)])).collect();
        let key = if troubles.is_empty() { "console.headline_calm" } else { "console.headline_bad" };
        if !rest.is_empty() {
            troubles.push(wording::list(self.words, &rest));
        }
        self.words.fill(key, &[("told", &troubles.join(self.words.text("console.semicolon")))])
    }

    /// What is wrong with a department, in a word: its cause, or its state.
    fn what(&self, department: &Department) -> String {
        match (department.state, department.cause()) {
            (State::ClosedByHand | State::Recovering, _) | (_, None) => wording::state(self.words, department.state),
            (_, Some(cause)) => wording::cause(self.words, cause),
        }
    }

    /// What a department was, where that is past as far as anybody knows.
    fn past(&self, department: &Department) -> Option<String> {
        let past = department.past?;
        let until = Moment::new(past.until, self.now).shown;
        Some(self.words.fill("console.past_what", &[("count", &past.failed), ("until", &until)]))
    }

    fn trouble(&self, department: &Department, picture: &Picture) -> Trouble {
        let words = self.words;
        let cause = department.cause();
        let wrong = |one: &&crate::situation::OperationPicture| one.state.is_trouble();
        let operations: Vec<String> =
            department.operations.iter().filter(wrong).map(|one| one.id.to_string()).collect();
        Trouble {
            id: department.source.to_string(),
            name: wording::source(self.shared(), &department.source),
            tone: wording::tone(department.state),
            state: wording::state(words, department.state),
            cause: self.what(department),
            meaning: cause.map(|cause| wording::meaning(words, cause)).unwrap_or_default(),
            since: department.since.map(|since| Moment::new(since, self.now)),
            lasts: department.since.map(|since| wording::since(words, since, self.now)).unwrap_or_default(),
            until: department.until.map(|until| Moment::new(until, self.now)),
            causes: wording::shares(words, &department.causes),
            operations: wording::list(words, &operations),
            hits: self.hits(&department.hits),
            tries: self.tries(department, picture),
            advice: cause.map(|cause| wording::advice(words, cause)).unwrap_or_default(),
            closure: department
                .closure
                .as_ref()
                .map(|closure| words.fill("console.closed_why", &[("by", &closure.by), ("reason", &closure.reason)])),
            is_closed: department.closure.is_some(),
        }
    }

    pub(super) fn hits(&self, hits: &Hits) -> Hit {
        let words = self.words;
        let told = if hits.count() == 0 {
            words.text("console.hits_none").to_owned()
        } else {
            words.fill(
                "console.hits",
                &[
                    ("percent", &hits.percent()),
                    ("count", &hits.count()),
                    ("asked", &hits.asked),
                    ("unavailable", &hits.unavailable),
                    ("pending", &hits.pending),
                ],
            )
        };
        let counted = |name: String, count: u32| words.fill("console.counted", &[("name", &name), ("count", &count)]);
        let agencies = hits.agencies.iter().map(|(id, count)| counted(wording::agency(self.shared(), id), *count));
        let claims = hits.claims.iter().map(|(id, count)| counted(wording::claim(self.catalog(), id), *count));
        Hit {
            told,
            agencies: self.some(agencies.collect()),
            claims: self.some(claims.collect()),
            traces: hits.traces.iter().take(MOST_TRACES).map(ToString::to_string).collect(),
        }
    }

    /// The first few, and how many more there are.
    fn some(&self, mut things: Vec<String>) -> String {
        let more = things.len().saturating_sub(MOST_NAMED);
        things.truncate(MOST_NAMED);
        let listed = wording::list(self.words, &things);
        if more > 0 { self.words.fill("console.and_more", &[("listed", &listed), ("more", &more)]) } else { listed }
    }

    /// What is tried meanwhile.
    fn tries(&self, department: &Department, picture: &Picture) -> Vec<String> {
        let source = self.shared().descriptions.iter().find(|source| *source.id() == department.source);
        let every = source.map_or(Duration::ZERO, Description::left_alone_for);
        let every = wording::span(self.words, every.max(Duration::from_secs(1)));
        let attempts = source.map_or(1, Description::attempts);
        let mut tries = vec![match department.state {
            State::LeftAlone => self.words.fill("console.tries_left_alone", &[("every", &every)]),
            State::Failing | State::Degraded => self.words.fill("console.tries_again", &[("attempts", &attempts)]),
            State::Recovering => self.words.text("console.tries_recovering").to_owned(),
            State::ClosedByHand => self.words.text("console.tries_closed").to_owned(),
            State::NoTraffic | State::Well | State::Recovered | State::PlannedOutage => String::new(),
        }];
        let waiting = picture.pending.by_source.iter().find(|(source, ..)| *source == department.source);
        if let Some((_, count, next)) = waiting {
            let next = next.map(|next| Moment::new(next, self.now).shown);
            tries.push(match next {
                Some(next) => self.words.fill("console.tries_waiting_until", &[("count", count), ("next", &next)]),
                None => self.words.fill("console.tries_waiting", &[("count", count)]),
            });
        }
        tries.retain(|tried| !tried.is_empty());
        tries
    }

    pub(super) fn card(&self, department: &Department) -> Card {
        let words = self.words;
        let fact = |key: &str, value: String| (words.text(key).to_owned(), value);
        let rate = &department.rate;
        let slowest = department.operations.iter().filter_map(|one| one.p99).max();
        let typical = department.operations.iter().filter_map(|one| one.p50).max();
        let mut facts = vec![
            fact("console.fact_rate", wording::rate(rate.per_second())),
            fact("console.fact_failed", format!("{} %", rate.failed_percent())),
            fact("console.fact_p50", wording::latency(typical)),
            fact("console.fact_p99", wording::latency(slowest)),
        ];
        if rate.held > 0 {
            facts.push(fact("console.fact_held", rate.held.to_string()));
        }
        let state = wording::state(words, department.state);
        let told = match (department.since, department.until) {
            (_, Some(until)) => words.fill("console.card_until", &[("until", &Moment::new(until, self.now).shown)]),
            (Some(since), None) => {
                let (what, lasts) = (self.what(department), wording::since(words, since, self.now));
                // The state is said already.
                let key = if what == state { "console.card_lasts" } else { "console.card_since" };
                words.fill(key, &[("what", &what), ("lasts", &lasts)])
            }
            (None, None) => self.past(department).unwrap_or_default(),
        };
        Card {
            id: department.source.to_string(),
            name: wording::source(self.shared(), &department.source),
            tone: wording::tone(department.state),
            state,
            told,
            facts,
            chart: self.chart(department),
        }
    }

    /// The calls of a department's last hour.
    pub(super) fn chart(&self, department: &Department) -> String {
        let of = |operation: &crate::situation::OperationPicture| OperationRef {
            source: department.source.clone(),
            operation: operation.id.clone(),
        };
        let operations: Vec<_> = department.operations.iter().map(of).collect();
        let bars = self.shared().states.situation().hour(&operations, self.now);
        let sum = |count: fn(&crate::situation::Bar) -> u32| bars.iter().map(count).sum::<u32>();
        let told = self.words.fill(
            "console.chart",
            &[
                ("answered", &sum(|bar| bar.answered)),
                ("failed", &sum(|bar| bar.failed)),
                ("held", &sum(|bar| bar.held)),
            ],
        );
        chart::bars(&bars, &told)
    }

    fn traffic(&self, picture: &Picture) -> Vec<(String, String)> {
        let fact = |key: &str, value: String| (self.words.text(key).to_owned(), value);
        let (minute, ten) = (&picture.minute, &picture.ten_minutes);
        let missing = ten.outcomes.of(Outcome::Unavailable);
        vec![
            fact("console.traffic_rate", wording::rate(minute.per_second())),
            fact("console.traffic_asked", ten.asked.to_string()),
            fact("console.traffic_unavailable", missing.to_string()),
            fact("console.traffic_pending", picture.pending.count.to_string()),
            fact("console.traffic_p99", wording::latency(minute.p99)),
            fact("console.traffic_running", self.web.levers.running().to_string()),
        ]
    }

    /// A cause with what it means and what to do about it.
    pub(super) fn cause(&self, cause: Cause) -> (String, String, String) {
        let words = self.words;
        (wording::cause(words, cause), wording::meaning(words, cause), wording::advice(words, cause))
    }
}

/// So many agencies and claims are named, and so many traces.
const MOST_NAMED: usize = 5;
const MOST_TRACES: usize = 3;
