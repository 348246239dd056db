//! The console's pages of figures: agencies, questions that wait, the ledger, what is remembered, certificates, and the
//! configuration.

use std::fmt::Display;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};

use super::super::{App, Operator, Page, PageError, Reply, Web, html};
use super::wording::{self, Moment};
use super::{Frame, view};
use crate::rights::Agency;
use crate::watch::Spell;
use crate::words::Words;

#[derive(Template)]
#[template(path = "console-facts.html", config = "src/web/askama.toml")]
struct Facts {
    frame: Frame,
    page: Page,
    intro: String,
    alert: Option<Alert>,
    facts: Vec<(String, String)>,
    tables: Vec<Table>,
    acts: Vec<Deed>,
}

/// Something that somebody has to know.
struct Alert {
    tone: &'static str,
    title: String,
    /// A line each.
    lines: Vec<String>,
}

struct Table {
    caption: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    /// What is said where there are no rows.
    empty: String,
}

/// Something that can be done.
struct Deed {
    path: &'static str,
    name: String,
    is_bad: bool,
}

impl Facts {
    fn new(web: &Web, operator: &Operator, title: &str, intro: &str) -> Self {
        Self {
            frame: Frame::new(web, operator, title),
            page: operator.page(title),
            intro: operator.words().text(intro).to_owned(),
            alert: None,
            facts: Vec::new(),
            tables: Vec::new(),
            acts: Vec::new(),
        }
    }
}

fn fact(words: &Words, key: &str, value: &dyn Display) -> (String, String) {
    (words.text(key).to_owned(), value.to_string())
}

fn table<const COLUMNS: usize>(words: &Words, caption: &str, heads: [&str; COLUMNS], rows: Vec<Vec<String>>) -> Table {
    Table {
        caption: words.text(caption).to_owned(),
        heads: heads.iter().map(|head| words.text(head).to_owned()).collect(),
        rows,
        empty: words.text("console.nothing").to_owned(),
    }
}

fn ago(words: &Words, length: Duration) -> String {
    words.fill("console.ago", &[("span", &wording::span(words, length))])
}

/// `GET /operator/agencies`: who asks, how much of what it may, and who seems to guess.
pub(super) async fn agencies(State(web): App, operator: Operator) -> Reply {
    let (words, now) = (operator.words(), web.api.gateway.clock.now());
    let shared = &web.api.shared;
    let asked = shared.states.situation().agencies(now);
    let mut rows = Vec::new();
    for id in shared.limits.keys() {
        let one = asked.iter().find(|one| one.agency == *id);
        let count = |of: fn(&crate::situation::OfAgency) -> u32| one.map_or(0, of).to_string();
        let agency = shared.access.agency(id);
        let quotas = match agency {
            Some(agency) => quotas(&web, words, &agency, now).await?,
            None => String::new(),
        };
        let (asked, hit, refused) = (count(|one| one.asked), count(|one| one.hit), count(|one| one.refused));
        rows.push(vec![wording::agency(shared, id), asked, hit, refused, quotas]);
    }
    let key = |row: &Vec<String>| std::cmp::Reverse(row.get(1).and_then(|count| count.parse::<u32>().ok()));
    rows.sort_by_key(key);
    let spell = |spell: &Spell| {
        let whose = match spell.officer {
            Some(officer) => words.fill("console.watch_officer", &[("officer", &format!("{officer:016x}"))]),
            None => words.text("console.watch_agency").to_owned(),
        };
        let pace = if spell.is_stopped { "console.watch_stopped" } else { "console.watch_slowed" };
        let measure = words.text(&format!("watch.{}", spell.measure.as_str())).to_owned();
        vec![wording::agency(shared, &spell.agency), whose, measure, words.text(pace).to_owned()]
    };
    let spells = web.api.gateway.watch.spells(now).iter().map(spell).collect();
    let heads = ["console.agency", "console.asked", "console.hit", "console.refused", "console.quotas"];
    let watch = ["console.agency", "console.watch_whose", "console.watch_measure", "console.watch_pace"];
    let tables = vec![
        table(words, "console.agencies_caption", heads, rows),
        table(words, "console.watch_caption", watch, spells),
    ];
    html(&Facts { tables, ..Facts::new(&web, &operator, "console.agencies_title", "console.agencies_intro") })
}

