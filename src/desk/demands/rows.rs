use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::{KnownDemand, NewDemand, Wanted};
use crate::clock::day_of;
use crate::demands::{AgencyName, Counted, Demand, Demander, Facts, Number, State, Subject};
use crate::desk::DeskError;
use crate::domain::{AgencyId, ClosedList, Note};

/// Moments are microseconds since 1970, days are ISO 8601. What was recorded is not changed: only `state`, which follows from
/// the steps, is, and nothing goes before its time is over.
pub(super) const TABLES: &str = "
    CREATE TABLE demand_agencies (
        id INTEGER NOT NULL PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL -- as it was met first
    ) STRICT;

    CREATE TABLE demands (
        id BLOB NOT NULL PRIMARY KEY,
        form TEXT NOT NULL UNIQUE,
        committee TEXT NOT NULL,
        year INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        worker TEXT NOT NULL,
        recorded INTEGER NOT NULL,
        subject TEXT NOT NULL,
        agency INTEGER NOT NULL REFERENCES demand_agencies (id),
        name TEXT NOT NULL, -- as it was written
        kind TEXT NOT NULL,
        level TEXT NOT NULL,
        superior TEXT,
        demanded TEXT NOT NULL,
        said TEXT NOT NULL,
        note TEXT,
        basis TEXT NOT NULL,
        state TEXT NOT NULL,
        over INTEGER NOT NULL DEFAULT 0,
        UNIQUE (committee, year, sequence)
    ) STRICT;
    CREATE INDEX demands_by_day ON demands (demanded, id);
    CREATE INDEX demands_by_recorded ON demands (recorded);

    CREATE TABLE demand_steps (
        demand BLOB NOT NULL REFERENCES demands (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        form TEXT NOT NULL UNIQUE,
        entry TEXT NOT NULL,
        PRIMARY KEY (demand, position)
    ) STRICT;

    CREATE TABLE demand_figures (
        committee TEXT NOT NULL,
        year INTEGER NOT NULL,
        month INTEGER NOT NULL,
        agency INTEGER NOT NULL REFERENCES demand_agencies (id),
        subject TEXT NOT NULL,
        state TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (committee, year, month, agency, subject, state)
    ) STRICT;

    CREATE TRIGGER demands_stay BEFORE DELETE ON demands WHEN OLD.over = 0
        BEGIN SELECT RAISE(ABORT, 'a record stays until its time is over'); END;
    CREATE TRIGGER demands_stay_as_they_are BEFORE UPDATE OF id, form, committee, year, sequence, worker, recorded, subject,
        agency, name, kind, level, superior, demanded, said, note, basis ON demands
        BEGIN SELECT RAISE(ABORT, 'a record is not changed'); END;
    CREATE TRIGGER steps_stay BEFORE DELETE ON demand_steps
        WHEN EXISTS (SELECT 1 FROM demands WHERE id = OLD.demand AND over = 0)
        BEGIN SELECT RAISE(ABORT, 'a step stays as long as its record'); END;
    CREATE TRIGGER steps_stay_as_they_are BEFORE UPDATE ON demand_steps
        BEGIN SELECT RAISE(ABORT, 'a step is not changed'); END;
";

pub(super) fn insert(transaction: &Transaction<'_>, new: &NewDemand, now: Timestamp) -> Result<Uuid, DeskError> {
    let id = Uuid::now_v7();
    let (committee, facts, year) = (new.committee.to_string(), &new.facts, day_of(now).year());
    let sql = "SELECT coalesce(max(sequence), 0) + 1 FROM demands WHERE committee = ?1 AND year = ?2";
    let sequence: u32 = transaction.query_row(sql, params![committee, year], |row| row.get(0))?;
    let demander = &facts.demander;
    let (key, name) = (demander.name.key(), demander.name.as_str());
    let sql = "INSERT OR IGNORE INTO demand_agencies (key, name) VALUES (?1, ?2)";
    transaction.execute(sql, [key.as_str(), name])?;
    let sql = "SELECT id FROM demand_agencies WHERE key = ?1";
    let agency: i64 = transaction.query_row(sql, [key.as_str()], |row| row.get(0))?;
    let sql = "INSERT INTO demands (id, form, committee, year, sequence, worker, recorded, subject, agency, name, kind, level, \
               superior, demanded, said, note, basis, state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let values = params![
        id.into_bytes(),
        new.form,
        committee,
        year,
        sequence,
        new.worker,
        now.as_microsecond(),
        facts.subject.as_str(),
        agency,
        name,
        demander.kind.as_str(),
        demander.level.as_str(),
        demander.superior.as_ref().map(AgencyName::as_str),
        facts.on.to_string(),
        facts.said.as_str(),
        facts.note.as_ref().map(Note::as_str),
        facts.basis,
        State::Recorded.as_str(),
    ];
    transaction.execute(sql, values)?;
    Ok(id)
}

