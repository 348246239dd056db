//! The pages of people: `[pages]`.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::door::is_safe_address;
use super::{PlainHttp, Reader};
use crate::document::Document;

/// How long sessions last, and how clients are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// How long a session lasts without a page being asked for.
    pub idle: Duration,
    /// How long it lasts at the most.
    pub longest: Duration,
    /// Whether the proxy before the gateway says from where a request comes, in the last entry of `X-Forwarded-For`.
    pub forwarded_for: bool,
    /// Where whoever holds a paper finds the gateway, such as `https://heyan.example.gov.cn`. `None`: where the worker has found it.
    pub address: Option<Arc<str>>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { idle: Duration::from_mins(15), longest: Duration::from_hours(8), forwarded_for: false, address: None }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawPages {
    idle: Option<String>,
    longest: Option<String>,
    forwarded_for: bool,
    address: Option<String>,
}

impl Reader {
    pub(super) fn pages(&mut self, document: &Document, raw: &RawPages, plain: PlainHttp) -> Pages {
        let standard = Pages::default();
        let within = Duration::from_secs(1)..=Duration::from_hours(24);
        let mut length = |name: &str, text: Option<&String>, default: Duration| {
            let Some(text) = text else { return default };
            self.length(document, &format!("/pages/{name}"), text, within.clone()).unwrap_or(default)
        };
        let idle = length("idle", raw.idle.as_ref(), standard.idle);
        let longest = length("longest", raw.longest.as_ref(), standard.longest);
        if idle > longest {
            let place = if raw.idle.is_some() { "/pages/idle" } else { "/pages/longest" };
            self.errors.push(document.error(place, "\"idle\" is longer than \"longest\""));
        }
        if raw.forwarded_for && plain != PlainHttp::BehindTlsProxy {
            let message = "anybody could write X-Forwarded-For where there is no proxy: this needs [server] plain_http = \
                           \"behind-a-tls-proxy\"";
            self.errors.push(document.error("/pages/forwarded_for", message));
        }
        let is_origin = |address: &&String| {
            let host = address.split_once("://").map_or("", |(_, host)| host);
            is_safe_address(address)
                && !host.contains(['/', '?', '#', '@'])
                && address.chars().all(|one| one.is_ascii_graphic())
        };
        if let Some(address) = raw.address.as_ref().filter(|address| !is_origin(address)) {
            let message = format!(
                "\"{address}\" is not where people find the gateway: write it such as https://heyan.example.gov.cn, without a path"
            );
            self.errors.push(document.error("/pages/address", message));
        }
        let address = raw.address.as_deref().map(Into::into);
        Pages { idle, longest, forwarded_for: raw.forwarded_for, address }
    }
}
