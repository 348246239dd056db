//! What a source's file lets others see. It is told and not refused, because a department may offer nothing else; a word in the file
//! says that somebody has thought of it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use reqwest::Url;

use super::super::Operation;
use super::super::request::RequestTemplate;
use super::super::text::{Exposure, ProofText, SourceText};
use super::Loader;
use crate::domain::Slug;

/// The inputs that say whom a question is about.
const PERSONAL: [&str; 4] = ["id_number", "name", "birth_date", "birth_date_basic"];

const IN_THE_CLEAR: &str = "requests go there in the clear: whoever is on the way reads whom they are about, and can answer them. \
    Write https://; where the department has no TLS and the line is protected otherwise, write allow = [\"plain-http\"] in this file";

impl Loader<'_> {
    /// Notes what others can see.
    pub(super) fn exposed(&mut self, text: &SourceText, address: &Url, operations: &BTreeMap<Slug, Operation>) {
        if !text.allow.contains(&Exposure::PlainHttp) {
            if is_open(address) {
                self.warn("/address", IN_THE_CLEAR);
            }
            let (place, path) = match &text.authentication.proof {
                ProofText::Oauth2 { token_path, .. } => ("/authentication/token_path", token_path.as_str()),
                ProofText::ExchangePlatform { key_path, .. } => ("/authentication/key_path", key_path.as_str()),
                _ => ("/authentication", ""),
            };
            // One that is no address of its own lies behind the source's.
            if Url::parse(path).is_ok_and(|url| is_open(&url)) {
                self.warn(place, IN_THE_CLEAR);
            }
        }
        if !text.allow.contains(&Exposure::PersonalUrl) {
            for (name, operation) in operations {
                self.personal(&format!("/operations/{name}"), &operation.exchange.request);
                if let Some(fetch) = &operation.fetch {
                    self.personal(&format!("/operations/{name}/fetch"), &fetch.exchange.request);
                }
            }
        }
    }

    fn personal(&mut self, place: &str, request: &RequestTemplate) {
        let query = request.query.iter().map(|(name, template)| (format!("{place}/query/{name}"), template));
        for (place, template) in std::iter::once((format!("{place}/path"), &request.path)).chain(query) {
            if let Some(input) = template.inputs().find(|input| PERSONAL.contains(input)) {
                self.warn(
                    &place,
                    format!(
                        "{{{input}}} stands in the address of each request, and so in the access logs of the department and of \
                         every proxy on the way. Let it travel in a body; where the department takes it nowhere else, write \
                         allow = [\"personal-url\"] in this file"
                    ),
                );
            }
        }
    }

    fn warn(&mut self, place: &str, message: impl Into<String>) {
        self.warnings.push(self.document.error(place, message));
    }
}

/// Whether requests leave this machine in the clear.
fn is_open(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    let is_here =
        host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|host| host.is_loopback());
    address.scheme() == "http" && !is_here
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_is_asked_in_the_clear_and_no_other_is() {
        let is_open = |address: &str| super::is_open(&address.parse().unwrap());
        for open in ["http://10.0.0.1/", "http://police.example:9101", "http://127.0.0.1.example", "http://[::2]"] {
            assert!(is_open(open), "{open}");
        }
        for well in
            ["https://10.0.0.1", "http://127.0.0.1:9101/api", "http://127.8.0.1", "http://localhost", "http://[::1]:1"]
        {
            assert!(!is_open(well), "{well}");
        }
    }
}
