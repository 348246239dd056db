//! What an operator can do: close and open a department, drain the gateway, read the configuration anew.
//!
//! Each asks for a reason on a page of its own, which says what will happen. It is in the ledger, with who and why, before it
//! takes effect; what cannot be recorded is not done. What is on record and then fails is on record as not done. A double click
//! does it once.

use askama::Template;
use axum::extract::{Path, State};
use jiff::{SignedDuration, Timestamp};

use super::super::{App, Draft, Form, Operator, Page, PageError, Reply, Web, html, refused};
use super::levers::Drained;
use super::{Frame, department, wording};
use crate::domain::{one_line, without_personal_numbers};
use crate::ledger::{Act, Administration};
use crate::situation::Closure;

#[derive(Template)]
#[template(path = "console-act.html", config = "src/web/askama.toml")]
struct ActPage {
    frame: Frame,
    page: Page,
    draft: Draft,
    /// What will happen.
    effect: String,
    /// What the button says.
    submit: String,
    /// Whether it does harm to somebody.
    is_bad: bool,
    /// For how long; empty where that is not asked.
    terms: Vec<(&'static str, String)>,
    /// Where to go back.
    back: String,
}

/// What is to be done, and to what.
#[derive(Clone, Copy)]
struct Doing<'a> {
    act: Act,
    /// The department's id.
    source: Option<&'a str>,
}

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// For how long a department may be closed: the form's word and the hours.
const TERMS: [(&str, Option<i64>); 4] = [("open", None), ("1h", Some(1)), ("4h", Some(4)), ("12h", Some(12))];

/// `GET /operator/departments/{id}/close`.
pub(super) async fn ask_close(State(web): App, operator: Operator, Path(id): Path<String>) -> Reply {
    ask(&web, &operator, Doing { act: Act::CloseSource, source: Some(&id) }, &Draft::of([("term", "open")]))
}

/// `POST /operator/departments/{id}/close`.
pub(super) async fn close(State(web): App, operator: Operator, Path(id): Path<String>, form: Form) -> Reply {
    let doing = Doing { act: Act::CloseSource, source: Some(&id) };
    let mut draft = form.draft();
    let term = TERMS.iter().find(|(term, _)| *term == form.value("term"));
    if term.is_none() {
        draft.refuse("term", operator.words().text("console.term_missing"));
    }
    let reason = reason(&operator, &form, &mut draft);
    let (Some(reason), Some((_, hours))) = (reason, term) else { return ask_again(&web, &operator, doing, draft) };
    let source = department::find(&web, &id)?.id().clone();
    let (by, hours) = (operator.account().user.to_string(), *hours);
    form.once(async move {
        let at = web.api.gateway.clock.now();
        let until = hours.and_then(|hours| at.checked_add(SignedDuration::from_hours(hours)).ok());
        let closure = Closure { by, reason, at, until };
        let doing = Doing { act: Act::CloseSource, source: Some(source.as_str()) };
        record(&web, &closure.by, doing, &closure.reason, until).await?;
        if let Err(error) = web.front.desk.close_source(&source, &closure).await {
            return Err(not_done(&web, &closure.by, doing, error.into()).await);
        }
        web.api.shared.states.close(&source, closure);
        Ok(format!("/operator/departments/{source}"))
    })
    .await
}

/// `GET /operator/departments/{id}/open`.
pub(super) async fn ask_open(State(web): App, operator: Operator, Path(id): Path<String>) -> Reply {
    ask(&web, &operator, Doing { act: Act::OpenSource, source: Some(&id) }, &Draft::default())
}

/// `POST /operator/departments/{id}/open`.
pub(super) async fn open(State(web): App, operator: Operator, Path(id): Path<String>, form: Form) -> Reply {
    let doing = Doing { act: Act::OpenSource, source: Some(&id) };
    let mut draft = form.draft();
    let Some(reason) = reason(&operator, &form, &mut draft) else { return ask_again(&web, &operator, doing, draft) };
    let source = department::find(&web, &id)?.id().clone();
    let by = operator.account().user.to_string();
    form.once(async move {
        let doing = Doing { act: Act::OpenSource, source: Some(source.as_str()) };
        record(&web, &by, doing, &reason, None).await?;
        if let Err(error) = web.front.desk.open_source(&source).await {
            return Err(not_done(&web, &by, doing, error.into()).await);
        }
        web.api.shared.states.open(&source);
        Ok(format!("/operator/departments/{source}"))
    })
    .await
}

/// `GET /operator/drain`.
pub(super) async fn ask_drain(State(web): App, operator: Operator) -> Reply {
    ask(&web, &operator, Doing { act: Act::Drain, source: None }, &Draft::default())
}

/// `POST /operator/drain`.
pub(super) async fn drain(State(web): App, operator: Operator, form: Form) -> Reply {
    let mut draft = form.draft();
    let doing = Doing { act: Act::Drain, source: None };
    let Some(reason) = reason(&operator, &form, &mut draft) else { return ask_again(&web, &operator, doing, draft) };
    let by = operator.account().user.to_string();
    form.once(async move {
        record(&web, &by, doing, &reason, None).await?;
        let at = web.api.gateway.clock.now();
        web.levers.drain(Some(Drained { by, reason, at }));
        Ok("/operator/configuration".to_owned())
    })
    .await
}

/// `GET /operator/undrain`.
pub(super) async fn ask_undrain(State(web): App, operator: Operator) -> Reply {
    ask(&web, &operator, Doing { act: Act::Undrain, source: None }, &Draft::default())
}

