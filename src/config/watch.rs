//! When guessing is slowed and stopped: `[watch]`.

use std::time::Duration;

use serde::Deserialize;

use super::Reader;
use crate::clock;
use crate::document::Document;
use crate::watch::{Bound, Bounds, Policy, Share};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawWatch {
    officer: RawBounds,
    agency: RawBounds,
    names: Option<Bound>,
    counterparts: Option<Bound>,
    delay: Option<String>,
    longest_delay: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawBounds {
    subjects_10m: Option<Bound>,
    subjects_1h: Option<Bound>,
    subjects_24h: Option<Bound>,
    mismatch: Option<Share>,
    no_record: Option<Share>,
}

impl Reader {
    pub(super) fn watch(&mut self, document: &Document, raw: &RawWatch) -> Policy {
        let Policy { officer, agency, names, counterparts, delay, longest_delay } = Policy::default();
        let longest_delay = self.delay(document, "longest_delay", raw.longest_delay.as_ref(), longest_delay);
        let delay = self.delay(document, "delay", raw.delay.as_ref(), delay);
        if delay > longest_delay {
            let place = if raw.delay.is_some() { "/watch/delay" } else { "/watch/longest_delay" };
            self.errors.push(document.error(place, "\"delay\" is longer than \"longest_delay\""));
        }
        Policy {
            officer: self.bounds(document, "officer", &raw.officer, officer),
            agency: self.bounds(document, "agency", &raw.agency, agency),
            names: self.bound(document, "names", raw.names, names),
            counterparts: self.bound(document, "counterparts", raw.counterparts, counterparts),
            delay,
            longest_delay,
        }
    }

    fn delay(&mut self, document: &Document, name: &str, text: Option<&String>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        let is_sound = |length: &Duration| *length <= Duration::from_mins(1);
        let message = "not a length of time of 1m at most; write it such as 500ms or 2s";
        let wrong = || document.error(&format!("/watch/{name}"), message);
        self.keep(clock::duration(text).filter(is_sound).ok_or_else(wrong)).unwrap_or(default)
    }

    fn bounds(&mut self, document: &Document, whose: &str, raw: &RawBounds, default: Bounds) -> Bounds {
        let [ten_minutes, hour, day] = default.subjects;
        let mut bound = |name: &str, bound, default| self.bound(document, &format!("{whose}/{name}"), bound, default);
        let subjects = [
            bound("subjects_10m", raw.subjects_10m, ten_minutes),
            bound("subjects_1h", raw.subjects_1h, hour),
            bound("subjects_24h", raw.subjects_24h, day),
        ];
        let mut share = |name: &str, share: Option<Share>, default: Share| {
            let share = share.unwrap_or(default);
            self.order(document, &format!("{whose}/{name}"), share.slow, share.stop);
            share
        };
        let mismatch = share("mismatch", raw.mismatch, default.mismatch);
        let no_record = share("no_record", raw.no_record, default.no_record);
        Bounds { subjects, mismatch, no_record }
    }

    fn bound(&mut self, document: &Document, place: &str, bound: Option<Bound>, default: Bound) -> Bound {
        let bound = bound.unwrap_or(default);
        self.order(document, place, bound.slow, bound.stop);
        bound
    }

    fn order(&mut self, document: &Document, place: &str, slow: u32, stop: u32) {
        if slow > stop {
            let message = "\"stop\" is less than \"slow\": questions are slowed first, and stopped later";
            self.errors.push(document.error(&format!("/watch/{place}"), message));
        }
    }
}
