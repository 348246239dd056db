//! Signing in by an OpenID Connect provider: `[oidc]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::door::is_safe_address;
use super::{Located, Reader, SecretPlace};
use crate::accounts::{Directory, Role};
use crate::callers::SignatureAlgorithm;
use crate::document::Document;

/// A provider, who we are to it, and what its claims mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Its name: the `iss` of its tokens, and where its description is found.
    pub issuer: String,
    /// What the button is called.
    pub name: String,
    /// Who we are to it.
    pub client: String,
    /// What shows that.
    pub secret: Located<SecretPlace>,
    /// Where it sends people back to.
    pub redirect: String,
    /// What it is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The file of authorities that its certificate must come from.
    pub ca: Option<Located<PathBuf>>,
    /// What its claims mean.
    pub directory: Directory,
}

/// Where people come back, behind the gateway's own address.
pub const OIDC_BACK: &str = "/sign-in/oidc/back";

#[derive(Deserialize)]
pub(super) struct RawOidc {
    issuer: String,
    name: String,
    client: String,
    secret: SecretPlace,
    redirect: String,
    #[serde(default)]
    scopes: Vec<String>,
    algorithms: Vec<SignatureAlgorithm>,
    ca: Option<PathBuf>,
    user_claim: String,
    #[serde(default = "name")]
    name_claim: String,
    role_claim: String,
    roles: BTreeMap<String, String>,
    agency_claim: Option<String>,
    agencies: Option<BTreeMap<String, String>>,
}

fn name() -> String {
    "name".to_owned()
}

impl Reader {
    pub(super) fn oidc(&mut self, document: &Document, raw: Option<&RawOidc>) -> Option<Oidc> {
        let raw = raw?;
        for (key, address) in [("issuer", &raw.issuer), ("redirect", &raw.redirect)] {
            if !is_safe_address(address) {
                let message =
                    format!("\"{address}\" is not a safe address: write https://, or http:// of this machine");
                self.errors.push(document.error(&format!("/oidc/{key}"), message));
            }
        }
        if !raw.redirect.ends_with(OIDC_BACK) {
            let message = format!("people come back at {OIDC_BACK} of the gateway's own address: end it so");
            self.errors.push(document.error("/oidc/redirect", message));
        }
        let mut roles = BTreeMap::new();
        for (value, role) in &raw.roles {
            let place = format!("/oidc/roles/{}", value.replace('~', "~0").replace('/', "~1"));
            let role = role.parse::<Role>().map_err(|error| document.error(&place, error.to_string()));
            if let Some(role) = self.keep(role) {
                roles.insert(value.clone(), role);
            }
        }
        if roles.values().any(|role| *role == Role::Committee) && raw.agency_claim.is_none() {
            let message = "a committee's worker verifies on the grants of an agency: agency_claim says of which";
            self.errors.push(document.error("/oidc/roles", message));
        }
        let agencies = raw.agencies.as_ref().map(|agencies| self.meanings(document, "/oidc", agencies));
        let directory = Directory {
            user_claim: raw.user_claim.clone(),
            name_claim: raw.name_claim.clone(),
            role_claim: raw.role_claim.clone(),
            roles,
            agency_claim: raw.agency_claim.clone(),
            agencies,
        };
        Some(Oidc {
            issuer: raw.issuer.clone(),
            name: raw.name.clone(),
            client: raw.client.clone(),
            secret: Located { value: raw.secret.clone(), place: document.error("/oidc/secret", "") },
            redirect: raw.redirect.clone(),
            scopes: raw.scopes.clone(),
            algorithms: raw.algorithms.clone(),
            ca: raw.ca.clone().map(|value| Located { value, place: document.error("/oidc/ca", "") }),
            directory,
        })
    }
}
