//! What happens instead of a certificate, the answer first.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use uuid::Uuid;

use super::drafts::Demand;
use super::search::draft;
use super::{is_english, now, view};
use crate::claims::Claim;
use crate::clock;
use crate::counter::{CaseNumber, Offer};
use crate::domain::Slug;
use crate::matters::{Document, Matter, Retained};
use crate::rights::{Agency, Grant, Purposes};
use crate::web::{App, Page, PageError, Reply, Visit, Web, Worker, html};

/// What to say to whoever was asked for a certificate.
pub(super) struct Answer {
    pub(super) matter: String,
    pub(super) headline: String,
    /// Whether this may be one of the exceptions: then that is to be settled first.
    pub(super) may_be_excepted: bool,
    /// Why no certificate is issued.
    pub(super) why: String,
    /// What whoever demands it has to do.
    pub(super) demander: String,
    pub(super) checks: Vec<CheckButton>,
    /// Questions that cannot be checked here, and why.
    pub(super) unchecked: Vec<(String, String)>,
    pub(super) steps: Vec<String>,
    pub(super) documents: Vec<(String, String)>,
    /// What stands above the documents.
    pub(super) documents_heading: &'static str,
    pub(super) exceptions: Vec<String>,
    pub(super) authorities: String,
    pub(super) route: String,
    pub(super) citation: String,
}

/// A question that can be checked here and now.
pub(super) struct CheckButton {
    pub(super) claim: String,
    pub(super) question: String,
}

/// What committees still issue.
pub(super) struct Guide {
    pub(super) name: String,
    pub(super) legal_basis: String,
    pub(super) legal_text: String,
    pub(super) issued_by: String,
    pub(super) purpose: String,
    pub(super) steps: Vec<String>,
    pub(super) time_limit: String,
    pub(super) form: String,
}

#[derive(Template)]
#[template(path = "counter-matter.html", config = "src/web/askama.toml")]
struct MatterPage {
    page: Page,
    draft_id: Option<Uuid>,
    demand: Demand,
    answer: Answer,
}

#[derive(Template)]
#[template(path = "counter-retained.html", config = "src/web/askama.toml")]
struct RetainedPage {
    page: Page,
    guide: Guide,
}

/// `GET /matters/{id}`, with `?draft=` where somebody has said more of the demand.
pub(in crate::web) async fn matter(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let matter = web.api.gateway.catalog.matter(&id).ok_or(PageError::NotFound)?;
    let found = draft_named(query.as_deref()).and_then(|id| draft(&web, &worker, id));
    let (draft_id, demand) = match found {
        Some((id, draft)) => (Some(id), draft.demand),
        None => (None, Demand::default()),
    };
    let answer = Answer::of(&web, &worker, matter, &demand);
    let page = worker.page("counter.home_title").titled(format!("{}：{}", name_of(matter, &worker), answer.headline));
    html(&MatterPage { page, draft_id, demand, answer })
}

/// `GET /retained/{id}`.
pub(in crate::web) async fn retained(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let items = &web.api.gateway.catalog.policy().retained;
    let item = items.iter().find(|item| item.id == id).ok_or(PageError::NotFound)?;
    let guide = Guide::of(item, is_english(&worker));
    html(&RetainedPage { page: worker.page("counter.retained_headline"), guide })
}

/// The draft that a query names.
pub(super) fn draft_named(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("draft="))
}

/// A matter's name in the reader's language.
pub(super) fn name_of(matter: &Matter, visit: &Visit) -> String {
    let text = &matter.text;
    if is_english(visit) { text.english.name.clone() } else { text.name.clone() }
}

impl Answer {
    /// The answer to a demand of this matter.
    pub(super) fn of(web: &Web, worker: &Worker, matter: &Matter, demand: &Demand) -> Self {
        let (words, english, text) = (worker.words(), is_english(worker), &matter.text);
        let (mut checks, mut unchecked) = (Vec::new(), Vec::new());
        for entry in &matter.claims {
            let question = entry.words.question(&entry.name, english).to_owned();
            if !entry.claim.is_connected() {
                unchecked.push((question, words.text("counter.not_connected").to_owned()));
            } else if offer(web, &worker.agency, &entry.claim).is_none() {
                unchecked.push((question, words.text("counter.not_granted").to_owned()));
            } else {
                checks.push(CheckButton { claim: entry.claim.reference().to_string(), question });
            }
        }
        let by = Some(demand.by.as_str()).filter(|by| !by.is_empty()).unwrap_or(words.text("counter.whoever"));
        let may_be_excepted = text.may_be_excepted(&[&demand.by, &demand.text]);
        let headline = if may_be_excepted { "counter.excepted" } else { view::headline(text.disposition) };
        let documents = |document: &Document| (document.name.clone(), document.reissued_by.clone());
        let name = name_of(matter, worker);
        Self {
            matter: matter.id.to_string(),
            headline: words.text(headline).to_owned(),
            may_be_excepted,
            why: words.fill("counter.why", &[("name", &name), ("citation", &text.citation)]),
            demander: words.fill(view::demander(text.disposition), &[("by", &by)]),
            checks,
            unchecked,
            steps: if english { text.english.guidance.clone() } else { text.guidance.clone() },
            documents: text.documents.iter().map(documents).collect(),
            documents_heading: view::documents(text.disposition),
            exceptions: text.exceptions.clone(),
            authorities: text.authorities.join("、"),
            route: text.route.clone(),
            citation: text.citation.clone(),
        }
    }
}

impl Guide {
    pub(super) fn of(item: &Retained, english: bool) -> Self {
        Self {
            name: if english { item.english.name.clone() } else { item.name.clone() },
            legal_basis: item.legal_basis.clone(),
            legal_text: item.legal_text.clone(),
            issued_by: item.issued_by.clone(),
            purpose: item.purpose.clone(),
            steps: if english { item.english.steps.clone() } else { item.steps.clone() },
            time_limit: item.time_limit.clone(),
            form: item.form.trim().to_owned(),
        }
    }
}

/// What the agency's grants allow to ask of a claim today; `None`: nothing.
pub(super) fn offer(web: &Web, agency: &Agency, claim: &Claim) -> Option<Offer> {
    let today = clock::day_of(now(web));
    let covers = |grant: &&Grant| {
        grant.claims.iter().any(|pattern| pattern.covers(claim.reference())) && grant.terms.is_valid_on(today)
    };
    let grants: Vec<_> = agency.grants.iter().filter(covers).collect();
    let case = |purpose: &Slug| {
        let is_for_it = |grant: &&&Grant| match &grant.purposes {
            Purposes::Every => true,
            Purposes::These(these) => these.contains(purpose),
        };
        let for_it = grants.iter().filter(is_for_it);
        // Where grants differ, the one that demands nothing serves.
        for_it.map(|grant| grant.terms.demands.case).fold(None, |case, demands| match (case, demands) {
            (None | Some(CaseNumber::Demanded), true) => Some(CaseNumber::Demanded),
            (None | Some(CaseNumber::Unasked), false) => Some(CaseNumber::Unasked),
            (Some(_), _) => Some(CaseNumber::Welcome),
        })
    };
    let purposes: Vec<_> =
        web.api.shared.purposes.keys().filter_map(|purpose| Some((purpose.clone(), case(purpose)?))).collect();
    (!purposes.is_empty()).then_some(Offer { purposes })
}
