use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::hash::{PasswordHash, Work};
use super::unrecorded::{Hand, note};
use super::{Desk, DeskError, Part};
use crate::accounts::{Account, Duty, UserName};
use crate::domain::AgencyId;
use crate::ledger::Act;

pub(super) const PART: Part = Part { name: "accounts", steps: &[TABLES] };

/// Moments are microseconds since 1970. `version` grows with every change that ends sessions.
const TABLES: &str = "
    CREATE TABLE accounts (
        user TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        agency TEXT,
        salt BLOB, -- NULL: signs in by another way than a password
        hash BLOB,
        memory INTEGER,
        passes INTEGER,
        lanes INTEGER,
        created INTEGER NOT NULL,
        disabled INTEGER, -- NULL: may sign in
        signed_in INTEGER, -- NULL: never yet
        version INTEGER NOT NULL DEFAULT 1
    ) STRICT;
";

/// An account that is to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Whose it is.
    pub account: Account,
    /// Its password; `None`: its owner signs in by another way.
    pub password: Option<PasswordHash>,
}

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// Whose it is.
    pub account: Account,
    /// Its password; `None`: its owner signs in by another way.
    pub password: Option<PasswordHash>,
    /// When it was made.
    pub created: Timestamp,
    /// Since when nobody can sign in with it; `None`: somebody can.
    pub disabled: Option<Timestamp>,
    /// When somebody last signed in with it.
    pub signed_in: Option<Timestamp>,
    /// Another number after each change that ends sessions.
    pub version: i64,
}

impl Desk {
    /// Makes an account. Says `false` if there is one of this user. A hand is noted, for the ledger, with what it changes;
    /// whoever gives none has recorded it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn add_account(&self, new: NewAccount, now: Timestamp, hand: Option<Hand>) -> Result<bool, DeskError> {
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let NewAccount { account, password } = new;
            let sql = "INSERT OR IGNORE INTO accounts \
                       (user, name, role, agency, salt, hash, memory, passes, lanes, created) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let hash = password.as_ref();
            let work = hash.map(|hash| hash.work);
            let values = params![
                account.user.as_str(),
                account.name,
                account.duty.role().as_str(),
                account.duty.agency().map(ToString::to_string),
                hash.map(|hash| hash.salt),
                hash.map(|hash| hash.hash),
                work.map(|work| work.memory),
                work.map(|work| work.passes),
                work.map(|work| work.lanes),
                now.as_microsecond(),
            ];
            let is_new = transaction.execute(sql, values)? == 1;
            if is_new {
                note(&transaction, hand.as_ref(), Act::NewAccount, &account.user)?;
            }
            transaction.commit()?;
            Ok(is_new)
        })
        .await
    }

    /// The account of a user.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn account(&self, user: &UserName) -> Result<Option<KnownAccount>, DeskError> {
        let user = user.clone();
        self.run(move |connection| {
            let sql = format!("{SELECT} WHERE user = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([user.as_str()], |row| Ok(known(row))).optional()?.transpose()
        })
        .await
    }

    /// All accounts, by user.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn accounts(&self) -> Result<Vec<KnownAccount>, DeskError> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY user"))?;
            let rows = statement.query_map([], |row| Ok(known(row)))?;
            rows.map(|row| row?).collect()
        })
        .await
    }

    /// Lets nobody sign in with an account any more, or lets somebody again; its sessions end. Says whether there is one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn disable_account(
        &self,
        user: &UserName,
        since: Option<Timestamp>,
        hand: Option<Hand>,
    ) -> Result<bool, DeskError> {
        let user = user.clone();
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "UPDATE accounts SET disabled = ?2, version = version + 1 WHERE user = ?1";
            let values = params![user.as_str(), since.map(Timestamp::as_microsecond)];
            let is_there = transaction.execute(sql, values)? == 1;
            if is_there {
                let act = if since.is_some() { Act::DisableAccount } else { Act::EnableAccount };
                note(&transaction, hand.as_ref(), act, &user)?;
            }
            transaction.commit()?;
            Ok(is_there)
        })
        .await
    }

    /// Gives an account another password; its sessions end. The result is its version from then on; `None`: there is no such
    /// account.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_password(
        &self,
        user: &UserName,
        password: PasswordHash,
        hand: Option<Hand>,
    ) -> Result<Option<i64>, DeskError> {
        let user = user.clone();
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version = write_password(&transaction, &user, &password, "version + 1")?;
            if version.is_some() {
                note(&transaction, hand.as_ref(), Act::ChangePassword, &user)?;
            }
            transaction.commit()?;
            Ok(version)
        })
        .await
    }

    /// Takes in somebody whom another house has signed in: makes the account, or brings it up to date. Sessions end if its duty
    /// changes. `None`: there is an account of this user that has a password here, and is nobody else's.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn admit(&self, account: Account, now: Timestamp) -> Result<Option<KnownAccount>, DeskError> {
        let user = account.user.clone();
        let admitted = self
            .run(move |connection| {
                let sql = "INSERT INTO accounts (user, name, role, agency, created) VALUES (?1, ?2, ?3, ?4, ?5) \
                           ON CONFLICT (user) DO UPDATE SET name = ?2, role = ?3, agency = ?4, \
                           version = version + (role <> ?3 OR agency IS NOT ?4) WHERE salt IS NULL";
                let agency = account.duty.agency().map(ToString::to_string);
                let role = account.duty.role().as_str();
                let values = params![account.user.as_str(), account.name, role, agency, now.as_microsecond()];
                Ok(connection.execute(sql, values)? == 1)
            })
            .await?;
        if admitted { self.account(&user).await } else { Ok(None) }
    }

    /// Keeps another hash of the same password; sessions go on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_hash(&self, user: &UserName, harder: PasswordHash) -> Result<(), DeskError> {
        let user = user.clone();
        self.run(move |connection| write_password(connection, &user, &harder, "version").map(drop)).await
    }

    /// Notes that somebody signed in.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn signed_in(&self, user: &UserName, now: Timestamp) -> Result<(), DeskError> {
        let user = user.clone();
        self.run(move |connection| {
            let sql = "UPDATE accounts SET signed_in = ?2 WHERE user = ?1";
            connection.execute(sql, params![user.as_str(), now.as_microsecond()])?;
            Ok(())
        })
        .await
    }
}

