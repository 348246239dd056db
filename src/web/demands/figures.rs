//! Figures of a year: by month, by agency, by matter.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;

use super::super::form::parse;
use super::super::{App, Page, PageError, Reply, Web, html};
use super::{Reader, subject_name, today};
use crate::demands::{self, Figures, Tally};

#[derive(Template)]
#[template(path = "demands-figures.html", config = "src/web/askama.toml")]
struct FiguresPage {
    page: Page,
    year: i16,
    lead: String,
    /// Years to choose from: the year, and whether it is shown.
    years: Vec<(i16, bool)>,
    months: Vec<String>,
    total: Tally,
    by_agency: Vec<(String, Tally)>,
    by_matter: Vec<(String, Tally)>,
    by_both: Vec<(String, String, Tally)>,
}

/// `GET /demands/figures?year=<year>`.
pub(super) async fn figures(State(web): App, reader: Reader, uri: Uri) -> Reply {
    let year = year(&web, &uri)?;
    let Figures { total, by_agency, by_matter, by_both, withdrawn, .. } = of(&web, &reader, year).await?;
    let (words, catalog) = (reader.words(), &web.api.gateway.catalog);
    let mut years = web.front.desk.demand_choices(reader.committee.clone()).await?.years;
    years.extend([year, today(&web).year()]);
    years.sort_unstable_by_key(|year| std::cmp::Reverse(*year));
    years.dedup();
    let matter = |subject: &_| subject_name(catalog, words, subject);
    html(&FiguresPage {
        page: reader.page("demands.figures_title"),
        year,
        lead: words.fill("demands.figures_lead", &[("count", &withdrawn)]),
        years: years.into_iter().map(|one| (one, one == year)).collect(),
        months: (1..=12).map(|month| words.fill("demands.month_name", &[("month", &month)])).collect(),
        total,
        by_agency: by_agency.into_iter().map(|row| (row.label.to_string(), row.tally)).collect(),
        by_matter: by_matter.into_iter().map(|row| (matter(&row.label), row.tally)).collect(),
        by_both: by_both.into_iter().map(|row| (row.label.0.to_string(), matter(&row.label.1), row.tally)).collect(),
    })
}

/// The year that an address asks for, or this one.
pub(super) fn year(web: &Web, uri: &Uri) -> Result<i16, PageError> {
    let fields = parse(uri.query().unwrap_or_default().as_bytes())?;
    let asked = fields.iter().find(|(name, _)| name == "year").and_then(|(_, year)| year.parse().ok());
    Ok(asked.filter(|year| (2000..=9999).contains(year)).unwrap_or_else(|| today(web).year()))
}

/// The figures of a year that the reader may see.
pub(super) async fn of(web: &Web, reader: &Reader, year: i16) -> Result<Figures, PageError> {
    let counted = web.front.desk.counted_demands(reader.committee.clone(), year).await?;
    Ok(demands::figures(year, &counted))
}
