use std::time::Duration;

use reqwest::Url;

use super::super::authentication::{
    Authentication, Cached, DIGEST_INPUTS, DigestOfFields, ExchangePlatform, OAuth2, Proof, Secret,
};
use super::super::template::Template;
use super::super::text::{AuthenticationText, DigestText, ProofText, SecretText};
use super::Loader;

const PLACE: &str = "/authentication";
const SECRET: &str = "/authentication/secret";

impl Loader<'_> {
    /// How we prove who we are.
    pub(super) fn authentication(&mut self, text: &AuthenticationText, address: &Url) -> Option<Authentication> {
        let proof = self.proof(&text.proof, address);
        let mut secret_headers = Vec::new();
        for (name, secret) in &text.secret_headers {
            let place = format!("{PLACE}/secret_headers/{name}");
            secret_headers.extend(self.header(&place, name).zip(self.secret(&place, secret)));
        }
        Some(Authentication { proof: proof?, secret_headers })
    }

    fn proof(&mut self, text: &ProofText, address: &Url) -> Option<Proof> {
        Some(match text {
            ProofText::None => Proof::None,
            ProofText::Header { name, secret } => {
                let (name, secret) = (self.header(&format!("{PLACE}/name"), name), self.secret(SECRET, secret));
                Proof::Header { name: name?, secret: secret? }
            }
            ProofText::Query { name, secret } => {
                Proof::Query { name: name.clone(), secret: self.secret(SECRET, secret)? }
            }
            ProofText::Bearer { secret } => Proof::Bearer { secret: self.secret(SECRET, secret)? },
            ProofText::Basic { user, secret } => {
                Proof::Basic { user: user.clone(), secret: self.secret(SECRET, secret)? }
            }
            ProofText::Oauth2 { token_path, client_id, secret, scope, credentials_in } => {
                let token_url = self.url_at("/authentication/token_path", address, token_path);
                let secret = self.secret(SECRET, secret);
                Proof::OAuth2(OAuth2 {
                    token_url: token_url?,
                    client_id: client_id.clone(),
                    secret: secret?,
                    scope: scope.clone(),
                    credentials_in: *credentials_in,
                    token: Cached::default(),
                })
            }
            ProofText::ExchangePlatform { prefix, requester, secret, key_path, key_service, key_at, refresh } => {
                let name = |suffix: &str| format!("{prefix}_{suffix}");
                let names = ["rid", "sid", "rtime", "sign"]
                    .map(|suffix| self.header(&format!("{PLACE}/prefix"), &name(suffix)));
                let [rid, sid, rtime, sign] = names;
                let requester = self.setting(&format!("{PLACE}/requester"), requester);
                let first_key = self.secret(SECRET, secret);
                let key_url = self.url_at(&format!("{PLACE}/key_path"), address, key_path);
                let refresh = match refresh {
                    Some(refresh) => self.duration(&format!("{PLACE}/refresh"), refresh),
                    None => Some(Duration::from_mins(30)),
                };
                Proof::ExchangePlatform(ExchangePlatform {
                    names: [rid?, sid?, rtime?, sign?],
                    requester: requester?,
                    first_key: first_key?,
                    key_url: key_url?,
                    key_service: key_service.clone(),
                    key_at: key_at.clone(),
                    refresh: refresh?,
                    key: Cached::default(),
                })
            }
            ProofText::Digest(digest) => Proof::Digest(self.digest(digest)?),
        })
    }

    fn digest(&mut self, text: &DigestText) -> Option<DigestOfFields> {
        let app_key = self.setting(&format!("{PLACE}/app_key"), &text.app_key);
        let secret = self.secret(SECRET, &text.secret);
        let is_known = |name: &str| DIGEST_INPUTS.contains(&name);
        let digested = Template::parse(&text.text, |name| is_known(name) && name != "sign", &DIGEST_INPUTS[..5]);
        let digested = self.keep(&format!("{PLACE}/text"), digested);
        let mut headers = Vec::new();
        for (name, template) in &text.headers {
            let place = format!("{PLACE}/headers/{name}");
            let template = Template::parse(template, |name| is_known(name) && name != "secret", &DIGEST_INPUTS);
            headers.extend(self.header(&place, name).zip(self.keep(&place, template)));
        }
        Some(DigestOfFields {
            algorithm: text.algorithm,
            app_key: app_key?,
            secret: secret?,
            text: digested?,
            encoding: text.encoding,
            headers,
        })
    }

    pub(super) fn secret(&mut self, place: &str, secret: &SecretText) -> Option<Secret> {
        match secret {
            SecretText::Variable { env } => {
                let value = (self.surroundings.variables)(env).filter(|value| !value.is_empty());
                let missing = || format!("the environment variable {env} is not set; it holds the secret");
                let kept = |value| Secret::kept(value, format!("the environment variable {env}"));
                self.keep(place, value.map(kept).ok_or_else(missing))
            }
            SecretText::File { file } => {
                let text = self.private(place, file)?;
                let text = std::str::from_utf8(&text).map_err(|_| format!("{file} is not UTF-8"));
                let trimmed = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
                self.keep(place, text).map(|text| Secret::kept(trimmed(text), format!("the file {file}")))
            }
        }
    }
}
