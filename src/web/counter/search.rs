//! `/`: what was demanded of the resident, in whatever words; and every matter, for whoever would rather look.

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::answer::{Answer, Guide};
use super::drafts::{Demand, Draft};
use super::{is_english, now, view};
use crate::counter::line;
use crate::domain::{Disposition, holds_id_number};
use crate::matters::Matter;
use crate::web::memory::User;
use crate::web::{App, Draft as Fields, Form, Member, Page, Reply, Web, Worker, html, page, refused, see_other};

#[derive(Template)]
#[template(path = "counter-home.html", config = "src/web/askama.toml")]
struct Home {
    page: Page,
    draft: Fields,
    groups: Vec<Group>,
}

/// Matters that are dealt with alike.
struct Group {
    id: &'static str,
    heading: String,
    matters: Vec<Listed>,
}

/// A matter in a list.
struct Listed {
    id: String,
    name: String,
    also: String,
}

#[derive(Template)]
#[template(path = "counter-found.html", config = "src/web/askama.toml")]
struct Found {
    page: Page,
    draft_id: Uuid,
    demand: Demand,
    answer: Option<Answer>,
    guide: Option<Guide>,
    others: Vec<Listed>,
    unlisted: Option<Unlisted>,
    no_basis: Vec<String>,
}

/// What becomes of a demand that is in no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unlisted {
    /// It names a basis: that is looked at first.
    BasisNamed,
    /// It names a paper and no basis.
    NoBasis,
    /// It names no paper: nobody knows what is meant.
    NotUnderstood,
}

impl Unlisted {
    fn of(web: &Web, demand: &Demand) -> Self {
        if !demand.basis.is_empty() {
            Self::BasisNamed
        } else if web.api.shared.triage.names_paper(&demand.text) {
            Self::NoBasis
        } else {
            Self::NotUnderstood
        }
    }

    fn headline(self) -> &'static str {
        match self {
            Self::BasisNamed => "counter.basis_named_headline",
            Self::NoBasis => "counter.no_basis_headline",
            Self::NotUnderstood => "counter.not_understood_headline",
        }
    }

    /// What it means.
    fn meaning(self) -> &'static str {
        match self {
            Self::BasisNamed => "counter.basis_named_text",
            Self::NoBasis => "counter.no_basis_text",
            Self::NotUnderstood => "counter.not_understood_text",
        }
    }
}

#[derive(Template)]
#[template(path = "counter-gone.html", config = "src/web/askama.toml")]
pub(super) struct Gone {
    page: Page,
}

/// The most characters of a demand, of who demands it, and of its basis.
const MAX_TEXT: usize = 500;
const MAX_BY: usize = 100;

/// `GET /`. Whoever has another role begins elsewhere.
pub(in crate::web) async fn home(State(web): App, member: Member) -> Reply {
    let page = member.page("counter.home_title");
    if page.home() != "/" {
        return see_other(page.home());
    }
    let groups = groups(&web, &member);
    html(&Home { page, draft: Fields::default(), groups })
}

/// `POST /`: finds what was meant.
pub(in crate::web) async fn find(State(web): App, worker: Worker, form: Form) -> Reply {
    let demand =
        Demand { text: line(form.value("text")), by: line(form.value("by")), basis: line(form.value("basis")) };
    let mut draft = form.draft();
    let words = worker.words();
    if demand.text.is_empty() {
        draft.refuse("text", words.text("counter.demand_missing"));
    }
    for (name, text, most) in
        [("text", &demand.text, MAX_TEXT), ("by", &demand.by, MAX_BY), ("basis", &demand.basis, MAX_TEXT)]
    {
        if text.chars().count() > most {
            draft.refuse(name, words.fill("counter.wrong_too_long", &[("most", &most)]));
        } else if holds_id_number(text) {
            draft.refuse(name, words.text("counter.wrong_holds_number"));
        }
    }
    if draft.is_wrong() {
        let groups = groups(&web, &worker);
        return refused(&Home { page: worker.page("counter.home_title").with(&draft), draft, groups });
    }
    let chosen = web.api.gateway.catalog.matter(form.value("matter")).map(|matter| matter.id.clone());
    let id = Uuid::now_v7();
    web.front.counter.drafts.keep(&web, &User::of(&worker), id, Draft { demand, check: None });
    // Whoever took a suggestion has said which it is.
    match chosen {
        Some(matter) => see_other(&format!("/matters/{matter}?draft={id}")),
        None => see_other(&format!("/found/{id}")),
    }
}

