//! Improper demands: recorded, put to the superior authority, followed up and counted. A committee sees its own records, a
//! supervisor everybody's.

mod export;
mod figures;
mod letter;
mod list;
mod record;
mod steps;
mod write;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, header};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Member, PageError, Reply, Web, only};
use crate::accounts::Duty;
use crate::clock::day_of;
use crate::demands::{AgencyName, AgencyNameError, Office, State, Subject};
use crate::desk::KnownDemand;
use crate::domain::{AgencyId, ClosedList, Note, NoteError};
use crate::matters::Catalog;
use crate::words::Words;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/demands", only("GET, HEAD, POST", get(list::list).post(write::record)))
        .route("/demands/new", only("GET, HEAD, POST", get(write::new).post(write::prefilled)))
        .route("/demands/list.csv", only("GET, HEAD", get(export::list)))
        .route("/demands/figures", only("GET, HEAD", get(figures::figures)))
        .route("/demands/figures.csv", only("GET, HEAD", get(export::figures)))
        .route("/demands/{id}", only("GET, HEAD", get(record::record)))
        .route("/demands/{id}/letter", only("GET, HEAD, POST", get(letter::show).post(letter::addressed)))
        .route("/demands/{id}/letter.pdf", only("POST", post(letter::printed)))
        .route("/demands/{id}/{step}", only("GET, HEAD, POST", get(steps::show).post(steps::enter)))
}

/// Who reads and writes records: a committee its own, a supervisor everybody's.
#[derive(Clone)]
pub(super) struct Reader {
    member: Member,
    /// Whose records; `None`: everybody's.
    pub(super) committee: Option<AgencyId>,
}

impl Reader {
    /// For whom.
    pub(super) fn office(&self) -> Office {
        if self.committee.is_some() { Office::Committee } else { Office::Supervisor }
    }

    /// The account's user.
    pub(super) fn user(&self) -> String {
        self.member.account().user.as_str().to_owned()
    }

    /// Whether a committee's records are theirs to see.
    pub(super) fn sees(&self, committee: &AgencyId) -> bool {
        self.committee.as_ref().is_none_or(|own| own == committee)
    }
}

impl std::ops::Deref for Reader {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.member
    }
}

impl FromRequestParts<Web> for Reader {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let member = Member::from_request_parts(parts, web).await?;
        let committee = match &member.account().duty {
            Duty::Committee(agency) => Some(agency.clone()),
            Duty::Supervisor => None,
            Duty::Operator => return Err(PageError::NotYours),
        };
        Ok(Self { member, committee })
    }
}

/// A record that the reader may see. Another committee's is nowhere.
async fn find(web: &Web, reader: &Reader, id: &str) -> Result<KnownDemand, PageError> {
    let id = id.parse::<Uuid>().map_err(|_| PageError::NotFound)?;
    let known = web.front.desk.demand(id).await?.ok_or(PageError::NotFound)?;
    if reader.sees(&known.demand.committee) { Ok(known) } else { Err(PageError::NotFound) }
}

/// Today in Asia/Shanghai.
pub(super) fn today(web: &Web) -> Date {
    web.api.gateway.clock.today()
}

/// Whether the words are English rather than Chinese, as far as the catalog has both.
pub(super) fn is_english(words: &Words) -> bool {
    !words.tag().starts_with("zh")
}

/// What a matter is called, with its number in the annex.
fn subject_name(catalog: &Catalog, words: &Words, subject: &Subject) -> String {
    match subject {
        Subject::Unlisted => words.text("demands.unlisted").to_owned(),
        Subject::Matter(id) => matter_name(catalog, words, id.as_str()),
    }
}

/// What a matter is called, with its number in the annex; its id where the catalog no longer has it.
pub(super) fn matter_name(catalog: &Catalog, words: &Words, id: &str) -> String {
    let Some(matter) = catalog.matter(id) else { return id.to_owned() };
    let name = if is_english(words) { &matter.text.english.name } else { &matter.text.name };
    words.fill("demands.matter_numbered", &[("number", &matter.text.number), ("name", name)])
}

