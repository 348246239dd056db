use axum::extract::State;

use super::cookies::Cookie;
use super::sign_in::is_path;
use super::{App, Form, PageError, Reply, see_other};

/// `POST /language`: from now on pages speak the language that was chosen.
pub(super) async fn choose(State(web): App, form: Form) -> Reply {
    let words = web.languages.find(form.value("language")).ok_or(PageError::Malformed)?;
    let back = Some(form.value("back")).filter(|path| is_path(path)).unwrap_or("/");
    let mut reply = see_other(back)?;
    Cookie::Language.give(web.front.cookies, words.tag(), reply.headers_mut());
    Ok(reply)
}
