//! Somebody's own account: what it is, and another password for it.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};

use super::cookies::Cookie;
use super::device::Device;
use super::proof::{Proof, hashing, prove};
use super::record::{record, record_refused};
use super::visit::{now, random};
use super::{App, Client, Draft, Form, Member, Page, PageError, Reply, Visit, Web, html, refused, see_other, sign_in};
use crate::accounts::{Account, Password, WeakPassword};
use crate::desk::PasswordHash;
use crate::ledger::Act;

#[derive(Template)]
#[template(path = "account.html", config = "src/web/askama.toml")]
struct Show {
    page: Page,
    account: Account,
    /// On whose grants it verifies.
    agency: Option<String>,
    has_password: bool,
    is_changed: bool,
}

/// `GET /account`.
pub(super) async fn show(State(web): App, member: Member, uri: Uri) -> Reply {
    let account = member.account().clone();
    let known = web.front.desk.account(&account.user).await?;
    let has_password = known.is_some_and(|known| known.password.is_some());
    let agency = account.duty.agency().map(|id| {
        let agency = web.api.shared.access.agency(id);
        agency.map_or_else(|| id.to_string(), |agency| agency.name.clone())
    });
    let is_changed = uri.query() == Some(CHANGED);
    html(&Show { page: member.page("account.title"), account, agency, has_password, is_changed })
}

/// What `/account` is asked with after a password was changed.
const CHANGED: &str = "password=changed";

#[derive(Template)]
#[template(path = "account-password.html", config = "src/web/askama.toml")]
struct Change {
    page: Page,
    draft: Draft,
    user: String,
}

fn change(visit: &Visit, draft: Draft) -> Change {
    let user = visit.user().map(ToString::to_string).unwrap_or_default();
    Change { page: visit.page("account.password_title").with(&draft), draft, user }
}

/// `GET /account/password`.
pub(super) async fn show_password(member: Member) -> Reply {
    html(&change(&member, Draft::default()))
}

/// `POST /account/password`: all other sessions of the account end.
pub(super) async fn change_password(
    State(web): App,
    member: Member,
    client: Client,
    fields: HeaderMap,
    form: Form,
) -> Reply {
    let (old, new) = (Password::new(form.value("old")), Password::new(form.value("new")));
    let (mut draft, words, user) = (Draft::default(), member.words(), &member.account().user);
    if old.reveal().is_empty() {
        draft.refuse("old", words.text("account.old_missing"));
    }
    if let Err(weak) = new.check(user) {
        draft.refuse("new", why(&member, weak));
    } else if new.reveal() == old.reveal() {
        draft.refuse("new", words.text("account.new_same"));
    }
    if form.value("again") != form.value("new") {
        draft.refuse("again", words.text("account.again_other"));
    }
    if draft.is_wrong() {
        return refused(&change(&member, draft));
    }
    let device = Device::of(&web, &fields);
    match prove(&web, client, device.as_ref(), user.as_str(), old).await? {
        Proof::Right(_) => {}
        Proof::Wrong { user } => {
            record_refused(&web, user.as_ref()).await?;
            draft.refuse("old", words.text("account.old_wrong"));
            return refused(&change(&member, draft));
        }
        Proof::Wait(wait) => {
            draft.refuse("old", sign_in::too_often(&member, wait));
            return sign_in::refuse_for(wait, &change(&member, draft));
        }
    }
    let hash = hashing(&web, move || PasswordHash::of(&new)).await?;
    renew(&web, &member, hash).await
}

/// Keeps the new password, and goes on in a session that is new.
async fn renew(web: &Web, member: &Member, hash: PasswordHash) -> Reply {
    let user = &member.account().user;
    record(web, user, Act::ChangePassword).await?;
    let version = web.front.desk.set_password(user, hash, None).await?.ok_or(PageError::NotYours)?;
    let id = random()?;
    web.front.sessions.end(member.key());
    web.front.sessions.begin(&id, user.clone(), version, now(web));
    let mut reply = see_other(&format!("/account?{CHANGED}"))?;
    Cookie::Session.give_bytes(web.front.cookies, &id, reply.headers_mut());
    Ok(reply)
}

/// What is weak about a password.
fn why(visit: &Visit, weak: WeakPassword) -> String {
    let words = visit.words();
    match weak {
        WeakPassword::Short => words.fill("account.new_short", &[("count", &Password::SHORTEST)]),
        WeakPassword::Long => words.fill("account.new_long", &[("count", &Password::LONGEST)]),
        WeakPassword::Monotonous => words.text("account.new_monotonous").to_owned(),
        WeakPassword::UserName => words.text("account.new_user").to_owned(),
        WeakPassword::Common => words.text("account.new_common").to_owned(),
    }
}
