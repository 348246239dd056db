use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Account, Duty, Role, UserName};
use crate::domain::{AgencyId, holds_id_number};

/// How the claims of somebody whom another house has signed in become an account here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The claim that is the user's name, such as `preferred_username`.
    pub user_claim: String,
    /// The claim that is what colleagues call the person.
    pub name_claim: String,
    /// The claim that says what the person is there for: a text, or a list of them.
    pub role_claim: String,
    /// Which role each value of it means; no other value means any.
    pub roles: BTreeMap<String, Role>,
    /// The claim that names a committee's agency.
    pub agency_claim: Option<String>,
    /// Which agency each value of it means; `None`: the value is the agency's id.
    pub agencies: Option<BTreeMap<String, AgencyId>>,
}

/// Why somebody has no account here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    /// The claim of the user's name is missing, or cannot be one.
    #[error("the claim that names the user is missing, or is no user name")]
    User,
    /// No value of the claim of the role means one.
    #[error("no value of the claim that says the role means one")]
    NoRole,
    /// Its values mean several.
    #[error("the values of the claim that says the role mean several")]
    Roles,
    /// A committee's worker of no agency.
    #[error("the claim that names the agency is missing, or names none")]
    Agency,
}

/// The most characters of a person's name.
const LONGEST: usize = 50;

impl Directory {
    /// The account that these claims mean.
    ///
    /// # Errors
    /// Why they mean none.
    pub fn account(&self, claims: &Map<String, Value>) -> Result<Account, NoAccount> {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        let user: UserName = text(&self.user_claim).and_then(|user| user.parse().ok()).ok_or(NoAccount::User)?;
        let role = self.role(claims.get(&self.role_claim))?;
        let agency = if role == Role::Committee { Some(self.agency(claims)?) } else { None };
        let duty = Duty::new(role, agency).ok_or(NoAccount::Agency)?;
        let is_name = |name: &&str| {
            (1..=LONGEST).contains(&name.chars().count())
                && !name.chars().any(char::is_control)
                && !holds_id_number(name)
        };
        let name = text(&self.name_claim).map(str::trim).filter(is_name).unwrap_or(user.as_str()).to_owned();
        Ok(Account { user, name, duty })
    }

    fn role(&self, value: Option<&Value>) -> Result<Role, NoAccount> {
        let values: Vec<&str> = match value {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut roles: Vec<Role> = values.iter().filter_map(|value| self.roles.get(*value).copied()).collect();
        roles.sort_unstable();
        roles.dedup();
        match roles[..] {
            [] => Err(NoAccount::NoRole),
            [role] => Ok(role),
            _ => Err(NoAccount::Roles),
        }
    }

    fn agency(&self, claims: &Map<String, Value>) -> Result<AgencyId, NoAccount> {
        let claim = self.agency_claim.as_ref().ok_or(NoAccount::Agency)?;
        let value = claims.get(claim).and_then(Value::as_str).ok_or(NoAccount::Agency)?;
        let agency = match &self.agencies {
            Some(agencies) => agencies.get(value).cloned(),
            None => value.parse().ok().map(AgencyId),
        };
        agency.ok_or(NoAccount::Agency)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn directory() -> Directory {
        Directory {
            user_claim: "preferred_username".to_owned(),
            name_claim: "name".to_owned(),
            role_claim: "groups".to_owned(),
            roles: [("counter".to_owned(), Role::Committee), ("ops".to_owned(), Role::Operator)].into(),
            agency_claim: Some("org".to_owned()),
            agencies: None,
        }
    }

    fn account(claims: &Value) -> Result<Account, NoAccount> {
        directory().account(claims.as_object().unwrap())
    }

    #[test]
    fn claims_become_an_account_only_if_they_mean_one() {
        let claims = json!({"preferred_username": "Wang", "name": "王", "groups": ["x", "ops"]});
        let found = account(&claims).unwrap();
        assert_eq!((found.user.as_str(), found.name.as_str(), found.duty), ("wang", "王", Duty::Operator));
        let worker = json!({"preferred_username": "wang", "groups": "counter", "org": "hongqi"});
        let found = account(&worker).unwrap();
        assert_eq!((found.name.as_str(), found.duty.agency().unwrap().to_string()), ("wang", "hongqi".to_owned()));
        for (claims, why) in [
            (json!({"groups": "ops"}), NoAccount::User),
            (json!({"preferred_username": "11010519491231002X", "groups": "ops"}), NoAccount::User),
            (json!({"preferred_username": "wang"}), NoAccount::NoRole),
            (json!({"preferred_username": "wang", "groups": ["Ops", "admin"]}), NoAccount::NoRole),
            (json!({"preferred_username": "wang", "groups": ["counter", "ops"], "org": "a"}), NoAccount::Roles),
            (json!({"preferred_username": "wang", "groups": "counter"}), NoAccount::Agency),
            (json!({"preferred_username": "wang", "groups": "counter", "org": "No Agency"}), NoAccount::Agency),
        ] {
            assert_eq!(account(&claims), Err(why), "{claims}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_one_is_left_out() {
        for name in ["", " ", "a\nb", "11010519491231002X", &"长".repeat(51)] {
            let claims = json!({"preferred_username": "wang", "groups": "ops", "name": name});
            assert_eq!(account(&claims).unwrap().name, "wang", "{name:?}");
        }
    }
}
