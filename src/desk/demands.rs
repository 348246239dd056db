mod rows;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use uuid::Uuid;

use super::{Desk, DeskError, Part};
use crate::demands::{Counted, Demand, Entry, Facts, Refused, State, Subject, append, state};
use crate::domain::{AgencyId, ClosedList as _};

use rows::{COLUMNS, Where, counted, demand, insert, known};

pub(super) const PART: Part = Part { name: "demands", steps: &[rows::TABLES] };

/// A record that is to be made.
#[derive(Debug, Clone)]
pub struct NewDemand {
    /// The form's id: a form makes one record.
    pub form: String,
    /// The committee.
    pub committee: AgencyId,
    /// The worker.
    pub worker: String,
    /// What it says.
    pub facts: Facts,
}

/// A record with its follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDemand {
    /// The record.
    pub demand: Demand,
    /// Every step that was entered, oldest first.
    pub history: Vec<Entry>,
}

/// A step that is to be entered.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// The form's id: a form enters one step.
    pub form: String,
    /// How many steps its writer had seen.
    pub seen: usize,
    /// The step.
    pub entry: Entry,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// It is entered, by this form or by the same one before.
    Entered(State),
    /// It may not be.
    Refused(Refused),
    /// Somebody else has entered a step meanwhile.
    Moved,
    /// There is no such record.
    Gone,
}

/// Which records are wanted. `None`: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this committee.
    pub committee: Option<AgencyId>,
    /// Demanded in this year.
    pub year: Option<i16>,
    /// In this month of it.
    pub month: Option<i8>,
    /// About this.
    pub subject: Option<Subject>,
    /// By the agency of this number.
    pub agency: Option<i64>,
    /// Which stand so.
    pub state: Option<State>,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Agencies that demanded, with their numbers, by name.
    pub agencies: Vec<(i64, String)>,
    /// Authorities above them, by name.
    pub superiors: Vec<String>,
    /// Years of which there is something, latest first.
    pub years: Vec<i16>,
    /// The committees that recorded, by id.
    pub committees: Vec<String>,
}

