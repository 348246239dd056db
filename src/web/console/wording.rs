//! How the console says moments, lengths of time, causes and names.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::api::Shared;
use crate::domain::{AgencyId, Cause, ClaimRef, Slug};
use crate::matters::Catalog;
use crate::situation::{CauseShare, State};
use crate::words::Words;

/// Asia/Shanghai has kept UTC+8 without daylight saving time since 1991.
const SHANGHAI: Offset = jiff::tz::offset(8);

/// A moment: for programs, and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) iso: String,
    pub(super) shown: String,
}

impl Moment {
    /// With its day where that is not today.
    pub(super) fn new(moment: Timestamp, now: Timestamp) -> Self {
        let (local, today) = (SHANGHAI.to_datetime(moment), SHANGHAI.to_datetime(now).date());
        let form = if local.date() == today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
        Self { iso: moment.to_string(), shown: local.strftime(form).to_string() }
    }

    /// With its day in any case.
    pub(super) fn dated(moment: Timestamp) -> Self {
        let shown = SHANGHAI.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string();
        Self { iso: moment.to_string(), shown }
    }
}

/// A length of time in its two largest units, or in one where there is nothing of the other.
pub(super) fn span(words: &Words, length: Duration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => words.fill("console.seconds", &[("s", &seconds)]),
        (0, 0, _) if seconds.is_multiple_of(60) => words.fill("console.minutes_alone", &[("m", &minutes)]),
        (0, 0, _) => words.fill("console.minutes", &[("m", &minutes), ("s", &(seconds % 60))]),
        (0, _, 0) => words.fill("console.hours_alone", &[("h", &hours)]),
        (0, _, _) => words.fill("console.hours", &[("h", &hours), ("m", &minutes)]),
        (_, 0, _) => words.fill("console.days_alone", &[("d", &days)]),
        _ => words.fill("console.days", &[("d", &days), ("h", &hours)]),
    }
}

/// How long ago something was.
pub(super) fn since(words: &Words, moment: Timestamp, now: Timestamp) -> String {
    span(words, Duration::try_from(now.duration_since(moment)).unwrap_or_default())
}

/// A latency, on one line.
pub(super) fn latency(latency: Option<Duration>) -> String {
    match latency {
        None => "–".to_owned(),
        Some(latency) if latency < Duration::from_millis(1) => "<\u{a0}1\u{a0}ms".to_owned(),
        Some(latency) if latency < Duration::from_secs(1) => format!("{}\u{a0}ms", latency.as_millis()),
        Some(latency) => format!("{:.1}\u{a0}s", latency.as_secs_f64()),
    }
}

/// A rate a second.
pub(super) fn rate(per_second: f64) -> String {
    if per_second >= 10.0 || per_second == 0.0 { format!("{per_second:.0}") } else { format!("{per_second:.1}") }
}

/// A number of bytes.
pub(super) fn bytes(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", tenths(1024)),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(1_048_576)),
        _ => format!("{} GiB", tenths(1_073_741_824)),
    }
}

/// A cause's name.
pub(super) fn cause(words: &Words, cause: Cause) -> String {
    words.text(&format!("causes.{}", cause.as_str())).to_owned()
}

/// What a cause means.
pub(super) fn meaning(words: &Words, cause: Cause) -> String {
    words.text(&format!("causes_mean.{}", cause.as_str())).to_owned()
}

/// What to do about a cause.
pub(super) fn advice(words: &Words, cause: Cause) -> String {
    words.text(&format!("causes_do.{}", cause.as_str())).to_owned()
}

/// A state's name.
pub(super) fn state(words: &Words, state: State) -> String {
    words.text(&format!("states.{}", state.as_str())).to_owned()
}

/// How a state looks.
pub(super) fn tone(state: State) -> &'static str {
    match state {
        State::Well => "good",
        State::NoTraffic | State::Recovered | State::PlannedOutage => "calm",
        State::Recovering | State::Degraded | State::ClosedByHand => "warn",
        State::Failing | State::LeftAlone => "bad",
    }
}

/// Several causes with their shares.
pub(super) fn shares(words: &Words, shares: &[CauseShare]) -> String {
    let share = |share: &CauseShare| {
        let name = cause(words, share.cause);
        words.fill("console.share", &[("name", &name), ("percent", &share.percent), ("count", &share.count)])
    };
    list(words, &shares.iter().map(share).collect::<Vec<_>>())
}

/// Several things in a row.
pub(super) fn list(words: &Words, things: &[String]) -> String {
    things.join(words.text("console.comma"))
}

/// A department's name; of one that was not described, its id.
pub(super) fn source(shared: &Shared, id: &Slug) -> String {
    let known = shared.descriptions.iter().find(|source| source.id() == id);
    known.map_or_else(|| id.to_string(), |source| source.name().to_owned())
}

/// An agency's name; of one that is not in the configuration any more, its id.
pub(super) fn agency(shared: &Shared, id: &AgencyId) -> String {
    shared.access.agency(id).map_or_else(|| id.to_string(), |agency| agency.name.clone())
}

/// A claim: its matter's official name and its id.
pub(super) fn claim(catalog: &Catalog, claim: &ClaimRef) -> String {
    let matter = catalog.matter(claim.matter.as_str());
    let name = matter.map_or_else(|| claim.matter.to_string(), |matter| matter.text.name.clone());
    format!("{name} ({claim})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_of_shanghai_and_name_another_day() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-25T19:30:00Z");
        let shown = |text: &str| Moment::new(at(text), now).shown;
        assert_eq!(shown("2026-11-25T19:12:05Z"), "03:12:05");
        assert_eq!(shown("2026-11-25T15:59:59Z"), "2026-11-25 23:59");
        assert_eq!(Moment::dated(at("2026-11-25T19:12:05Z")).shown, "2026-11-26 03:12:05");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 0.25, 12.4].map(rate), ["0", "0.2", "12"]);
        assert_eq!([5, 2048, 1_600_000].map(bytes), ["5 B", "2.0 KiB", "1.5 MiB"]);
        let latencies = [None, Some(5), Some(900_000), Some(2_010_000)].map(|micros| micros.map(Duration::from_micros));
        assert_eq!(latencies.map(latency), ["–", "<\u{a0}1\u{a0}ms", "900\u{a0}ms", "2.0\u{a0}s"]);
    }
}
