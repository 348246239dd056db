//! Layer 1: who may ask what. Deny by default: a claim is asked for a purpose only where one grant names both, on a day on which
//! that grant is valid, with everything that it demands.

mod minute;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::domain::{AgencyId, ClaimRef, Slug, SlugError};

pub use minute::Minute;

/// An agency (用证部门) with its grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// What it may ask.
    pub grants: Vec<Grant>,
    /// Whether it is told of outcomes that took longer.
    pub has_callback: bool,
}

/// These claims, for these purposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The claims.
    pub claims: Vec<ClaimPattern>,
    /// The purposes.
    pub purposes: Purposes,
    /// Whether a question is kept, where the agency wants that, while a department cannot be asked.
    pub keeps: bool,
    /// When, how and how often it may be used.
    pub terms: Terms,
    key: u128,
}

/// When, how and how often a grant may be used. The default sets no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// The first day on which it is valid, in Asia/Shanghai.
    pub valid_from: Option<Date>,
    /// The last day on which it is valid, in Asia/Shanghai.
    pub valid_until: Option<Date>,
    /// What a question must name.
    pub demands: Particulars,
    /// The most questions in any minute.
    pub per_minute: Option<u32>,
    /// The most questions in a day of Asia/Shanghai.
    pub per_day: Option<u32>,
}

/// Which particulars a question names, or a grant demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Particulars {
    /// The officer on whose behalf it is asked (经办人).
    pub officer: bool,
    /// The agency's own case number.
    pub case: bool,
    /// The legal basis of the demand.
    pub legal_basis: bool,
}

/// Which claims a grant covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPattern {
    /// `*`: every claim.
    Every,
    /// `matter/*`: every claim of a matter.
    Matter(Slug),
    /// `matter/claim`: this one.
    Claim(ClaimRef),
}

/// Which purposes a grant covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purposes {
    /// `*`: every purpose that the gateway knows.
    Every,
    /// These.
    These(Vec<Slug>),
}

/// What rights depend on in a question.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The claim.
    pub claim: &'a ClaimRef,
    /// The purpose.
    pub purpose: &'a Slug,
    /// What else it names.
    pub names: Particulars,
    /// Whether the agency wants it to be kept while a department cannot be asked.
    pub patient: bool,
}

/// A question may be asked: by these grants of the agency, the most permissive first, unless they are used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit<'a>(Vec<&'a Grant>);

/// A question is counted on a grant and may be asked now. Only a [`Permit`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    keeps: bool,
}

/// Why a question is refused. It speaks of the agency's own grants alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No grant covers the claim, for whatever purpose.
    Claim,
    /// The claim is granted, but not for this purpose.
    Purpose,
    /// It is granted, but not on this day.
    Day,
    /// It is granted to questions that name these, too.
    Missing(Particulars),
    /// As many were asked in the last minute as the grant allows.
    Rate(Exhausted),
    /// As many were asked today as the grant allows.
    Quota(Exhausted),
    /// How many were asked today cannot be read or kept, so nothing is asked.
    Uncounted,
}

/// What a grant allows is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// How many it allows.
    pub limit: u32,
    /// When there is room again.
    pub until: Timestamp,
}

/// Whether the agency may ask this at this moment. How often it has asked is counted elsewhere, on the permit's grants.
///
/// # Errors
/// What is not granted.
pub fn decide<'a>(agency: &'a Agency, asked: &Asked<'_>, now: Timestamp) -> Result<Permit<'a>, Refusal> {
    let mut grants: Vec<&Grant> = agency.grants.iter().filter(|grant| grant.covers(asked.claim)).collect();
    let mut narrow = |refusal: Refusal, keep: &dyn Fn(&Grant) -> bool| {
        grants.retain(|grant| keep(grant));
        if grants.is_empty() { Err(refusal) } else { Ok(()) }
    };
    narrow(Refusal::Claim, &|_| true)?;
    narrow(Refusal::Purpose, &|grant| grant.purposes.cover(asked.purpose))?;
    let today = clock::day_of(now);
    narrow(Refusal::Day, &|grant| grant.terms.is_valid_on(today))?;
    let missing = |grant: &Grant| grant.terms.demands.without(asked.names);
    // What is told is the least that would do.
    let least = grants.iter().map(|grant| missing(grant)).min_by_key(|missing| missing.count()).unwrap_or_default();
    grants.retain(|grant| missing(grant).count() == 0);
    if grants.is_empty() {
        return Err(Refusal::Missing(least));
    }
    let most = |limit: Option<u32>| Reverse(limit.unwrap_or(u32::MAX));
    let rank = |grant: &Grant| {
        let Terms { per_minute, per_day, .. } = grant.terms;
        (asked.patient && !grant.keeps, most(per_day), most(per_minute), !grant.keeps)
    };
    grants.sort_by_key(|grant| rank(grant));
    Ok(Permit(grants))
}

