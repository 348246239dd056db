//! Layer 1: the matters (证明事项), as data: what each is called, what happens instead of a certificate, and the claims that
//! answer it.

mod load;
mod policy;
pub mod triage;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::claims::Claim;
use crate::domain::{ClaimRef, Disposition, Slug};

pub use load::{CatalogFiles, CatalogSchemas};
pub use policy::{Bilingual, Policy, Retained, Transition};
pub use words::{ClaimWords, ParameterWords};

/// Everything that the city's policy says, and how to answer it: matters, their claims, and what committees still issue.
#[derive(Debug)]
pub struct Catalog {
    matters: Vec<Matter>,
    claims: BTreeMap<ClaimRef, Arc<Claim>>,
    policy: Policy,
    digest: Arc<str>,
}

impl Catalog {
    /// All matters, by number.
    #[must_use]
    pub fn matters(&self) -> &[Matter] {
        &self.matters
    }

    /// The matter with this id.
    #[must_use]
    pub fn matter(&self, id: &str) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.id.as_str() == id)
    }

    /// The claim with this name.
    #[must_use]
    pub fn claim(&self, reference: &ClaimRef) -> Option<&Arc<Claim>> {
        self.claims.get(reference)
    }

    /// All claims, by name.
    pub fn claims(&self) -> impl Iterator<Item = &Arc<Claim>> {
        self.claims.values()
    }

    /// What holds for all matters, and what committees still issue.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A digest of the rules: two catalogs with the same digest decide alike. `sha256:` and lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &Arc<str> {
        &self.digest
    }
}

/// One kind of certificate that somebody might demand.
#[derive(Debug)]
pub struct Matter {
    /// Its id.
    pub id: Slug,
    /// What its file says of it.
    pub text: MatterText,
    /// The questions behind the certificate.
    pub claims: Vec<ClaimEntry>,
}

/// A claim as the catalog lists it.
#[derive(Debug)]
pub struct ClaimEntry {
    /// The claim.
    pub claim: Arc<Claim>,
    /// What is true when it is.
    pub name: Bilingual<String>,
    /// How it is asked at a counter.
    pub words: ClaimWords,
}

/// What a matter's file says for people to read. The annex's own words are quoted as they are.
#[derive(Debug, Deserialize)]
pub struct MatterText {
    /// Its number in the annex.
    pub number: u32,
    /// The official name.
    pub name: String,
    /// The names in the official name's brackets.
    pub bracketed: Vec<String>,
    /// What people say at a counter.
    pub everyday: Vec<String>,
    /// What happens instead of a certificate.
    pub disposition: Disposition,
    /// Whether the fact is on departments' own records, and so no committee's duty (三（四）).
    #[serde(default)]
    pub held_by_departments: bool,
    /// The competent authorities.
    pub authorities: Vec<String>,
    /// 办事途径.
    pub route: String,
    /// Where it is written.
    pub citation: String,
    /// 除外.
    pub exceptions: Vec<String>,
    /// Words that, said by or of whoever demands the certificate, may mean an exception.
    #[serde(default)]
    pub exception_words: Vec<String>,
    /// What to do now.
    pub guidance: Vec<String>,
    /// The same in English.
    pub english: MatterEnglish,
    /// Documents that serve instead.
    #[serde(default)]
    pub documents: Vec<Document>,
}

impl MatterText {
    /// Whether what was said of a demand may mean that it is an exception.
    #[must_use]
    pub fn may_be_excepted(&self, said: &[&str]) -> bool {
        self.exception_words.iter().any(|word| said.iter().any(|said| said.contains(word.as_str())))
    }
}

/// A matter's name and guidance in English.
#[derive(Debug, Deserialize)]
pub struct MatterEnglish {
    /// The name.
    pub name: String,
    /// What to do now.
    pub guidance: Vec<String>,
}

/// A document that serves instead of a certificate.
#[derive(Debug, Deserialize, serde::Serialize)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Who reissues it when it is lost.
    pub reissued_by: String,
}
