//! Layer 1: who may ask what. Deny by default: a claim is asked for a purpose only where one grant names both.

use crate::domain::{AgencyId, ClaimRef, Slug};

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
}

/// What is granted for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Whether it may be kept while a department cannot be asked.
    pub keeps: bool,
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

/// Which part of a question no grant covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The claim, for whatever purpose.
    Claim,
    /// The claim is granted, but not for this purpose.
    Purpose,
}

/// Whether the agency may ask this claim for this purpose.
///
/// # Errors
/// What is not granted.
pub fn decide(agency: &Agency, claim: &ClaimRef, purpose: &Slug) -> Result<Permit, Refusal> {
    let covers = |grant: &&Grant| grant.claims.iter().any(|pattern| pattern.covers(claim));
    let mut covering = agency.grants.iter().filter(covers).peekable();
    if covering.peek().is_none() {
        return Err(Refusal::Claim);
    }
    let granted = covering.filter(|grant| grant.purposes.cover(purpose)).map(|grant| grant.keeps);
    granted.reduce(|one, other| one || other).map(|keeps| Permit { keeps }).ok_or(Refusal::Purpose)
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
    type Err = crate::domain::SlugError;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn agency(grants: &[(&str, &[&str])]) -> Agency {
        let grant = |(claims, purposes): &(&str, &[&str])| Grant {
            claims: vec![claims.parse().unwrap()],
            purposes: match purposes {
                ["*"] => Purposes::Every,
                purposes => Purposes::These(purposes.iter().map(|purpose| purpose.parse().unwrap()).collect()),
            },
            keeps: false,
        };
        Agency {
            id: AgencyId("fund".parse().unwrap()),
            name: "住房公积金管理中心".to_owned(),
            grants: grants.iter().map(grant).collect(),
            has_callback: false,
        }
    }

    fn ask(agency: &Agency, claim: &str, purpose: &str) -> Result<(), Refusal> {
        decide(agency, &claim.parse().unwrap(), &purpose.parse().unwrap()).map(|permit| assert!(!permit.keeps))
    }

    #[test]
    fn nothing_is_allowed_that_no_grant_names() {
        assert_eq!(ask(&agency(&[]), "alive/alive", "pension"), Err(Refusal::Claim));
        let agency = agency(&[("alive/alive", &["pension"]), ("marital-status/*", &["housing"])]);
        assert_eq!(ask(&agency, "alive/alive", "pension"), Ok(()));
        assert_eq!(ask(&agency, "alive/alive", "housing"), Err(Refusal::Purpose));
        assert_eq!(ask(&agency, "marital-status/spouses", "housing"), Ok(()));
        assert_eq!(ask(&agency, "marital-status/spouses", "pension"), Err(Refusal::Purpose));
        assert_eq!(ask(&agency, "death/died", "pension"), Err(Refusal::Claim));
    }

    #[test]
    fn patterns_read_as_they_print() {
        for text in ["*", "alive/*", "alive/alive"] {
            assert_eq!(text.parse::<ClaimPattern>().unwrap().to_string(), text);
        }
        assert!("alive".parse::<ClaimPattern>().is_err());
    }
}
