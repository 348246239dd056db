use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{Desk, DeskError, Part};
use crate::accounts::UserName;
use crate::ledger::{Act, Administration};

pub(super) const PART: Part = Part { name: "unrecorded", steps: &[TABLES] };

/// What another process than the gateway has changed, until the gateway has recorded it: one process alone writes the ledger.
const TABLES: &str = "
    CREATE TABLE unrecorded (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        act TEXT NOT NULL,
        by TEXT NOT NULL,
        object TEXT NOT NULL
    ) STRICT;
";

/// Who changes an account from outside the gateway, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// As the ledger is to name him.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A change that the ledger does not hold yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    id: i64,
    /// Who has done it, and when.
    pub hand: Hand,
    /// What it is.
    pub what: Administration,
}

impl Desk {
    /// Changes that the ledger does not hold yet, the oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn unrecorded(&self) -> Result<Vec<Unrecorded>, DeskError> {
        self.run(|connection| {
            let sql = "SELECT id, at, act, by, object FROM unrecorded ORDER BY id LIMIT 100";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?, row.get::<_, String>(4)?))
            })?;
            let read = |row: rusqlite::Result<(i64, i64, String, String, String)>| {
                let (id, at, act, by, object) = row?;
                let altered = || DeskError::Altered("a change that is to be recorded");
                let act = Act::ALL.into_iter().find(|known| known.as_str() == act).ok_or_else(altered)?;
                let at = Timestamp::from_microsecond(at).map_err(|_| altered())?;
                let what = Administration { act, object: Some(object.into()), reason: None, until: None };
                Ok(Unrecorded { id, hand: Hand { by, at }, what })
            };
            rows.map(read).collect()
        })
        .await
    }

    /// Forgets a change that the ledger holds now. A crash before that records it once more.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn is_recorded(&self, change: &Unrecorded) -> Result<(), DeskError> {
        let id = change.id;
        self.run(move |connection| {
            connection.execute("DELETE FROM unrecorded WHERE id = ?1", [id])?;
            Ok(())
        })
        .await
    }
}

/// Notes a change in the transaction that makes it.
pub(super) fn note(
    transaction: &Transaction<'_>,
    hand: Option<&Hand>,
    act: Act,
    user: &UserName,
) -> Result<(), DeskError> {
    let Some(Hand { by, at }) = hand else { return Ok(()) };
    let sql = "INSERT INTO unrecorded (at, act, by, object) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![at.as_microsecond(), act.as_str(), by, user.as_str()])?;
    Ok(())
}
