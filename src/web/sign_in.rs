//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::cookies::Cookie;
use super::visit::{now, random};
use super::{
    App, Draft, Form, Member, Page, PageError, Reply, Visit, Web, carry, html, layout, page, refused, see_other,
};
use crate::accounts::{Account, Password, UserName};
use crate::desk::{KnownAccount, PasswordHash};

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
}

/// `GET /sign-in?then=<path>`.
pub(super) async fn show(visit: Visit, uri: Uri) -> Reply {
    let then = then(uri.query());
    if let Some(account) = visit.account() {
        return see_other(then.as_deref().unwrap_or_else(|| layout::home(account.duty.role())));
    }
    let (then, draft) = (then.unwrap_or_default(), Draft::default());
    html(&SignIn { page: visit.page("sign_in.title"), draft, then, carried: None, is_expired: false })
}

/// The page to sign in, to somebody whose session has ended while a form was filled in.
pub(super) fn expired(visit: &Visit, carried: Option<String>) -> Reply {
    let (page, draft) = (visit.page("sign_in.title"), Draft::default());
    html(&SignIn { page, draft, then: String::new(), carried, is_expired: true })
}

/// `POST /sign-in`.
pub(super) async fn sign_in(State(web): App, visit: Visit, form: Form) -> Reply {
    let (user, password) = (form.value("user"), Password::new(form.value("password")));
    let mut draft = Draft::of([("user", user)]);
    let words = visit.words();
    if user.trim().is_empty() {
        draft.refuse("user", words.text("sign_in.user_missing"));
    }
    if password.reveal().is_empty() {
        draft.refuse("password", words.text("sign_in.password_missing"));
    }
    let carried = Some(form.value("carried")).filter(|carried| !carried.is_empty()).map(str::to_owned);
    let then = Some(form.value("then")).filter(|path| is_path(path)).map(str::to_owned);
    let known = if draft.is_wrong() { None } else { check(&web, user, password).await? };
    let Some(known) = known else {
        if !draft.is_wrong() {
            draft.refuse("user", words.text("sign_in.wrong"));
        }
        let page = visit.page("sign_in.title").with(&draft);
        let (then, is_expired) = (then.unwrap_or_default(), carried.is_some());
        return refused(&SignIn { page, draft, then, carried, is_expired });
    };
    let (account, id) = begin(&web, &visit, known).await?;
    let home = layout::home(account.duty.role());
    let mut reply = match carried {
        None => see_other(then.as_deref().unwrap_or(home))?,
        Some(sealed) => {
            let visit = visit.signed_in(&web, id, account, "/sign-in");
            // One that is not ours, or too old, is dropped.
            match carry::carry(&web, &visit, &sealed).await {
                Ok(reply) => reply,
                Err(PageError::Malformed) => see_other(home)?,
                Err(error) => return Err(error),
            }
        }
    };
    Cookie::Session.give_bytes(web.front.cookies, &id, reply.headers_mut());
    Ok(reply)
}

/// `POST /sign-out`.
pub(super) async fn sign_out(State(web): App, member: Member, _form: Form) -> Reply {
    web.front.sessions.end(member.key());
    web.front.counter.drafts.forget_session(member.key());
    let mut reply = see_other("/sign-in")?;
    Cookie::Session.take(web.front.cookies, reply.headers_mut());
    Ok(reply)
}

/// The account, if this is its user and password. Whether there is such a user changes nothing about the work.
async fn check(web: &Web, user: &str, password: Password) -> Result<Option<KnownAccount>, PageError> {
    let known = match user.parse::<UserName>() {
        Ok(user) => web.front.desk.account(&user).await?,
        Err(_) => None,
    };
    let hash = known.as_ref().and_then(|known| known.password.clone()).unwrap_or_else(PasswordHash::of_nobody);
    let _turn = web.front.hashing.acquire().await.map_err(|_| PageError::Broken)?;
    let password = Arc::new(password);
    let compared = tokio::task::spawn_blocking(move || hash.is_of(&password)).await;
    let is_right = compared.map_err(|_| PageError::Broken)??;
    Ok(known.filter(|known| is_right && known.disabled.is_none()))
}

/// Begins a session; whatever session there was before in this browser ends.
async fn begin(web: &Web, visit: &Visit, known: KnownAccount) -> Result<(Account, [u8; 32]), PageError> {
    let (id, now) = (random()?, now(web));
    web.front.sessions.end(visit.key());
    web.front.desk.signed_in(&known.account.user, now, None).await?;
    web.front.sessions.begin(&id, known.account.user.clone(), known.version, now);
    Ok((known.account, id))
}

/// The page to sign in, and then to go on there.
pub(super) fn address(then: &str) -> String {
    if matches!(then, "/" | "") {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?then={}", utf8_percent_encode(then, VALUE))
    }
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

/// `GET /account`.
pub(super) async fn account(member: Member) -> Reply {
    let account = member.account().clone();
    page(StatusCode::OK, &AccountPage { page: member.page("account.title"), account })
}

#[derive(Template)]
#[template(path = "account.html", config = "src/web/askama.toml")]
struct AccountPage {
    page: Page,
    account: Account,
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