pub(super) fn known(connection: &Connection, id: Uuid) -> Result<Option<KnownDemand>, DeskError> {
    let sql = format!("SELECT {COLUMNS} FROM demands WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_row([id.into_bytes()], |row| Ok(demand(row))).optional()?;
    let Some((demand, _)) = found.transpose()? else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT entry FROM demand_steps WHERE demand = ?1 ORDER BY position")?;
    let rows = statement.query_map([id.into_bytes()], |row| row.get::<_, String>(0))?;
    let entry = |text: rusqlite::Result<String>| {
        serde_json::from_str(&text?).map_err(|_| DeskError::Altered("a step of a demand"))
    };
    let history = rows.map(entry).collect::<Result<_, _>>()?;
    Ok(Some(KnownDemand { demand, history }))
}

pub(super) struct Where {
    pub(super) clause: String,
    pub(super) values: Vec<Value>,
}

impl Wanted {
    pub(super) fn clause(&self) -> Where {
        let mut parts = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut also = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                parts.push(condition.replace('?', &format!("?{}", values.len())));
            }
        };
        also("committee = ?", self.committee.as_ref().map(|committee| committee.to_string().into()));
        also("substr(demanded, 1, 4) = ?", self.year.map(|year| format!("{year:04}").into()));
        also("substr(demanded, 6, 2) = ?", self.month.map(|month| format!("{month:02}").into()));
        also("subject = ?", self.subject.as_ref().map(|subject| subject.as_str().to_owned().into()));
        also("agency = ?", self.agency.map(Into::into));
        also("state = ?", self.state.map(|state| state.as_str().to_owned().into()));
        Where { clause: parts.join(" AND "), values }
    }
}

pub(super) const COLUMNS: &str = "id, committee, year, sequence, worker, recorded, subject, name, kind, level, superior, demanded, said, \
                       note, basis, state";

pub(super) fn demand(row: &Row<'_>) -> Result<(Demand, State), DeskError> {
    let note = row.get::<_, Option<String>>(13)?.map(TryInto::try_into).transpose().map_err(|_| altered())?;
    let superior = row.get::<_, Option<String>>(10)?.map(TryInto::try_into).transpose().map_err(|_| altered())?;
    let demander = Demander {
        name: row.get::<_, String>(7)?.try_into().map_err(|_| altered())?,
        kind: word(row, 8)?,
        level: word(row, 9)?,
        superior,
    };
    let facts = Facts {
        subject: Subject::named(&row.get::<_, String>(6)?).ok_or_else(altered)?,
        demander,
        on: row.get::<_, String>(11)?.parse().map_err(|_| altered())?,
        said: word(row, 12)?,
        note,
        basis: row.get(14)?,
    };
    let demand = Demand {
        id: Uuid::from_bytes(row.get(0)?),
        committee: AgencyId(row.get::<_, String>(1)?.parse().map_err(|_| altered())?),
        number: Number { year: row.get(2)?, sequence: row.get(3)? },
        worker: row.get(4)?,
        recorded: Timestamp::from_microsecond(row.get(5)?).map_err(|_| altered())?,
        facts,
    };
    Ok((demand, word(row, 15)?))
}

pub(super) fn counted(row: &Row<'_>, year: i16) -> Result<Counted, DeskError> {
    Ok(Counted {
        committee: AgencyId(row.get::<_, String>(0)?.parse().map_err(|_| altered())?),
        year,
        month: row.get(1)?,
        demander: row.get::<_, String>(2)?.try_into().map_err(|_| altered())?,
        subject: Subject::named(&row.get::<_, String>(3)?).ok_or_else(altered)?,
        state: word(row, 4)?,
        count: row.get(5)?,
    })
}

/// A word of a closed list.
fn word<T: ClosedList>(row: &Row<'_>, column: usize) -> Result<T, DeskError> {
    T::named(&row.get::<_, String>(column)?).ok_or_else(altered)
}

fn altered() -> DeskError {
    DeskError::Altered("a record of a demand")
}