/// `GET /found/{draft}`.
pub(in crate::web) async fn found(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let Some((id, draft)) = draft(&web, &worker, &id) else { return gone(&worker) };
    let (catalog, english) = (&web.api.gateway.catalog, is_english(&worker));
    let ranked = web.api.shared.triage.rank(&draft.demand.text);
    let first_retained = ranked.first().filter(|first| first.retained);
    let item = first_retained.and_then(|first| catalog.policy().retained.iter().find(|item| item.id == first.id));
    let guide = item.map(|item| Guide::of(item, english));
    let mut matters: Vec<&Matter> = ranked.iter().filter_map(|one| catalog.matter(&one.id)).collect();
    let answer = match (&guide, matters.is_empty()) {
        (None, false) => Some(Answer::of(&web, &worker, matters.remove(0), &draft.demand)),
        _ => None,
    };
    let others = matters.into_iter().map(|matter| listed(matter, english)).collect();
    let unlisted = (guide.is_none() && answer.is_none()).then(|| Unlisted::of(&web, &draft.demand));
    let title = match (&answer, unlisted) {
        (_, Some(unlisted)) => worker.words().text(unlisted.headline()).to_owned(),
        (Some(answer), None) => answer.headline.clone(),
        (None, None) => worker.words().text("counter.retained_headline").to_owned(),
    };
    let no_basis = catalog.policy().no_basis.pick(english).clone();
    let page = worker.page("counter.home_title").titled(title);
    html(&Found { page, draft_id: id, demand: draft.demand, answer, guide, others, unlisted, no_basis })
}

/// The draft that an address names, if it is this worker's and still kept.
pub(super) fn draft(web: &Web, worker: &Worker, id: &str) -> Option<(Uuid, Draft)> {
    let id = id.parse::<Uuid>().ok()?;
    Some((id, web.front.counter.drafts.find(id, &User::of(worker), now(web))?))
}

/// What was typed has gone, as it must: how to go on.
pub(super) fn gone(worker: &Worker) -> Reply {
    page(axum::http::StatusCode::GONE, &Gone { page: worker.page("counter.gone_title") })
}

fn groups(web: &Web, member: &Member) -> Vec<Group> {
    let english = is_english(member);
    [Disposition::Verify, Disposition::Issuer, Disposition::OwnDocuments, Disposition::Abolished]
        .into_iter()
        .map(|disposition| {
            let all = web.api.gateway.catalog.matters().iter();
            let matters = all.filter(|matter| matter.text.disposition == disposition);
            let id = view::disposition(disposition);
            Group {
                id,
                heading: member.words().text(view::group_heading(disposition)).to_owned(),
                matters: matters.map(|matter| listed(matter, english)).collect(),
            }
        })
        .filter(|group| !group.matters.is_empty())
        .collect()
}

fn listed(matter: &Matter, english: bool) -> Listed {
    let text = &matter.text;
    let name = if english { text.english.name.clone() } else { text.name.clone() };
    // The first names that people say, each once, and not the official one.
    let mut also: Vec<&str> = Vec::new();
    for said in text.bracketed.iter().chain(&text.everyday) {
        if also.len() < SAID && *said != text.name && !also.contains(&said.as_str()) {
            also.push(said);
        }
    }
    Listed { id: matter.id.to_string(), name, also: also.join("、") }
}

/// How many everyday names stand beside a matter.
const SAID: usize = 4;
