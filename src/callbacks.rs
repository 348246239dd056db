//! Layer 2: agencies are told of outcomes that took longer, at the addresses that the configuration has for them, never at
//! one from a request.
//!
//! What is sent is signed as Standard Webhooks (version 1) has it: `webhook-signature` is `v1,` and the Base64 of
//! HMAC-SHA256(secret, `webhook-id` + "." + `webhook-timestamp` + "." + body). The id stays the same however often it is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Url};
use sha2::Sha256;
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::durable::{ClosedQuestion, Durable, NotSaved};

/// Where agencies are told, by agency.
pub type Recipients = Arc<BTreeMap<String, Recipient>>;

/// Where one agency is told, and the secret that both know.
pub struct Recipient {
    address: Url,
    secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recipient(…)")
    }
}

/// The fewest characters of a secret.
const LEAST_SECRET: usize = 24;

/// How often it is looked for what to tell.
const EVERY: Duration = Duration::from_millis(500);

/// The most that are told at once.
const AT_ONCE: usize = 16;

/// How long an agency may take, and after how many times it is given up: the pauses double from a second up to an hour.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST_TRIES: u32 = 36;
const LONGEST_PAUSE: u32 = 3600;

impl Recipient {
    /// One at this address.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(address: &str, secret: &Zeroizing<String>) -> Result<Self, String> {
        let address = address.parse::<Url>().map_err(|_| "not an address".to_owned())?;
        if secret.len() < LEAST_SECRET {
            return Err(format!("the secret that signs what is told has {LEAST_SECRET} characters or more"));
        }
        Ok(Self { address, secret: Zeroizing::new(secret.as_bytes().to_vec()) })
    }

    fn sign(&self, id: &str, moment: i64, body: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return String::new() };
        mac.update(format!("{id}.{moment}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Tells agencies of outcomes as long as it runs. Who the recipients are is asked each time.
pub async fn send(durable: &dyn Durable, clock: &dyn Clock, recipients: impl Fn() -> Recipients) {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(PATIENCE).build();
    let Ok(client) = client else {
        return tracing::error!("agencies cannot be told of outcomes: no client can be made");
    };
    loop {
        // What cannot be read now is there the next time; the store has said why.
        let due = durable.notices(clock.now()).await.unwrap_or_default();
        let known = recipients();
        let mut went_well = !due.is_empty();
        for some in due.chunks(AT_ONCE) {
            let mut telling = Vec::new();
            for (closed, tries) in some {
                telling.push(tell(&client, durable, clock, &known, closed, *tries));
            }
            went_well &= join_all(telling).await.iter().all(Result::is_ok);
        }
        if !went_well {
            sleep(EVERY).await;
        }
    }
}

async fn tell(
    client: &Client,
    durable: &dyn Durable,
    clock: &dyn Clock,
    recipients: &Recipients,
    closed: &ClosedQuestion,
    tries: u32,
) -> Result<(), NotSaved> {
    let told = match recipients.get(&closed.agency) {
        Some(recipient) => post(client, recipient, closed, clock.now()).await,
        None => false,
    };
    let again = (!told).then(|| pause(clock.now(), tries)).flatten();
    if !told && again.is_none() {
        tracing::warn!(verification.id = %closed.id, agency.id = %closed.agency, "an agency could not be told of an outcome");
    }
    durable.noticed(closed.id, again).await
}

async fn post(client: &Client, recipient: &Recipient, closed: &ClosedQuestion, now: Timestamp) -> bool {
    let (id, moment, body) = (closed.id.to_string(), now.as_second(), closed.verification.to_string());
    let request = client.post(recipient.address.clone()).header("content-type", "application/json");
    let request = request.header("webhook-id", &id).header("webhook-timestamp", moment);
    let sent = request.header("webhook-signature", recipient.sign(&id, moment, &body)).body(body).send().await;
    sent.is_ok_and(|response| response.status().is_success())
}

/// When to try again; `None`: never.
fn pause(now: Timestamp, tries: u32) -> Option<Timestamp> {
    let seconds = 1_u32.checked_shl(tries.min(31)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    now.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok().filter(|_| tries < MOST_TRIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The value is what Python's hmac makes of the same.
        let secret = Zeroizing::new("0123456789abcdef0123456789abcdef".to_owned());
        let recipient = Recipient::new("https://agency.example/outcomes", &secret).unwrap();
        let signature = recipient.sign("0193f0e0-0000-7000-8000-000000000000", 1_700_000_000, "{}");
        assert_eq!(signature, "v1,if/fZobTrBcgOW/dxhTniVL7tlezsY6Vjc0WVKWMcHk=");
        assert_eq!(format!("{recipient:?}"), "Recipient(…)");
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_end() {
        let now = Timestamp::UNIX_EPOCH;
        let seconds = |tries| pause(now, tries).map(jiff::Timestamp::as_second);
        assert_eq!((seconds(0), seconds(3), seconds(20), seconds(36)), (Some(1), Some(8), Some(3600), None));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Recipient::new("https://agency.example/", &Zeroizing::new("short".to_owned())).is_err());
    }
}