/// `POST /operator/undrain`.
pub(super) async fn undrain(State(web): App, operator: Operator, form: Form) -> Reply {
    let mut draft = form.draft();
    let doing = Doing { act: Act::Undrain, source: None };
    let Some(reason) = reason(&operator, &form, &mut draft) else { return ask_again(&web, &operator, doing, draft) };
    let by = operator.account().user.to_string();
    form.once(async move {
        record(&web, &by, doing, &reason, None).await?;
        web.levers.drain(None);
        Ok("/operator/configuration".to_owned())
    })
    .await
}

/// `GET /operator/reload`.
pub(super) async fn ask_reload(State(web): App, operator: Operator) -> Reply {
    ask(&web, &operator, Doing { act: Act::Reload, source: None }, &Draft::default())
}

/// `POST /operator/reload`. What came of it stands on the page of the configuration.
pub(super) async fn reload(State(web): App, operator: Operator, form: Form) -> Reply {
    let mut draft = form.draft();
    let doing = Doing { act: Act::Reload, source: None };
    let Some(reason) = reason(&operator, &form, &mut draft) else { return ask_again(&web, &operator, doing, draft) };
    let by = operator.account().user.to_string();
    form.once(async move {
        record(&web, &by, doing, &reason, None).await?;
        if !web.levers.reload().await {
            return Err(not_done(&web, &by, doing, PageError::Unavailable).await);
        }
        Ok("/operator/configuration".to_owned())
    })
    .await
}

/// The page that asks.
fn ask(web: &Web, operator: &Operator, doing: Doing<'_>, draft: &Draft) -> Reply {
    html(&act_page(web, operator, doing, draft.clone())?)
}

fn ask_again(web: &Web, operator: &Operator, doing: Doing<'_>, draft: Draft) -> Reply {
    refused(&act_page(web, operator, doing, draft)?)
}

fn act_page(web: &Web, operator: &Operator, doing: Doing<'_>, draft: Draft) -> Result<ActPage, PageError> {
    let words = operator.words();
    let name = match doing.source {
        Some(id) => department::find(web, id)?.name().to_owned(),
        None => String::new(),
    };
    let (title, effect, submit) = match doing.act {
        Act::CloseSource => ("console.close_title", "console.close_effect", "console.close_submit"),
        Act::OpenSource => ("console.open_title", "console.open_effect", "console.open_submit"),
        Act::Drain => ("console.drain_title", "console.drain_effect", "console.drain_submit"),
        Act::Undrain => ("console.undrain_title", "console.undrain_effect", "console.undrain_submit"),
        Act::Reload => ("console.reload_title", "console.reload_effect", "console.reload_submit"),
        // What nobody does himself; and what is of accounts, which the console does not change.
        Act::NotDone
        | Act::SignIn
        | Act::SignOut
        | Act::RefuseSignIn
        | Act::NewAccount
        | Act::DisableAccount
        | Act::EnableAccount
        | Act::ChangePassword => return Err(PageError::NotFound),
    };
    let title = words.fill(title, &[("name", &name)]);
    let term = |(term, hours): &(&'static str, Option<i64>)| {
        let until = |hours: &i64| {
            let seconds = u64::try_from(*hours).unwrap_or_default() * 3600;
            words.fill("console.term_for", &[("span", &wording::span(words, std::time::Duration::from_secs(seconds)))])
        };
        (*term, hours.as_ref().map_or_else(|| words.text("console.term_open").to_owned(), until))
    };
    let is_close = doing.act == Act::CloseSource;
    Ok(ActPage {
        frame: Frame::new(web, operator, "console.title").titled(title.clone()),
        page: operator.page("console.title").titled(title).with(&draft),
        effect: words.fill(effect, &[("name", &name)]),
        submit: words.text(submit).to_owned(),
        is_bad: matches!(doing.act, Act::CloseSource | Act::Drain),
        terms: if is_close { TERMS.iter().map(term).collect() } else { Vec::new() },
        back: doing.source.map_or("/operator/configuration".to_owned(), |id| format!("/operator/departments/{id}")),
        draft,
    })
}

/// The reason that was given; without one nothing is done.
fn reason(operator: &Operator, form: &Form, draft: &mut Draft) -> Option<String> {
    let words = operator.words();
    let reason = one_line(form.value("reason"), LONGEST);
    match &reason {
        None => draft.refuse("reason", words.fill("console.reason_long", &[("most", &LONGEST)])),
        Some(reason) if reason.is_empty() => draft.refuse("reason", words.text("console.reason_missing")),
        Some(_) => {}
    }
    // Numbers by which somebody could be found do not belong here.
    reason.filter(|_| !draft.is_wrong()).map(|reason| without_personal_numbers(&reason))
}

/// Writes down who does what, and why.
async fn record(
    web: &Web,
    by: &str,
    Doing { act, source }: Doing<'_>,
    reason: &str,
    until: Option<Timestamp>,
) -> Result<(), PageError> {
    let what = Administration { act, object: source.map(Into::into), reason: Some(reason.into()), until };
    web.api.gateway.record_administration(by, what).await.map_err(|_| PageError::Unavailable)?;
    tracing::warn!(act = act.as_str(), source.id = source, "an operator does something to the gateway");
    Ok(())
}

/// Writes down that what is on record could not be done; why, for whoever wanted it.
async fn not_done(web: &Web, by: &str, doing: Doing<'_>, why: PageError) -> PageError {
    let (act, source) = (doing.act.as_str(), doing.source);
    if record(web, by, Doing { act: Act::NotDone, source }, act, None).await.is_err() {
        tracing::error!(act, source.id = source, "what an operator did is on record, and was not done");
    }
    why
}
