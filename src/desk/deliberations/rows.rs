use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Draft, KnownDeliberation};
use crate::demands::Number;
use crate::desk::DeskError;
use crate::domain::{AgencyId, ClosedList as _};
use crate::transition::{Review, Verdict};

/// Moments are microseconds since 1970. A draft changes until it is decided; what was decided and reviewed does not.
pub(super) const TABLES: &str = "
    CREATE TABLE deliberation_drafts (
        id BLOB NOT NULL PRIMARY KEY,
        form TEXT NOT NULL UNIQUE,
        committee TEXT NOT NULL,
        worker TEXT NOT NULL,
        matter TEXT NOT NULL,
        answers TEXT NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE deliberations (
        id BLOB NOT NULL PRIMARY KEY, -- its draft's
        committee TEXT NOT NULL,
        year INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        worker TEXT NOT NULL,
        matter TEXT NOT NULL,
        answers TEXT NOT NULL,
        checkable INTEGER NOT NULL,
        decision TEXT NOT NULL,
        may INTEGER NOT NULL,
        decided INTEGER NOT NULL,
        over INTEGER NOT NULL DEFAULT 0,
        UNIQUE (committee, year, sequence)
    ) STRICT;
    CREATE INDEX deliberations_by_day ON deliberations (decided, id);

    CREATE TABLE deliberation_reviews (
        deliberation BLOB NOT NULL REFERENCES deliberations (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        form TEXT NOT NULL UNIQUE,
        user TEXT NOT NULL,
        at INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        note TEXT,
        PRIMARY KEY (deliberation, position)
    ) STRICT;

    CREATE TABLE deliberation_figures (
        committee TEXT NOT NULL,
        year INTEGER NOT NULL,
        matter TEXT NOT NULL,
        may INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (committee, year, matter, may)
    ) STRICT;

    CREATE TRIGGER deliberations_stay BEFORE DELETE ON deliberations WHEN OLD.over = 0
        BEGIN SELECT RAISE(ABORT, 'a record stays until its time is over'); END;
    CREATE TRIGGER deliberations_stay_as_they_are BEFORE UPDATE OF id, committee, year, sequence, worker, matter, answers,
        checkable, decision, may, decided ON deliberations
        BEGIN SELECT RAISE(ABORT, 'a record is not changed'); END;
    CREATE TRIGGER reviews_stay BEFORE DELETE ON deliberation_reviews
        WHEN EXISTS (SELECT 1 FROM deliberations WHERE id = OLD.deliberation AND over = 0)
        BEGIN SELECT RAISE(ABORT, 'a review stays as long as its record'); END;
    CREATE TRIGGER reviews_stay_as_they_are BEFORE UPDATE ON deliberation_reviews
        BEGIN SELECT RAISE(ABORT, 'a review is not changed'); END;
";

pub(super) const COLUMNS: &str = "id, committee, year, sequence, worker, matter, answers, checkable, decision, decided";

pub(super) fn known(row: &Row<'_>) -> Result<KnownDeliberation, DeskError> {
    Ok(KnownDeliberation {
        id: Uuid::from_bytes(row.get(0)?),
        committee: AgencyId(row.get::<_, String>(1)?.parse().map_err(|_| altered())?),
        number: Number { year: row.get(2)?, sequence: row.get(3)? },
        worker: row.get(4)?,
        matter: row.get::<_, String>(5)?.parse().map_err(|_| altered())?,
        answers: read(&row.get::<_, String>(6)?)?,
        checkable: row.get(7)?,
        decision: read(&row.get::<_, String>(8)?)?,
        decided: Timestamp::from_microsecond(row.get(9)?).map_err(|_| altered())?,
        reviews: Vec::new(),
    })
}

pub(super) fn reviews(connection: &Connection, id: Uuid) -> Result<Vec<Review>, DeskError> {
    let sql = "SELECT user, at, verdict, note FROM deliberation_reviews WHERE deliberation = ?1 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([id.into_bytes()], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, Option<String>>(3)?))
    })?;
    rows.map(|row| {
        let (user, at, verdict, note) = row?;
        Ok(Review {
            user,
            at: Timestamp::from_microsecond(at).map_err(|_| altered())?,
            verdict: Verdict::named(&verdict).ok_or_else(altered)?,
            note: note.map(TryInto::try_into).transpose().map_err(|_| altered())?,
        })
    })
    .collect()
}

pub(super) fn draft(connection: &Connection, id: Uuid) -> Result<Option<Draft>, DeskError> {
    let sql = "SELECT committee, worker, matter, answers FROM deliberation_drafts WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let read_row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Option<(String, String, String, String)> =
        statement.query_row([id.into_bytes()], read_row).optional()?;
    let Some((committee, worker, matter, answers)) = found else { return Ok(None) };
    let committee = AgencyId(committee.parse().map_err(|_| altered())?);
    Ok(Some(Draft { id, committee, worker, matter: matter.parse().map_err(|_| altered())?, answers: read(&answers)? }))
}

pub(super) fn write(value: &impl Serialize) -> Result<String, DeskError> {
    serde_json::to_string(value).map_err(|_| altered())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, DeskError> {
    serde_json::from_str(text).map_err(|_| altered())
}

pub(super) fn altered() -> DeskError {
    DeskError::Altered("a record of the transitional rule")
}
