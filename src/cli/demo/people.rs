//! Who may sign in to the demo's pages.

use anyhow::anyhow;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Failure, member};
use crate::accounts::{Account, Duty, Password, Role};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Member;
use crate::desk::{Desk, NewAccount, PasswordHash};
use crate::domain::AgencyId;

/// Somebody of the demo, with a password that is shown once.
pub(super) struct Person {
    role: Role,
    user: String,
    password: Zeroizing<String>,
}

/// The committee on whose grants the demo's worker verifies.
const COMMITTEE: &str = "demo-committee";

pub(super) fn committee() -> Result<Member, Failure> {
    member(COMMITTEE, "演示社区居民委员会")
}

/// Makes an account of each role. Where an earlier demo has made it in the same folder, it gets a new password.
pub(super) fn move_in(desk: &Desk) -> Result<Vec<Person>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut people = Vec::new();
        for (role, user, name) in [
            (Role::Committee, "committee", "李主任"),
            (Role::Operator, "operator", "值班员"),
            (Role::Supervisor, "supervisor", "监督员"),
        ] {
            let password = password()?;
            let agency = (role == Role::Committee).then(|| COMMITTEE.parse().map(AgencyId)).transpose();
            let duty = Duty::new(role, agency.map_err(|_| anyhow!("no id"))?).ok_or_else(|| anyhow!("no duty"))?;
            let account = Account { user: user.parse()?, name: name.to_owned(), duty };
            let (whose, hash) = (account.user.clone(), PasswordHash::of(&Password::new(&password))?);
            let new = NewAccount { account, password: Some(hash.clone()) };
            if !desk.add_account(new, SystemClock.now(), None).await? {
                desk.set_password(&whose, hash, None).await?;
                desk.disable_account(&whose, None, None).await?;
            }
            people.push(Person { role, user: user.to_owned(), password });
        }
        Ok(people)
    })
}

impl Person {
    pub(super) fn json(&self) -> Value {
        json!({"role": self.role.as_str(), "user": self.user, "password": *self.password})
    }

    pub(super) fn line(&self) -> String {
        format!("{:<14} {}", self.user, *self.password)
    }
}

/// Four groups of four characters that nobody takes for others: 80 bits.
fn password() -> Result<Zeroizing<String>, Failure> {
    const CHARACTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = Zeroizing::new([0_u8; 16]);
    getrandom::fill(&mut *bytes)?;
    let mut password = Zeroizing::new(String::with_capacity(19));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            password.push('-');
        }
        password.push(char::from(CHARACTERS[usize::from(byte % 32)]));
    }
    Ok(password)
}
