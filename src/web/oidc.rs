//! Signing in by another house (OpenID Connect): there and back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use moka::sync::Cache;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::device::Device;
use super::record::record;
use super::sign_in::{Entrance, enter, failed, is_path};
use super::visit::now;
use super::{App, Client, Form, Page, PageError, Reply, Visit, html};
use crate::access::{Journey, Provider};
use crate::accounts::Directory;
use crate::ledger::Act;

/// Another house that signs people in, and what it says of them means here.
#[derive(Debug)]
pub struct SingleSignOn {
    /// What the button is called.
    pub name: String,
    /// The house.
    pub provider: Provider,
    /// What its claims mean.
    pub directory: Directory,
}

/// Those who are on the way, by the SHA-256 of what they have to bring back.
pub(super) struct Underway(Cache<[u8; 32], Arc<Person>>);

/// Somebody on the way.
struct Person {
    journey: Journey,
    /// The visitor's key: nobody comes back in another browser.
    browser: [u8; 32],
    then: Option<String>,
    carried: Option<String>,
}

/// The most bytes of those on the way, and how long they have.
const MOST: u64 = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_mins(10);

/// What one takes beside the form that waits.
const USUAL: usize = 512;

impl Default for Underway {
    fn default() -> Self {
        let weight = |_: &[u8; 32], person: &Arc<Person>| {
            u32::try_from(USUAL + person.carried.as_ref().map_or(0, String::len)).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weight).max_capacity(MOST).time_to_live(PATIENCE).build())
    }
}

impl fmt::Debug for Underway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Underway(…)")
    }
}

#[derive(Template)]
#[template(path = "sign-in-away.html", config = "src/web/askama.toml")]
struct Away {
    page: Page,
    address: String,
    name: String,
}

/// `POST /sign-in/oidc`: the browser goes to the other house. A page sends it there, because a form may lead nowhere else.
pub(super) async fn leave(State(web): App, visit: Visit, form: Form) -> Reply {
    let sign_on = web.sign_on.as_ref().ok_or(PageError::NotFound)?;
    let given = |name: &str| Some(form.value(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    let (then, carried) = (given("then").filter(|path| is_path(path)), given("carried"));
    let begun = async {
        let journey = Journey::begin()?;
        let address = sign_on.provider.address(&journey).await?;
        Ok::<_, crate::access::ProviderError>((journey, address))
    };
    let (journey, address) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(issuer = sign_on.provider.issuer(), %error, "nobody can be signed in by the provider");
            return failed(&web, &visit, "sign_in.oidc_unreachable", then, carried);
        }
    };
    let key = Sha256::digest(journey.state.as_bytes()).into();
    let person = Person { journey, browser: *visit.key(), then, carried };
    web.front.underway.0.insert(key, Arc::new(person));
    html(&Away { page: visit.page("sign_in.away_title"), address, name: sign_on.name.clone() })
}

/// `GET /sign-in/oidc/back?code=…&state=…`.
pub(super) async fn back(State(web): App, visit: Visit, client: Client, fields: HeaderMap, uri: Uri) -> Reply {
    let sign_on = web.sign_on.as_ref().ok_or(PageError::NotFound)?;
    let query = uri.query().unwrap_or_default();
    let given = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)?;
        percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let state: Option<[u8; 32]> = given("state").map(|state| Sha256::digest(state.as_bytes()).into());
    // Each way back is gone once.
    let person = state.and_then(|state| web.front.underway.0.remove(&state));
    let is_own = |person: &Arc<Person>| verify_slices_are_equal(&person.browser, visit.key()).is_ok();
    let Some(person) = person.filter(is_own) else {
        return failed(&web, &visit, "sign_in.oidc_failed", None, None);
    };
    let (then, carried) = (person.then.clone(), person.carried.clone());
    // RFC 9207: whoever mixes providers up is found out.
    let is_issuer = given("iss").is_none_or(|issuer| issuer == sign_on.provider.issuer());
    let Some(code) = given("code").filter(|_| is_issuer) else {
        return failed(&web, &visit, "sign_in.oidc_failed", then, carried);
    };
    let claims = match sign_on.provider.redeem(&code, &person.journey, now(&web)).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(issuer = sign_on.provider.issuer(), %error, "somebody is not signed in by the provider");
            return failed(&web, &visit, "sign_in.oidc_failed", then, carried);
        }
    };
    let account = match sign_on.directory.account(&claims) {
        Ok(account) => account,
        Err(error) => {
            tracing::warn!(issuer = sign_on.provider.issuer(), %error, "somebody whom the provider knows has no account here");
            return failed(&web, &visit, "sign_in.oidc_no_account", then, carried);
        }
    };
    if web.front.desk.account(&account.user).await?.is_none() {
        record(&web, &account.user, Act::NewAccount).await?;
    }
    let known = web.front.desk.admit(account, now(&web)).await?.filter(|known| known.disabled.is_none());
    let Some(known) = known else { return failed(&web, &visit, "sign_in.oidc_no_account", then, carried) };
    let device = Device::of(&web, &fields);
    enter(&web, &visit, known, Entrance { client, fields: &fields, device, then, carried }).await
}
