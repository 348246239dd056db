//! Layer 1: the people who sign in to the pages: who they are, what they are there for, and what a password has to be.

mod attempts;
mod directory;
mod password;
mod user_name;

use std::fmt;
use std::str::FromStr;

use crate::domain::AgencyId;

pub use attempts::{Attempts, Origin};
pub use directory::{Directory, NoAccount};
pub use password::{Password, WeakPassword};
pub use user_name::{UserName, UserNameError};

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// By which the person signs in, and the officer of what is asked.
    pub user: UserName,
    /// As colleagues call the person.
    pub name: String,
    /// What the person is there for.
    pub duty: Duty,
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("duty", &self.duty).finish_non_exhaustive()
    }
}

/// What an account is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// At the counter of a committee: verifies on the grants of this agency.
    Committee(AgencyId),
    /// Keeps the gateway running.
    Operator,
    /// Follows up improper demands and reviews what committees decided.
    Supervisor,
}

impl Duty {
    /// The duty of a role; a committee's worker has an agency, and nobody else has.
    #[must_use]
    pub fn new(role: Role, agency: Option<AgencyId>) -> Option<Self> {
        match (role, agency) {
            (Role::Committee, Some(agency)) => Some(Self::Committee(agency)),
            (Role::Operator, None) => Some(Self::Operator),
            (Role::Supervisor, None) => Some(Self::Supervisor),
            (Role::Committee, None) | (Role::Operator | Role::Supervisor, Some(_)) => None,
        }
    }

    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Committee(_) => Role::Committee,
            Self::Operator => Role::Operator,
            Self::Supervisor => Role::Supervisor,
        }
    }

    /// The agency on whose grants it verifies.
    #[must_use]
    pub fn agency(&self) -> Option<&AgencyId> {
        match self {
            Self::Committee(agency) => Some(agency),
            Self::Operator | Self::Supervisor => None,
        }
    }
}

/// Which pages an account sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The counter's.
    Committee,
    /// The console's.
    Operator,
    /// Figures, and everybody's records.
    Supervisor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Committee, Self::Operator, Self::Supervisor];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committee => "committee",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is committee, operator or supervisor")]
pub struct RoleError;

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_belongs_to_a_committee_and_to_nobody_else() {
        let agency = || Some(AgencyId("a".parse().unwrap()));
        for role in Role::ALL {
            let is_committee = role == Role::Committee;
            assert_eq!(Duty::new(role, agency()).is_some(), is_committee);
            assert_eq!(Duty::new(role, None).is_some(), !is_committee);
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("Operator".parse::<Role>(), Err(RoleError));
    }
}
