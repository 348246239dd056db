//! Signing in and out.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::cookies::Cookie;
use super::device::Device;
use super::proof::{Proof, prove};
use super::record::{record, record_refused};
use super::visit::{now, random};
use super::{
    App, Client, Draft, Form, Member, Page, PageError, Reply, Visit, Web, carry, html, layout, page, refused, see_other,
};
use crate::accounts::{Account, Password};
use crate::desk::KnownAccount;
use crate::ledger::Act;

#[derive(Template)]
#[template(path = "sign-in.html", config = "src/web/askama.toml")]
struct SignIn {
    page: Page,
    draft: Draft,
    /// Where to go on.
    then: String,
    /// A form that waits.
    carried: Option<String>,
    /// Whether a session has ended.
    is_expired: bool,
    /// What another house that signs people in is called.
    sign_on: Option<String>,
}

fn sign_on(web: &Web) -> Option<String> {
    web.sign_on.as_ref().map(|sign_on| sign_on.name.clone())
}

/// `GET /sign-in?then=<path>`.
pub(super) async fn show(State(web): App, visit: Visit, uri: Uri) -> Reply {
    let then = then(uri.query());
    if let Some(account) = visit.account() {
        return see_other(then.as_deref().unwrap_or_else(|| layout::home(account.duty.role())));
    }
    let (then, draft) = (then.unwrap_or_default(), Draft::default());
    let (page, sign_on) = (visit.page("sign_in.title"), sign_on(&web));
    html(&SignIn { page, draft, then, carried: None, is_expired: false, sign_on })
}

/// The page to sign in, to somebody whose session has ended while a form was filled in.
pub(super) fn expired(web: &Web, visit: &Visit, carried: Option<String>) -> Reply {
    let (page, draft) = (visit.page("sign_in.title"), Draft::default());
    html(&SignIn { page, draft, then: String::new(), carried, is_expired: true, sign_on: sign_on(web) })
}

/// The page to sign in, to somebody whom another house has not signed in, for this reason.
pub(super) fn failed(web: &Web, visit: &Visit, reason: &str, then: Option<String>, carried: Option<String>) -> Reply {
    let mut draft = Draft::default();
    let name = sign_on(web).unwrap_or_default();
    draft.refuse("user", visit.words().fill(reason, &[("name", &name)]));
    let page = visit.page("sign_in.title").with(&draft);
    let (then, is_expired, sign_on) = (then.unwrap_or_default(), carried.is_some(), sign_on(web));
    refused(&SignIn { page, draft, then, carried, is_expired, sign_on })
}

/// `POST /sign-in`.
pub(super) async fn sign_in(State(web): App, visit: Visit, client: Client, fields: HeaderMap, form: Form) -> Reply {
    let (user, password) = (form.value("user").trim(), Password::new(form.value("password")));
    let mut draft = Draft::of([("user", user)]);
    let words = visit.words();
    if user.is_empty() {
        draft.refuse("user", words.text("sign_in.user_missing"));
    }
    if password.reveal().is_empty() {
        draft.refuse("password", words.text("sign_in.password_missing"));
    }
    let carried = Some(form.value("carried")).filter(|carried| !carried.is_empty()).map(str::to_owned);
    let then = Some(form.value("then")).filter(|path| is_path(path)).map(str::to_owned);
    let device = Device::of(&web, &fields);
    let mut wait = None;
    if !draft.is_wrong() {
        match prove(&web, client, device.as_ref(), user, password).await? {
            Proof::Right(known) => {
                let entrance = Entrance { client, fields: &fields, device, then, carried };
                return enter(&web, &visit, *known, entrance).await;
            }
            Proof::Wrong { user } => {
                record_refused(&web, user.as_ref()).await?;
                draft.refuse("user", words.text("sign_in.wrong"));
            }
            Proof::Wait(long) => {
                draft.refuse("user", too_often(&visit, long));
                wait = Some(long);
            }
        }
    }
    let page = visit.page("sign_in.title").with(&draft);
    let (then, is_expired) = (then.unwrap_or_default(), carried.is_some());
    let template = SignIn { page, draft, then, carried, is_expired, sign_on: sign_on(&web) };
    match wait {
        None => refused(&template),
        Some(wait) => refuse_for(wait, &template),
    }
}

/// A page that says that it was tried too often.
pub(super) fn refuse_for(wait: Duration, template: &impl Template) -> Reply {
    let mut reply = page(StatusCode::TOO_MANY_REQUESTS, template)?;
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    Ok(reply)
}