/// How much of an agency's grants is used.
async fn quotas(web: &Web, words: &Words, agency: &Agency, now: Timestamp) -> Result<String, PageError> {
    let mut used = Vec::new();
    for grant in &agency.grants {
        let left = web.api.shared.allowances.left(&agency.id, grant, now, &*web.api.gateway.durable).await;
        let left = left.map_err(|_| PageError::Unavailable)?;
        let pairs = [
            ("console.quota_minute", grant.terms.per_minute, left.minute),
            ("console.quota_day", grant.terms.per_day, left.day),
        ];
        for (key, most, left) in pairs {
            if let (Some(most), Some(left)) = (most, left) {
                used.push(words.fill(key, &[("made", &most.saturating_sub(left)), ("most", &most)]));
            }
        }
    }
    Ok(if used.is_empty() { words.text("console.unlimited").to_owned() } else { wording::list(words, &used) })
}

/// `GET /operator/pending`: the questions that wait. No person is in it.
pub(super) async fn pending(State(web): App, operator: Operator) -> Reply {
    let (words, picture) = (operator.words(), view::picture(&web));
    let (pending, now) = (&picture.pending, picture.at);
    let shown = |moment: Option<Timestamp>| moment.map_or("–".to_owned(), |moment| Moment::new(moment, now).shown);
    let oldest = pending.oldest.map_or("–".to_owned(), |oldest| {
        let length = Duration::try_from(now.duration_since(oldest)).unwrap_or_default();
        ago(words, length)
    });
    let row = |(source, count, next): &(crate::domain::Slug, u32, Option<Timestamp>)| {
        vec![wording::source(&web.api.shared, source), count.to_string(), shown(*next)]
    };
    let rows = pending.by_source.iter().map(row).collect();
    let heads = ["console.department", "console.pending_count", "console.pending_next"];
    let facts = vec![
        fact(words, "console.pending_count", &pending.count),
        fact(words, "console.pending_oldest", &oldest),
        fact(words, "console.pending_next", &shown(pending.next)),
    ];
    let tables = vec![table(words, "console.pending_caption", heads, rows)];
    html(&Facts { facts, tables, ..Facts::new(&web, &operator, "console.pending_title", "console.pending_intro") })
}

/// `GET /operator/ledger`.
pub(super) async fn ledger(State(web): App, operator: Operator) -> Reply {
    let words = operator.words();
    let condition = web.api.gateway.ledger.condition();
    let never = || words.text("console.never").to_owned();
    let alert = condition.failing.map(|length| Alert {
        tone: "bad",
        title: words.text("console.ledger_failing").to_owned(),
        lines: vec![words.fill("console.ledger_failing_since", &[("span", &wording::span(words, length))])],
    });
    let took = |took: Duration| condition.last.map_or("–".to_owned(), |_| wording::latency(Some(took)));
    let facts = vec![
        fact(words, "console.ledger_entries", &condition.entries),
        fact(words, "console.ledger_last", &condition.last.map_or_else(never, |last| ago(words, last))),
        fact(words, "console.ledger_took", &took(condition.took)),
        fact(words, "console.ledger_longest", &took(condition.longest)),
        fact(words, "console.ledger_commits", &condition.commits),
        fact(words, "console.ledger_failures", &condition.failures),
    ];
    html(&Facts { alert, facts, ..Facts::new(&web, &operator, "console.ledger_title", "console.ledger_intro") })
}

/// `GET /operator/caches`.
pub(super) async fn caches(State(web): App, operator: Operator) -> Reply {
    let (words, now) = (operator.words(), web.api.gateway.clock.now());
    let row = |(source, asked, known): &(crate::domain::Slug, u32, u32)| {
        let percent = u64::from(*known) * 100 / u64::from((*asked).max(1));
        let name = wording::source(&web.api.shared, source);
        vec![name, asked.to_string(), known.to_string(), format!("{percent} %")]
    };
    let rows = web.api.shared.states.situation().remembered(now).iter().map(row).collect();
    let heads = ["console.department", "console.cache_asked", "console.cache_known", "console.cache_ratio"];
    let facts = vec![fact(words, "console.cache_bytes", &wording::bytes(web.api.shared.facts.bytes()))];
    let tables = vec![table(words, "console.cache_caption", heads, rows)];
    html(&Facts { facts, tables, ..Facts::new(&web, &operator, "console.caches_title", "console.caches_intro") })
}