impl Desk {
    /// Makes a record, or finds the one that this form has made.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn record_demand(&self, new: NewDemand, now: Timestamp) -> Result<Uuid, DeskError> {
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "SELECT id FROM demands WHERE form = ?1";
            if let Some(known) =
                transaction.query_row(sql, [&new.form], |row| row.get(0).map(Uuid::from_bytes)).optional()?
            {
                return Ok(known);
            }
            let id = insert(&transaction, &new, now)?;
            transaction.commit()?;
            Ok(id)
        })
        .await
    }

    /// A record by its id. Whose it is is for the caller to compare.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn demand(&self, id: Uuid) -> Result<Option<KnownDemand>, DeskError> {
        self.run(move |connection| known(connection, id)).await
    }

    /// Enters a step, if it follows.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn follow_up(&self, id: Uuid, new: NewStep, today: Date) -> Result<Followed, DeskError> {
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(known) = known(&transaction, id)? else { return Ok(Followed::Gone) };
            let sql = "SELECT count(*) FROM demand_steps WHERE form = ?1 AND demand = ?2";
            if transaction.query_row(sql, params![new.form, id.into_bytes()], |row| row.get::<_, i64>(0))? > 0 {
                return Ok(Followed::Entered(state(&known.history)));
            }
            if known.history.len() != new.seen {
                return Ok(Followed::Moved);
            }
            let now = match append(&known.demand, &known.history, &new.entry, today) {
                Ok(now) => now,
                Err(refused) => return Ok(Followed::Refused(refused)),
            };
            let entry = serde_json::to_string(&new.entry).map_err(|_| DeskError::Altered("a step"))?;
            let sql = "INSERT INTO demand_steps (demand, position, form, entry) VALUES (?1, ?2, ?3, ?4)";
            transaction.execute(sql, params![id.into_bytes(), count(known.history.len()), new.form, entry])?;
            transaction
                .execute("UPDATE demands SET state = ?2 WHERE id = ?1", params![id.into_bytes(), now.as_str()])?;
            transaction.commit()?;
            Ok(Followed::Entered(now))
        })
        .await
    }

    /// Records, those demanded last first, from this place on and so many at most; and how many there are in all.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn demands(
        &self,
        wanted: Wanted,
        from: usize,
        most: usize,
    ) -> Result<(Vec<(Demand, State)>, usize), DeskError> {
        self.run(move |connection| {
            let Where { clause, values } = wanted.clause();
            let given = || rusqlite::params_from_iter(&values);
            let sql = format!("SELECT count(*) FROM demands WHERE {clause}");
            let count = connection.prepare_cached(&sql)?.query_row(given(), |row| row.get::<_, i64>(0))?;
            let sql = format!(
                "SELECT {COLUMNS} FROM demands WHERE {clause} ORDER BY demanded DESC, id DESC LIMIT {most} OFFSET {from}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(given(), |row| Ok(demand(row)))?;
            Ok((rows.map(|row| row?).collect::<Result<_, _>>()?, usize::try_from(count).unwrap_or_default()))
        })
        .await
    }

    /// What figures of a year are made of: its records, and what is left of those whose time is over. Of one committee, or of
    /// all.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn counted_demands(&self, committee: Option<AgencyId>, year: i16) -> Result<Vec<Counted>, DeskError> {
        self.run(move |connection| {
            let sql = "
                SELECT f.committee, f.month, a.name, f.subject, f.state, f.count, 0 AS at
                FROM demand_figures f JOIN demand_agencies a ON a.id = f.agency
                WHERE f.year = ?1 AND (?2 IS NULL OR f.committee = ?2)
                UNION ALL
                SELECT d.committee, CAST(substr(d.demanded, 6, 2) AS INTEGER), a.name, d.subject, d.state, 1, d.recorded
                FROM demands d JOIN demand_agencies a ON a.id = d.agency
                WHERE substr(d.demanded, 1, 4) = ?3 AND (?2 IS NULL OR d.committee = ?2)
                ORDER BY at";
            let mut statement = connection.prepare_cached(sql)?;
            let committee = committee.map(|committee| committee.to_string());
            let rows =
                statement.query_map(params![year, committee, format!("{year:04}")], |row| Ok(counted(row, year)))?;
            rows.map(|row| row?).collect()
        })
        .await
    }

    /// What there is to choose from among the records of one committee, or of all.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn demand_choices(&self, committee: Option<AgencyId>) -> Result<Choices, DeskError> {
        self.run(move |connection| {
            let committee = committee.map(|committee| committee.to_string());
            let own = "(?1 IS NULL OR committee = ?1)";
            let agencies = format!(
                "SELECT DISTINCT a.id, a.name FROM demands d JOIN demand_agencies a ON a.id = d.agency WHERE {own} \
                 ORDER BY a.name LIMIT 500"
            );
            let superiors = format!(
                "SELECT DISTINCT superior FROM demands WHERE superior IS NOT NULL AND {own} ORDER BY superior LIMIT 500"
            );
            let years = format!(
                "SELECT DISTINCT CAST(substr(demanded, 1, 4) AS INTEGER) AS y FROM demands WHERE {own} \
                 UNION SELECT DISTINCT year FROM demand_figures WHERE {own} ORDER BY y DESC"
            );
            let committees = format!("SELECT DISTINCT committee FROM demands WHERE {own} ORDER BY committee");
            Ok(Choices {
                agencies: list(connection, &agencies, committee.as_deref(), |row| Ok((row.get(0)?, row.get(1)?)))?,
                superiors: list(connection, &superiors, committee.as_deref(), |row| row.get(0))?,
                years: list(connection, &years, committee.as_deref(), |row| row.get(0))?,
                committees: list(connection, &committees, committee.as_deref(), |row| row.get(0))?,
            })
        })
        .await
    }

    /// Lets records go that were made before a moment, with their follow-up; what figures need of them stays. Returns how many
    /// went.
    ///
    /// # Errors
    /// If they cannot be read or written.
    pub async fn end_demands(&self, before: Timestamp) -> Result<usize, DeskError> {
        self.run(move |connection| {
            // A crash leaves a record in the list or in the figures, never in both and never in none.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = before.as_microsecond();
            transaction.execute(
                "INSERT INTO demand_figures (committee, year, month, agency, subject, state, count)
                 SELECT committee, CAST(substr(demanded, 1, 4) AS INTEGER), CAST(substr(demanded, 6, 2) AS INTEGER), agency,
                        subject, state, count(*)
                 FROM demands WHERE recorded < ?1 GROUP BY 1, 2, 3, 4, 5, 6
                 ON CONFLICT (committee, year, month, agency, subject, state) DO UPDATE SET count = count + excluded.count",
                [before],
            )?;
            transaction.execute("UPDATE demands SET over = 1 WHERE recorded < ?1", [before])?;
            let gone = transaction.execute("DELETE FROM demands WHERE over = 1", [])?;
            transaction.commit()?;
            Ok(gone)
        })
        .await
    }
}

/// A number of rows, as SQLite counts.
fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    committee: Option<&str>,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, DeskError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([committee], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