impl<'a> Permit<'a> {
    /// The grants, the most permissive first. There is always one.
    #[must_use]
    pub fn grants(&self) -> &[&'a Grant] {
        &self.0
    }

    /// The question is counted on this one of them.
    #[must_use]
    pub fn on(&self, grant: &Grant) -> Granted {
        Granted { keeps: grant.keeps }
    }
}

impl Granted {
    /// Whether the question may be kept while a department cannot be asked.
    #[must_use]
    pub fn keeps(self) -> bool {
        self.keeps
    }
}

impl Grant {
    /// A grant of these claims for these purposes, on these terms.
    #[must_use]
    pub fn new(claims: Vec<ClaimPattern>, purposes: Purposes, keeps: bool, terms: Terms) -> Self {
        let key = key(&claims, &purposes, terms.demands);
        Self { claims, purposes, keeps, terms, key }
    }

    /// What its questions are counted by, in its agency: the same as long as it grants the same and demands the same, whatever
    /// its days, its limits and its place in the file.
    #[must_use]
    pub fn key(&self) -> u128 {
        self.key
    }

    fn covers(&self, claim: &ClaimRef) -> bool {
        self.claims.iter().any(|pattern| pattern.covers(claim))
    }
}

fn key(claims: &[ClaimPattern], purposes: &Purposes, demands: Particulars) -> u128 {
    let mut parts: Vec<String> = claims.iter().map(|claim| format!("claim {claim}")).collect();
    match purposes {
        Purposes::Every => parts.push("purpose *".to_owned()),
        Purposes::These(purposes) => parts.extend(purposes.iter().map(|purpose| format!("purpose {purpose}"))),
    }
    parts.extend(demands.words().map(|word| format!("demand {word}")));
    parts.sort_unstable();
    parts.dedup();
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    digest.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}

impl Terms {
    /// Whether a grant on these terms is valid on this day of Asia/Shanghai.
    #[must_use]
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|first| first <= day) && self.valid_until.is_none_or(|last| day <= last)
    }
}

impl Particulars {
    /// Those that are here and not there.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            officer: self.officer && !other.officer,
            case: self.case && !other.case,
            legal_basis: self.legal_basis && !other.legal_basis,
        }
    }

    /// Their names in a grant.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [(self.officer, "officer"), (self.case, "case"), (self.legal_basis, "legal-basis")];
        all.into_iter().filter_map(|(is_there, word)| is_there.then_some(word))
    }

    fn count(self) -> usize {
        self.words().count()
    }
}

impl ClaimPattern {
    /// Whether the pattern covers this claim.
    #[must_use]
    pub fn covers(&self, claim: &ClaimRef) -> bool {
        match self {
            Self::Every => true,
            Self::Matter(matter) => *matter == claim.matter,
            Self::Claim(one) => one == claim,
        }
    }
}

impl std::fmt::Display for ClaimPattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Every => formatter.write_str("*"),
            Self::Matter(matter) => write!(formatter, "{matter}/*"),
            Self::Claim(claim) => claim.fmt(formatter),
        }
    }
}

impl std::str::FromStr for ClaimPattern {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            None if text == "*" => Ok(Self::Every),
            Some((matter, "*")) => Ok(Self::Matter(matter.parse()?)),
            _ => Ok(Self::Claim(text.parse()?)),
        }
    }
}

impl Purposes {
    fn cover(&self, purpose: &Slug) -> bool {
        match self {
            Self::Every => true,
            Self::These(purposes) => purposes.contains(purpose),
        }
    }
}