/// `GET /operator/certificates`: those of the listener and towards the departments.
pub(super) async fn certificates(State(web): App, operator: Operator) -> Reply {
    let (words, now) = (operator.words(), web.api.gateway.clock.now());
    let mut all: Vec<(Timestamp, String, &str)> = Vec::new();
    for (kind, until) in web.levers.expiries() {
        all.push((until, words.text("console.certificate_here").to_owned(), kind));
    }
    for source in web.api.shared.descriptions.iter() {
        all.extend(source.expiries().into_iter().map(|(kind, until)| (until, source.name().to_owned(), kind)));
    }
    all.sort();
    let soon: Vec<String> = all
        .iter()
        .filter(|(until, ..)| until.duration_since(now) < SOON)
        .map(|(until, whose, kind)| {
            let what = words.text(&format!("certificates.{kind}")).to_owned();
            let until = Moment::new(*until, now).shown;
            words.fill("console.certificate_soon", &[("whose", whose), ("what", &what), ("until", &until)])
        })
        .collect();
    let row = |(until, whose, kind): &(Timestamp, String, &str)| {
        let days = until.duration_since(now).as_hours() / 24;
        let what = words.text(&format!("certificates.{kind}")).to_owned();
        let left = words.fill("console.certificate_days", &[("days", &days)]);
        vec![whose.clone(), what, Moment::new(*until, now).shown, left]
    };
    let rows = all.iter().map(row).collect();
    let title = words.text("console.certificate_alert").to_owned();
    let alert = (!soon.is_empty()).then_some(Alert { tone: "warn", title, lines: soon });
    let heads = [
        "console.certificate_whose",
        "console.certificate_what",
        "console.certificate_end",
        "console.certificate_left",
    ];
    let tables = vec![table(words, "console.certificates_caption", heads, rows)];
    html(&Facts {
        alert,
        tables,
        ..Facts::new(&web, &operator, "console.certificates_title", "console.certificates_intro")
    })
}

/// So long before the end of a certificate somebody should know.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// `GET /operator/configuration`: which one is in force, and what was wrong with the last one that was not taken.
pub(super) async fn configuration(State(web): App, operator: Operator) -> Reply {
    let (words, now) = (operator.words(), web.api.gateway.clock.now());
    let known = web.levers.configuration();
    let alert = known.failed.map(|(at, wrong)| Alert {
        tone: "bad",
        title: words.fill("console.reload_failed", &[("at", &Moment::new(at, now).shown)]),
        lines: wrong.lines().map(str::to_owned).collect(),
    });
    let draining = match web.levers.drained() {
        Some(drained) => words.fill(
            "console.draining_since",
            &[("by", &drained.by), ("at", &Moment::new(drained.at, now).shown), ("reason", &drained.reason)],
        ),
        None => words.text("console.not_draining").to_owned(),
    };
    let is_draining = web.levers.is_draining();
    let facts = vec![
        fact(words, "console.rules", &web.api.gateway.catalog.digest()),
        fact(words, "console.generation", &known.generation),
        fact(words, "console.generation_since", &Moment::new(known.since, now).shown),
        fact(words, "console.departments", &web.api.shared.descriptions.len()),
        fact(words, "console.running", &web.levers.running()),
        fact(words, "console.drain_state", &draining),
    ];
    let deed = |path, key: &str, is_bad| Deed { path, name: words.text(key).to_owned(), is_bad };
    let drain = if is_draining {
        deed("/operator/undrain", "console.undrain_submit", false)
    } else {
        deed("/operator/drain", "console.drain_submit", true)
    };
    let acts = vec![deed("/operator/reload", "console.reload_submit", false), drain];
    html(&Facts {
        alert,
        facts,
        acts,
        ..Facts::new(&web, &operator, "console.configuration_title", "console.configuration_intro")
    })
}
