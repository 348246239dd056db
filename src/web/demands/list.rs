//! The list of records, with filters.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;

use super::super::form::parse;
use super::super::{App, Page, PageError, Reply, Web, html};
use super::{Reader, committee_name, day_shown, options, state_shown, subject_name, subjects};
use crate::demands::{self, Subject};
use crate::desk::Wanted;
use crate::domain::{AgencyId, ClosedList as _};

#[derive(Template)]
#[template(path = "demands-list.html", config = "src/web/askama.toml")]
struct List {
    page: Page,
    rows: Vec<Row>,
    found: String,
    /// The filter's fields: name, label, and what can be chosen: value, text, whether it is.
    filters: Vec<Filter>,
    is_filtered: bool,
    /// The filter, to be put behind an address.
    query: String,
    earlier: Option<String>,
    later: Option<String>,
    is_committee: bool,
    retention: String,
}

struct Row {
    id: String,
    number: String,
    on: String,
    agency: String,
    matter: String,
    state: String,
    class: &'static str,
    committee: Option<String>,
}

struct Filter {
    name: &'static str,
    label: String,
    options: Vec<(String, String, bool)>,
}

/// The records on a page.
const MOST: usize = 50;

/// `GET /demands`.
pub(super) async fn list(State(web): App, reader: Reader, uri: Uri) -> Reply {
    let (wanted, at) = wanted(&reader, &uri)?;
    let (records, count) = web.front.desk.demands(wanted.clone(), (at - 1) * MOST, MOST).await?;
    let pages = count.div_ceil(MOST).max(1);
    let (words, catalog) = (reader.words(), &web.api.gateway.catalog);
    let row = |(demand, state): &(demands::Demand, demands::State)| {
        let (state, class) = state_shown(words, *state);
        Row {
            id: demand.id.to_string(),
            number: demand.number.to_string(),
            on: day_shown(words, demand.facts.on),
            agency: demand.facts.demander.name.to_string(),
            matter: subject_name(catalog, words, &demand.facts.subject),
            state,
            class,
            committee: reader.committee.is_none().then(|| committee_name(&web, &demand.committee)),
        }
    };
    let filters = filters(&web, &reader, &wanted).await?;
    let query = query(&wanted, &reader);
    let turned = |page: usize| {
        format!("/demands?{}page={page}", if query.is_empty() { String::new() } else { format!("{query}&") })
    };
    html(&List {
        page: reader.page("demands.title"),
        rows: records.iter().map(row).collect(),
        found: words.fill("demands.found", &[("count", &count), ("page", &at), ("pages", &pages)]),
        filters,
        is_filtered: !query.is_empty(),
        earlier: (at > 1).then(|| turned(at - 1)),
        later: (at < pages).then(|| turned(at + 1)),
        is_committee: reader.committee.is_some(),
        retention: words.fill("demands.retention", &[("years", &web.records.demands_years)]),
        query,
    })
}

/// Which records an address asks for, of those that the reader may see, and which page of them. What cannot be understood asks
/// for nothing.
pub(super) fn wanted(reader: &Reader, uri: &Uri) -> Result<(Wanted, usize), PageError> {
    let fields = parse(uri.query().unwrap_or_default().as_bytes())?;
    let value = |wanted: &str| {
        fields.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let committee = match &reader.committee {
        Some(own) => Some(own.clone()),
        None => value("committee").and_then(|id| id.parse().ok()).map(AgencyId),
    };
    let wanted = Wanted {
        committee,
        year: value("year").and_then(|year| year.parse().ok()).filter(|year| (2000..=9999).contains(year)),
        month: value("month").and_then(|month| month.parse().ok()).filter(|month| (1..=12).contains(month)),
        subject: value("matter").and_then(Subject::named),
        agency: value("agency").and_then(|agency| agency.parse().ok()),
        state: value("state").and_then(demands::State::named),
    };
    let page = value("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 100_000);
    Ok((wanted, page))
}

/// The filter as an address has it: ids and numbers alone.
pub(super) fn query(wanted: &Wanted, reader: &Reader) -> String {
    let committee = wanted.committee.as_ref().filter(|_| reader.committee.is_none());
    let parts = [
        wanted.year.map(|year| format!("year={year}")),
        wanted.month.map(|month| format!("month={month}")),
        wanted.subject.as_ref().map(|subject| format!("matter={}", subject.as_str())),
        wanted.agency.map(|agency| format!("agency={agency}")),
        wanted.state.map(|state| format!("state={}", state.as_str())),
        committee.map(|committee| format!("committee={committee}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("&")
}

async fn filters(web: &Web, reader: &Reader, wanted: &Wanted) -> Result<Vec<Filter>, PageError> {
    let (words, catalog) = (reader.words(), &web.api.gateway.catalog);
    let choices = web.front.desk.demand_choices(reader.committee.clone()).await?;
    let years = choices.years.iter().map(|year| (year.to_string(), year.to_string())).collect();
    let months = (1..=12).map(|month| (month.to_string(), words.fill("demands.month_name", &[("month", &month)])));
    let agencies = choices.agencies.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let filter = |name, key: &str, options: Vec<(String, String)>, chosen: Option<String>| {
        let is_chosen = |value: &String| Some(value) == chosen.as_ref();
        let options = options.into_iter().map(|(value, text)| (value.clone(), text, is_chosen(&value))).collect();
        Filter { name, label: words.text(key).to_owned(), options }
    };
    let chosen = |subject: &Subject| subject.as_str().to_owned();
    let mut all = vec![
        filter("year", "demands.year", years, wanted.year.map(|year| year.to_string())),
        filter("month", "demands.month", months.collect(), wanted.month.map(|month| month.to_string())),
        filter("agency", "demands.agency", agencies, wanted.agency.map(|agency| agency.to_string())),
        filter("matter", "demands.matter", subjects(catalog, words), wanted.subject.as_ref().map(chosen)),
        filter(
            "state",
            "demands.state",
            options::<demands::State>(words, "demands.state"),
            wanted.state.map(|state| state.as_str().to_owned()),
        ),
    ];
    if reader.committee.is_none() {
        let known = choices.committees.iter().filter_map(|id| id.parse().ok()).map(AgencyId);
        let committees = known.map(|id| (id.to_string(), committee_name(web, &id))).collect();
        let chosen = wanted.committee.as_ref().map(ToString::to_string);
        all.push(filter("committee", "demands.committee", committees, chosen));
    }
    Ok(all)
}