/// What a committee is called; its id where it is no longer registered.
pub(super) fn committee_name(web: &Web, committee: &AgencyId) -> String {
    web.api.shared.access.agency(committee).map_or_else(|| committee.to_string(), |agency| agency.name.clone())
}

/// Every matter, as (value, name), and what the annex does not list.
fn subjects(catalog: &Catalog, words: &Words) -> Vec<(String, String)> {
    let mut all = matters(catalog, words);
    all.push((Subject::Unlisted.as_str().to_owned(), words.text("demands.unlisted").to_owned()));
    all
}

/// Every matter, as (value, name).
pub(super) fn matters(catalog: &Catalog, words: &Words) -> Vec<(String, String)> {
    let listed = catalog.matters().iter();
    listed.map(|matter| (matter.id.to_string(), matter_name(catalog, words, matter.id.as_str()))).collect()
}

/// A closed list, as (value, text): the texts are called as the list and the value.
pub(super) fn options<T: ClosedList>(words: &Words, list: &str) -> Vec<(String, String)> {
    let option = |word: &T| (word.as_str().to_owned(), words.text(&format!("{list}_{}", word.as_str())).to_owned());
    T::ALL.iter().map(option).collect()
}

/// How far a record has come, in words, and the class of its tag.
fn state_shown(words: &Words, state: State) -> (String, &'static str) {
    let class = match state {
        State::Recorded | State::LetterSent | State::Answered => "tag-warn",
        State::Corrected => "tag-good",
        State::Exposed => "tag-bad",
        State::Closed | State::Withdrawn => "",
    };
    (words.text(&format!("demands.state_{}", state.as_str())).to_owned(), class)
}

/// A day as it is written in the reader's language.
pub(super) fn day_shown(words: &Words, day: Date) -> String {
    if is_english(words) { day.to_string() } else { crate::counter::written_day(day) }
}

/// A moment by Beijing time, to the minute.
pub(super) fn moment_shown(words: &Words, moment: Timestamp) -> String {
    let at = jiff::tz::offset(8).to_datetime(moment);
    format!("{} {}:{:02}", day_shown(words, day_of(moment)), at.hour(), at.minute())
}

/// What is wrong with an organisation's name, in words.
fn agency_wrong(error: AgencyNameError, missing: &'static str) -> &'static str {
    match error {
        AgencyNameError::Empty => missing,
        AgencyNameError::TooLong => "demands.agency_too_long",
        AgencyNameError::Character => "demands.agency_character",
        AgencyNameError::Number => "demands.agency_number",
        AgencyNameError::NotFull => "demands.agency_not_full",
    }
}

/// A name that has to be there.
fn agency(text: &str, missing: &'static str) -> Result<AgencyName, &'static str> {
    text.to_owned().try_into().map_err(|error| agency_wrong(error, missing))
}

/// A note that may be missing.
pub(super) fn note(text: &str) -> Result<Option<Note>, &'static str> {
    match Note::try_from(text.to_owned()) {
        Ok(note) => Ok(Some(note)),
        Err(NoteError::Empty) => Ok(None),
        Err(NoteError::TooLong) => Err("demands.note_too_long"),
        Err(NoteError::NamesSomebody) => Err("demands.note_names"),
    }
}

/// A day that is past.
pub(super) fn past_day(text: &str, today: Date) -> Result<Date, &'static str> {
    let day = crate::counter::day(text, today).ok_or("demands.wrong_day")?;
    match day {
        day if day > today => Err("demands.day_to_come"),
        // The policy is of this day: before it nothing could be improper under it.
        day if day < jiff::civil::date(2020, 9, 10) => Err("demands.day_too_old"),
        day => Ok(day),
    }
}

/// A file that a browser saves.
fn file(body: impl Into<Body>, kind: &'static str, name: &str) -> Reply {
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| PageError::Broken)?;
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}