/// For how long somebody has to wait, in words.
pub(super) fn too_often(visit: &Visit, wait: Duration) -> String {
    let seconds = wait.as_secs() + 1;
    let (key, count) =
        if seconds > 60 { ("sign_in.wait_minutes", seconds.div_ceil(60)) } else { ("sign_in.wait_seconds", seconds) };
    visit.words().fill(key, &[("count", &count)])
}

/// How somebody comes in, and where to.
pub(super) struct Entrance<'a> {
    pub(super) client: Client,
    /// What the request has brought along.
    pub(super) fields: &'a HeaderMap,
    /// The browser, if somebody has signed in there before.
    pub(super) device: Option<Device>,
    /// Where to go on.
    pub(super) then: Option<String>,
    /// A form that waits.
    pub(super) carried: Option<String>,
}

/// Lets somebody in who has shown who it is, and goes on: with the form that waits, or where was wanted.
pub(super) async fn enter(web: &Web, visit: &Visit, known: KnownAccount, entrance: Entrance<'_>) -> Reply {
    let Entrance { client, fields, device, then, carried } = entrance;
    let (account, id) = begin(web, visit, known).await?;
    let (user, home) = (account.user.clone(), layout::home(account.duty.role()));
    let mut reply = match carried {
        None => see_other(then.as_deref().unwrap_or(home))?,
        Some(sealed) => {
            let visit = visit.signed_in(web, id, account, "/sign-in");
            // One that is not ours, or too old, is dropped.
            match carry::carry(web, &visit, client, fields, &sealed).await {
                Ok(reply) => reply,
                Err(PageError::Malformed) => see_other(home)?,
                Err(error) => return Err(error),
            }
        }
    };
    // The form that was carried out may have begun another session, as a change of the password does.
    if !Cookie::Session.is_given(web.front.cookies, reply.headers()) {
        Cookie::Session.give_bytes(web.front.cookies, &id, reply.headers_mut());
    }
    Cookie::Visitor.take(web.front.cookies, reply.headers_mut());
    Device::remember(device, web, &user, reply.headers_mut())?;
    Ok(reply)
}

/// `POST /sign-out`. If there is a form with it that somebody else has filled in, that waits for whoever signs in next. The session
/// is over before that is on record, and also where it cannot be recorded: nobody has to stay.
pub(super) async fn sign_out(State(web): App, member: Member, form: Form) -> Reply {
    web.front.sessions.end(member.key());
    web.front.counter.drafts.forget_session(member.key());
    web.front.replies.forget_session(member.key());
    record(&web, &member.account().user, Act::SignOut).await?;
    let carried = Some(form.value("carried")).filter(|carried| !carried.is_empty());
    let mut reply = match carried {
        None => see_other("/sign-in")?,
        Some(carried) => {
            let visit = member.signed_out(&web)?;
            let mut reply = expired(&web, &visit, Some(carried.to_owned()))?;
            Cookie::Visitor.give_bytes(web.front.cookies, visit.key(), reply.headers_mut());
            reply
        }
    };
    Cookie::Session.take(web.front.cookies, reply.headers_mut());
    Ok(reply)
}

/// Begins a session, once it is on record, with an id that is new; whatever session there was before in this browser ends.
async fn begin(web: &Web, visit: &Visit, known: KnownAccount) -> Result<(Account, [u8; 32]), PageError> {
    let (id, now) = (random()?, now(web));
    web.front.sessions.end(visit.key());
    record(web, &known.account.user, Act::SignIn).await?;
    web.front.desk.signed_in(&known.account.user, now).await?;
    web.front.sessions.begin(&id, known.account.user.clone(), known.version, now);
    Ok((known.account, id))
}

/// The page to sign in, and then to go on there.
pub(super) fn address(then: &str) -> String {
    if matches!(then, "/" | "") {
        return "/sign-in".to_owned();
    }
    format!("/sign-in?then={}", utf8_percent_encode(then, VALUE))
}

/// What means something in a query.
const VALUE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'&').add(b'+').add(b'%').add(b'=').add(b'?');

fn then(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("then="))?;
    let path = percent_decode_str(value).decode_utf8().ok()?.into_owned();
    is_path(&path).then_some(path)
}

/// Whether a text is a path of ours, and leads nowhere else.
pub(super) fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>');
    text.starts_with('/') && !text.starts_with("//") && text.len() <= 2000 && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_go_on_is_a_path_of_ours() {
        assert_eq!(then(Some(&address("/a?b=c&d=%20")["/sign-in?".len()..])).as_deref(), Some("/a?b=c&d=%20"));
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "", "a", "/\u{e9}"] {
            assert!(!is_path(bad), "{bad:?}");
        }
        assert_eq!(address("/"), "/sign-in");
    }
}
