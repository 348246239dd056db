//! Forms as browsers send them, and as they are shown again.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::carry::Carried;
use super::seal::{Owner, Seal, SealedForm};
use super::visit::{Visit, now};
use super::{PageError, Reply, Web, see_other};
use crate::telemetry::Behind;

/// The most bytes of a form.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// The most bytes of a form that carries another one sealed.
pub(super) const MOST_BYTES_CARRYING: usize = 128 * 1024;

/// The most fields of a form.
const MOST_FIELDS: usize = 500;

/// A form that its sender's own page has sent: its token has been checked.
pub struct Form {
    web: Web,
    visit: Visit,
    fields: Vec<(String, Zeroizing<String>)>,
}

/// A form whose token is of another session, sealed: it can be sent again.
#[derive(Debug, Clone)]
pub struct Stale {
    pub(super) sealed: String,
}

impl Form {
    /// What was typed or chosen; empty where nothing was. Of several, the first.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Everything that was chosen under a name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What was typed, to be shown again.
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft { fields: self.fields.clone(), errors: Vec::new() }
    }

    /// Does what the form is for, once: a double click, a reload and a second tab wait for the first and go where that leads. The
    /// work goes on even if the browser hangs up. It says where to go on.
    ///
    /// # Errors
    /// What the work says; that the form has no id.
    pub async fn once(self, work: impl Future<Output = Result<String, PageError>> + Send + 'static) -> Reply {
        let id = self.value(ID).to_owned();
        let user = self.visit.user().cloned().ok_or(PageError::NotYours)?;
        if id.is_empty() || id.len() > 64 {
            return Err(PageError::Malformed);
        }
        let (front, gateway) = (Arc::clone(&self.web.front), &self.web.api.gateway);
        let behind = Behind::of(&gateway.telemetry, None, None);
        let tracked = gateway.tasks.spawn(behind.around(async move { front.once.run(&user, id, work).await }));
        see_other(&tracked.await.map_err(|_| PageError::Broken)??)
    }
}

/// The names of what every form carries.
pub(super) const TOKEN: &str = "csrf";
pub(super) const ID: &str = "form";

impl FromRequest<Web> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, PageError> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or(PageError::Broken)?;
        let is_carried = request.extensions().get::<Carried>().is_some();
        let most = if CARRYING.contains(&request.uri().path()) { MOST_BYTES_CARRYING } else { MOST_BYTES };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let body = read(web, request, most).await?;
        let fields = parse(&body)?;
        let form = Self { web: web.clone(), visit: visit.clone(), fields };
        let token = form.value(TOKEN);
        if is_carried || web.front.seal.is_token(token, visit.key(), visit.user()) {
            return Ok(form);
        }
        // Somebody has signed in again meanwhile, in another tab perhaps: nothing that was typed is lost.
        let owner = Seal::owner_of(token).ok_or(PageError::OtherSite)?;
        let sealed = seal(web, path, &body, owner)?;
        Err(PageError::Stale(Stale { sealed }))
    }
}

/// Where forms are sent that carry another one.
const CARRYING: [&str; 4] = ["/sign-in", "/sign-in/oidc", "/sign-out", "/carry"];

/// A form that waits until somebody has signed in.
pub(super) fn seal(web: &Web, path: String, body: &[u8], owner: Owner) -> Result<String, PageError> {
    let form = SealedForm { path, body: body.to_vec(), owner, sent: now(web) };
    web.front.seal.seal(&form).map_err(|_| PageError::Broken)
}

/// Reads a form's body within bounds.
pub(super) async fn read(web: &Web, request: Request, most: usize) -> Result<Zeroizing<Vec<u8>>, PageError> {
    let (parts, body) = request.into_parts();
    if !is_form(&parts.headers) {
        return Err(PageError::Malformed);
    }
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > most) {
        return Err(PageError::TooLarge);
    }
    match timeout(web.api.shared.request_timeout, Limited::new(body, most).collect()).await {
        Err(_) => Err(PageError::Slow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(PageError::TooLarge),
        // The connection broke: nobody will read this.
        Ok(Err(_)) => Err(PageError::Malformed),
        Ok(Ok(body)) => Ok(Zeroizing::new(body.to_bytes().to_vec())),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The fields of a form (WHATWG URL, application/x-www-form-urlencoded).
pub(super) fn parse(body: &[u8]) -> Result<Vec<(String, Zeroizing<String>)>, PageError> {
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() >= MOST_FIELDS {
            return Err(PageError::Malformed);
        }
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
        fields.push((decode(name)?, Zeroizing::new(decode(value)?)));
    }
    Ok(fields)
}

fn decode(text: &[u8]) -> Result<String, PageError> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let spaced = Zeroizing::new(spaced);
    let decoded: Cow<'_, [u8]> = percent_decode(&spaced).into();
    String::from_utf8(decoded.into_owned()).map_err(|_| PageError::Malformed)
}

/// A form as it is shown: what was typed, and what is wrong with it.
#[derive(Default, Clone)]
pub struct Draft {
    fields: Vec<(String, Zeroizing<String>)>,
    errors: Vec<(String, String)>,
}

impl Draft {
    /// A form in which these values stand.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let field = |(name, value): (&str, &str)| (name.to_owned(), Zeroizing::new(value.to_owned()));
        Self { fields: values.into_iter().map(field).collect(), errors: Vec::new() }
    }

    /// Something wrong with a field. The message stands beside it, and above the form.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push((name.to_owned(), message.into()));
    }

    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What is wrong: each field's name with the message, in the order in which it was found.
    #[must_use]
    pub fn errors(&self) -> &[(String, String)] {
        &self.errors
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(field, _)| field == name).map(|(_, message)| message.as_str())
    }

    /// What stands in a field.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether a value is chosen.
    #[must_use]
    pub fn is_chosen(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|(field, chosen)| field == name && chosen.as_str() == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let fields = parse("a=%E5%BC%A0+%E4%B8%89&b=&c&a=2&=x&%zz=%&d=a=b".as_bytes()).unwrap();
        let expected = [("a", "张 三"), ("b", ""), ("c", ""), ("a", "2"), ("", "x"), ("%zz", "%"), ("d", "a=b")];
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, expected);
        assert!(matches!(parse(b"a=%FF"), Err(PageError::Malformed)));
        assert!(matches!(parse("a&".repeat(501).as_bytes()), Err(PageError::Malformed)));
    }

    #[test]
    fn a_draft_shows_what_was_typed_and_what_is_wrong() {
        let mut draft = Draft::of([("a", "1"), ("a", "2")]);
        assert!(!draft.is_wrong() && draft.is_chosen("a", "2") && draft.value("b").is_empty());
        draft.refuse("b", "missing");
        assert_eq!((draft.error("b"), draft.error("a"), draft.errors().len()), (Some("missing"), None, 1));
    }
}
