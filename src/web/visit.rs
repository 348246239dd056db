//! Who asks for a page, and in which language.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;

use super::cookies::Cookie;
use super::{Page, PageError, Web};
use crate::accounts::{Account, Duty, Role, UserName};
use crate::callers::{Caller, Credential, Officer};
use crate::rights::Agency;
use crate::words::{Languages, Words};

/// A request for a page: who asks, in which language, and for what.
#[derive(Clone)]
pub struct Visit(Arc<Inner>);

struct Inner {
    languages: Arc<Languages>,
    words: Arc<Words>,
    /// Of the session; of a visitor who has not signed in, his own.
    key: [u8; 32],
    token: String,
    account: Option<Account>,
    path: String,
    /// Whether the browser has to be given the visitor's key.
    is_new: bool,
}

impl Visit {
    /// Who asks, by the cookies that the request brings.
    pub(super) async fn new(web: &Web, fields: &HeaderMap, uri: &Uri) -> Result<Self, PageError> {
        let cookies = web.front.cookies;
        let session = Cookie::Session.read_bytes(cookies, fields);
        // What a page does by itself does not mean that somebody is there.
        let is_present = fields.get("sec-fetch-dest").is_none_or(|dest| dest != "empty");
        let signed_in = match session {
            Some(id) => find(web, &id, is_present).await?.map(|account| (id, account)),
            None => None,
        };
        let visitor = Cookie::Visitor.read_bytes(cookies, fields);
        let (key, account, is_new) = match (signed_in, visitor) {
            (Some((id, account)), _) => (id, Some(account), false),
            (None, Some(visitor)) => (visitor, None, false),
            (None, None) => (random()?, None, true),
        };
        let accepted = fields.get("accept-language").and_then(|field| field.to_str().ok());
        let words = web.languages.wanted(Cookie::Language.read(cookies, fields), accepted).ok_or(PageError::Broken)?;
        let token = web.front.seal.token(&key, account.as_ref().map(|account| &account.user));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let (languages, words) = (Arc::clone(&web.languages), Arc::clone(words));
        Ok(Self(Arc::new(Inner { languages, words, key, token, account, path, is_new })))
    }

    /// The same, as somebody who has just signed in with this session.
    pub(super) fn signed_in(&self, web: &Web, id: [u8; 32], account: Account, path: &str) -> Self {
        let token = web.front.seal.token(&id, Some(&account.user));
        let (languages, words) = (Arc::clone(&self.0.languages), Arc::clone(&self.0.words));
        let (account, path) = (Some(account), path.to_owned());
        Self(Arc::new(Inner { languages, words, key: id, token, account, path, is_new: false }))
    }

    /// The same, as somebody who has just signed out.
    pub(super) fn signed_out(&self, web: &Web) -> Result<Self, PageError> {
        let key = random()?;
        let token = web.front.seal.token(&key, None);
        let (languages, words) = (Arc::clone(&self.0.languages), Arc::clone(&self.0.words));
        let (account, path) = (None, "/sign-in".to_owned());
        Ok(Self(Arc::new(Inner { languages, words, key, token, account, path, is_new: true })))
    }

    /// A page whose title is this text.
    #[must_use]
    pub fn page(&self, title: &str) -> Page {
        let title = self.words().text(title).to_owned();
        Page::new(self.clone(), title)
    }

    /// The words of the reader's language.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.0.words
    }

    /// Every language that there is.
    pub(super) fn languages(&self) -> &Languages {
        &self.0.languages
    }

    /// Who has signed in.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.0.account.as_ref()
    }

    /// What was asked for: the path, and a query if there is one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The token of this visit's forms.
    pub(super) fn token(&self) -> &str {
        &self.0.token
    }

    /// What this visit's forms are bound to.
    pub(super) fn key(&self) -> &[u8; 32] {
        &self.0.key
    }

    pub(super) fn user(&self) -> Option<&UserName> {
        self.account().map(|account| &account.user)
    }

    pub(super) fn is_new(&self) -> bool {
        self.0.is_new
    }
}

/// The account of a session that is alive, and whose account still is what it was.
async fn find(web: &Web, id: &[u8; 32], is_present: bool) -> Result<Option<Account>, PageError> {
    let now = web.api.gateway.clock.now();
    let Some(session) = web.front.sessions.find(id, is_present, now) else { return Ok(None) };
    let known = web.front.desk.account(&session.user).await?;
    let known = known.filter(|known| known.disabled.is_none() && known.version == session.version);
    if known.is_none() {
        web.front.sessions.end(id);
    }
    Ok(known.map(|known| known.account))
}

/// 32 bytes from the system's random generator.
pub(super) fn random() -> Result<[u8; 32], PageError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| PageError::Broken)?;
    Ok(bytes)
}

/// Somebody who has signed in, whatever for.
#[derive(Clone)]
pub struct Member {
    visit: Visit,
    account: Account,
}

impl Member {
    /// Whoever has signed in.
    pub(super) fn of(visit: &Visit) -> Option<Self> {
        Some(Self { visit: visit.clone(), account: visit.account().cloned()? })
    }

    /// Whose account it is.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Whether the session is still alive: a page that stays open looks every now and then.
    pub async fn is_signed_in(&self, web: &Web) -> bool {
        matches!(find(web, self.visit.key(), false).await, Ok(Some(account)) if account == self.account)
    }
}

impl Deref for Member {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

/// Somebody at a committee's counter.
#[derive(Clone)]
pub struct Worker {
    member: Member,
    /// On whose grants is verified.
    pub agency: Arc<Agency>,
}

impl Worker {
    /// As the gateway knows who asks: the agency, with the user as its officer.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let officer = Officer::new(self.account().user.as_str());
        Caller { agency: Arc::clone(&self.agency), officer, by: Credential::Session }
    }
}

impl Deref for Worker {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.member
    }
}

/// Somebody who keeps the gateway running.
#[derive(Clone)]
pub struct Operator(Member);

impl Deref for Operator {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

/// Somebody above the committees.
#[derive(Clone)]
pub struct Supervisor(Member);

impl Deref for Supervisor {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

fn visit(parts: &Parts) -> Result<Visit, PageError> {
    // What stands around every handler has put it there.
    parts.extensions.get::<Visit>().cloned().ok_or(PageError::Broken)
}

fn member(parts: &Parts) -> Result<Member, PageError> {
    // Whoever has not signed in has been asked to before.
    Member::of(&visit(parts)?).ok_or(PageError::NotYours)
}

fn member_of(parts: &Parts, role: Role) -> Result<Member, PageError> {
    member(parts).and_then(
        |member| {
            if member.account.duty.role() == role { Ok(member) } else { Err(PageError::NotYours) }
        },
    )
}

impl FromRequestParts<Web> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, PageError> {
        visit(parts)
    }
}

impl FromRequestParts<Web> for Member {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, PageError> {
        member(parts)
    }
}

impl FromRequestParts<Web> for Worker {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let member = member_of(parts, Role::Committee)?;
        let Duty::Committee(agency) = &member.account.duty else { return Err(PageError::NotYours) };
        let agency = web.api.shared.access.agency(agency).ok_or(PageError::NoAgency)?;
        Ok(Self { member, agency })
    }
}

impl FromRequestParts<Web> for Operator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, PageError> {
        member_of(parts, Role::Operator).map(Self)
    }
}

impl FromRequestParts<Web> for Supervisor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, PageError> {
        member_of(parts, Role::Supervisor).map(Self)
    }
}

/// Now, by the gateway's clock.
pub(super) fn now(web: &Web) -> Timestamp {
    web.api.gateway.clock.now()
}
