//! Tables to be opened with a spreadsheet. No note is in them.

use axum::extract::State;
use axum::http::Uri;

use super::super::{App, Reply, Web};
use super::{Reader, committee_name, file, is_english, list as listing, subject_name};
use crate::demands::csv::Csv;
use crate::demands::{Demand, State as Progress};
use crate::domain::ClosedList as _;
use crate::words::Words;

const CSV: &str = "text/csv; charset=utf-8";

/// More rows than a spreadsheet likes.
const MOST: usize = 100_000;

/// `GET /demands/list.csv`: the records that a list shows, all of its pages.
pub(super) async fn list(State(web): App, reader: Reader, uri: Uri) -> Reply {
    let (wanted, _) = listing::wanted(&reader, &uri)?;
    let (records, _) = web.front.desk.demands(wanted, 0, MOST).await?;
    let words = reader.words();
    let header = [
        "demands.number",
        "demands.committee",
        "demands.on",
        "demands.csv_recorded",
        "demands.agency",
        "demands.kind",
        "demands.level",
        "demands.superior_short",
        "demands.matter",
        "demands.said",
        "demands.basis",
        "demands.state",
    ];
    let mut table = Csv::new(header.map(|key| words.text(key)));
    for (demand, state) in &records {
        let row = row(&web, words, demand, *state);
        table.row(row.iter().map(String::as_str));
    }
    file(table.finish(), CSV, "demands.csv")
}

fn row(web: &Web, words: &Words, demand: &Demand, state: Progress) -> [String; 12] {
    let (facts, demander) = (&demand.facts, &demand.facts.demander);
    let word = |list: &str, name: &str| words.text(&format!("demands.{list}_{name}")).to_owned();
    [
        demand.number.to_string(),
        committee_name(web, &demand.committee),
        facts.on.to_string(),
        crate::clock::day_of(demand.recorded).to_string(),
        demander.name.to_string(),
        word("csv_kind", demander.kind.as_str()),
        word("level", demander.level.as_str()),
        demander.superior.as_ref().map(ToString::to_string).unwrap_or_default(),
        subject_name(&web.api.gateway.catalog, words, &facts.subject),
        word("said", facts.said.as_str()),
        facts.basis.clone(),
        word("state", state.as_str()),
    ]
}

/// `GET /demands/figures.csv?year=<year>`: one row for each agency, matter and month in which there was something.
pub(super) async fn figures(State(web): App, reader: Reader, uri: Uri) -> Reply {
    let year = super::figures::year(&web, &uri)?;
    let figures = super::figures::of(&web, &reader, year).await?;
    let (words, catalog) = (reader.words(), &web.api.gateway.catalog);
    let header = ["demands.csv_year", "demands.csv_month", "demands.agency", "demands.matter", "demands.csv_count"];
    let mut table = Csv::new(header.map(|key| words.text(key)));
    let year_text = year.to_string();
    for row in &figures.by_both {
        let (agency, matter) = (row.label.0.to_string(), subject_name(catalog, words, &row.label.1));
        for (month, count) in (1..).zip(row.tally.months).filter(|(_, count)| *count > 0) {
            let (month, count): (String, String) = (i32::to_string(&month), count.to_string());
            table.row([year_text.as_str(), &month, &agency, &matter, &count]);
        }
    }
    let language = if is_english(words) { "en" } else { "zh" };
    file(table.finish(), CSV, &format!("demand-figures-{year}-{language}.csv"))
}