fn write_password(
    connection: &Connection,
    user: &UserName,
    password: &PasswordHash,
    version: &str,
) -> Result<Option<i64>, DeskError> {
    let sql = format!(
        "UPDATE accounts SET salt = ?2, hash = ?3, memory = ?4, passes = ?5, lanes = ?6, version = {version} \
         WHERE user = ?1 RETURNING version"
    );
    let PasswordHash { salt, hash, work: Work { memory, passes, lanes } } = password;
    let values = params![user.as_str(), salt, hash, memory, passes, lanes];
    Ok(connection.query_row(&sql, values, |row| row.get(0)).optional()?)
}

const SELECT: &str = "SELECT user, name, role, agency, salt, hash, memory, passes, lanes, created, disabled, signed_in, \
                      version FROM accounts";

fn known(row: &Row<'_>) -> Result<KnownAccount, DeskError> {
    let altered = || DeskError::Altered("an account");
    let user: String = row.get(0)?;
    let (role, agency): (String, Option<String>) = (row.get(2)?, row.get(3)?);
    let agency = agency.map(|agency| agency.parse().map(AgencyId)).transpose().map_err(|_| altered())?;
    let duty = role.parse().ok().and_then(|role| Duty::new(role, agency)).ok_or_else(altered)?;
    let account = Account { user: user.parse().map_err(|_| altered())?, name: row.get(1)?, duty };
    let password = match (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?) {
        (Some(salt), Some(hash), Some(memory), Some(passes), Some(lanes)) => {
            Some(PasswordHash { salt, hash, work: Work { memory, passes, lanes } })
        }
        (None, None, None, None, None) => None,
        _ => return Err(altered()),
    };
    let moment = |micros: i64| Timestamp::from_microsecond(micros).map_err(|_| altered());
    let optional = |micros: Option<i64>| micros.map(moment).transpose();
    Ok(KnownAccount {
        account,
        password,
        created: moment(row.get(9)?)?,
        disabled: optional(row.get(10)?)?,
        signed_in: optional(row.get(11)?)?,
        version: row.get(12)?,
    })
}
