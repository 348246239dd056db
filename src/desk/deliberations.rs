mod rows;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use uuid::Uuid;

use super::{Desk, DeskError, Part};
use crate::clock::day_of;
use crate::demands::Number;
use crate::domain::{AgencyId, ClosedList as _, Note, Slug};
use crate::transition::{Answers, Decision, Review, Verdict};

use rows::{COLUMNS, altered, known, reviews, write};

pub(super) const PART: Part = Part { name: "deliberations", steps: &[rows::TABLES] };

/// A checklist that is being filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id, and later its record's.
    pub id: Uuid,
    /// The committee.
    pub committee: AgencyId,
    /// The worker, whose it is.
    pub worker: String,
    /// The matter.
    pub matter: Slug,
    /// What was answered so far.
    pub answers: Answers,
}

/// What came of a checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDeliberation {
    /// Its id.
    pub id: Uuid,
    /// Its number among those of its committee.
    pub number: Number,
    /// The committee.
    pub committee: AgencyId,
    /// The worker.
    pub worker: String,
    /// The matter.
    pub matter: Slug,
    /// The answers.
    pub answers: Answers,
    /// Whether departments could be asked about the matter then.
    pub checkable: bool,
    /// What they came to.
    pub decision: Decision,
    /// When.
    pub decided: Timestamp,
    /// What supervisors said of it, oldest first.
    pub reviews: Vec<Review>,
}

/// How many records of a year said what of a matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliberationCount {
    /// The matter.
    pub matter: Slug,
    /// By how many the committee may act.
    pub may: u32,
    /// By how many it may not.
    pub may_not: u32,
}

impl Desk {
    /// Begins a checklist, or finds the one that this form has begun.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn begin_deliberation(&self, form: String, draft: Draft, now: Timestamp) -> Result<Uuid, DeskError> {
        self.run(move |connection| {
            let sql = "INSERT OR IGNORE INTO deliberation_drafts (id, form, committee, worker, matter, answers, changed) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let Draft { id, committee, worker, matter, answers } = draft;
            let answers = write(&answers)?;
            let values = params![
                id.into_bytes(),
                form,
                committee.to_string(),
                worker,
                matter.as_str(),
                answers,
                now.as_microsecond()
            ];
            connection.execute(sql, values)?;
            let sql = "SELECT id FROM deliberation_drafts WHERE form = ?1";
            Ok(connection.query_row(sql, [form], |row| row.get(0).map(Uuid::from_bytes))?)
        })
        .await
    }

    /// A checklist that is being filled in. Whose it is is for the caller to compare.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn deliberation_draft(&self, id: Uuid) -> Result<Option<Draft>, DeskError> {
        self.run(move |connection| rows::draft(connection, id)).await
    }

    /// Keeps the answers of a checklist. Says whether there is one; what was decided meanwhile stays as it is.
    ///
    /// # Errors
    /// If they cannot be written.
    pub async fn answer_deliberation(&self, id: Uuid, answers: Answers, now: Timestamp) -> Result<bool, DeskError> {
        self.run(move |connection| {
            let sql = "UPDATE deliberation_drafts SET answers = ?2, changed = ?3 WHERE id = ?1";
            let values = params![id.into_bytes(), write(&answers)?, now.as_microsecond()];
            Ok(connection.execute(sql, values)? == 1)
        })
        .await
    }

    /// Makes a record of a checklist. If there is one already, nothing happens. Says whether there is one now.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn decide_deliberation(
        &self,
        draft: Draft,
        checkable: bool,
        decision: Decision,
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (id, committee, year) = (draft.id.into_bytes(), draft.committee.to_string(), day_of(now).year());
            // What is recorded is what the draft says now: a second tab may have changed it since the page was shown.
            let current = rows::draft(&transaction, draft.id)?;
            let Some(current) = current.filter(|current| current.answers == draft.answers) else {
                let sql = "SELECT count(*) FROM deliberations WHERE id = ?1";
                return Ok(transaction.query_row(sql, [id], |row| row.get::<_, i64>(0))? > 0);
            };
            let sql = "SELECT coalesce(max(sequence), 0) + 1 FROM deliberations WHERE committee = ?1 AND year = ?2";
            let sequence: u32 = transaction.query_row(sql, params![committee, year], |row| row.get(0))?;
            let sql = "INSERT INTO deliberations (id, committee, year, sequence, worker, matter, answers, checkable, \
                       decision, may, decided) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
            let values = params![
                id,
                committee,
                year,
                sequence,
                current.worker,
                current.matter.as_str(),
                write(&current.answers)?,
                checkable,
                write(&decision)?,
                matches!(decision, Decision::May(_)),
                now.as_microsecond(),
            ];
            transaction.execute(sql, values)?;
            transaction.execute("DELETE FROM deliberation_drafts WHERE id = ?1", [id])?;
            transaction.commit()?;
            Ok(true)
        })
        .await
    }

    /// A record by its id. Whose it is is for the caller to compare.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn deliberation(&self, id: Uuid) -> Result<Option<KnownDeliberation>, DeskError> {
        self.run(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM deliberations WHERE id = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_row([id.into_bytes()], |row| Ok(known(row))).optional()?.transpose()?;
            let Some(found) = found else { return Ok(None) };
            Ok(Some(KnownDeliberation { reviews: reviews(connection, id)?, ..found }))
        })
        .await
    }

    /// Records, those decided last first, with the last verdict on each; and how many there are in all. Of one committee, or
    /// of all.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn deliberations(
        &self,
        committee: Option<AgencyId>,
        from: usize,
        most: usize,
    ) -> Result<(Vec<(KnownDeliberation, Option<Verdict>)>, usize), DeskError> {
        self.run(move |connection| {
            let committee = committee.map(|committee| committee.to_string());
            let own = "(?1 IS NULL OR committee = ?1)";
            let sql = format!("SELECT count(*) FROM deliberations WHERE {own}");
            let count = connection.query_row(&sql, [&committee], |row| row.get::<_, i64>(0))?;
            let sql = format!(
                "SELECT {COLUMNS}, (SELECT verdict FROM deliberation_reviews WHERE deliberation = deliberations.id \
                 ORDER BY position DESC LIMIT 1) FROM deliberations WHERE {own} \
                 ORDER BY decided DESC, id DESC LIMIT {most} OFFSET {from}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([&committee], |row| {
                let verdict = row.get::<_, Option<String>>(10)?;
                Ok(known(row).map(|known| (known, verdict.and_then(|verdict| Verdict::named(&verdict)))))
            })?;
            Ok((rows.map(|row| row?).collect::<Result<_, _>>()?, usize::try_from(count).unwrap_or_default()))
        })
        .await
    }

    /// Adds what a supervisor says of a record, once for each form. Says whether there is such a record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn review_deliberation(&self, id: Uuid, form: String, review: Review) -> Result<bool, DeskError> {
        self.run(move |connection| {
            let sql = "INSERT OR IGNORE INTO deliberation_reviews (deliberation, position, form, user, at, verdict, note) \
                       SELECT id, (SELECT count(*) FROM deliberation_reviews WHERE deliberation = ?1), ?2, ?3, ?4, ?5, ?6 \
                       FROM deliberations WHERE id = ?1";
            let note = review.note.as_ref().map(Note::as_str);
            let values = params![
                id.into_bytes(),
                form,
                review.user,
                review.at.as_microsecond(),
                review.verdict.as_str(),
                note
            ];
            connection.execute(sql, values)?;
            let sql = "SELECT count(*) FROM deliberations WHERE id = ?1";
            Ok(connection.query_row(sql, [id.into_bytes()], |row| row.get::<_, i64>(0))? > 0)
        })
        .await
    }

    /// How many records of a year said what of each matter, also of those whose time is over.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn counted_deliberations(
        &self,
        committee: Option<AgencyId>,
        year: i16,
    ) -> Result<Vec<DeliberationCount>, DeskError> {
        self.run(move |connection| {
            let sql = "
                SELECT matter, sum(CASE may WHEN 1 THEN n ELSE 0 END), sum(CASE may WHEN 0 THEN n ELSE 0 END), sum(n) AS all_of_it FROM (
                    SELECT matter, may, count AS n FROM deliberation_figures
                    WHERE year = ?1 AND (?2 IS NULL OR committee = ?2)
                    UNION ALL
                    SELECT matter, may, 1 FROM deliberations WHERE year = ?1 AND (?2 IS NULL OR committee = ?2)
                ) GROUP BY matter ORDER BY all_of_it DESC, matter";
            let committee = committee.map(|committee| committee.to_string());
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![year, committee], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.map(|row| {
                let (matter, may, may_not) = row?;
                Ok(DeliberationCount { matter: matter.parse().map_err(|_| altered())?, may, may_not })
            })
            .collect()
        })
        .await
    }

    /// Lets records go that were decided before a moment, and drafts that were left before another; figures stay. Returns how
    /// many records went.
    ///
    /// # Errors
    /// If they cannot be read or written.
    pub async fn end_deliberations(&self, before: Timestamp, drafts_before: Timestamp) -> Result<usize, DeskError> {
        self.run(move |connection| {
            // A crash leaves a record in the list or in the figures, never in both and never in none.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = before.as_microsecond();
            transaction.execute(
                "INSERT INTO deliberation_figures (committee, year, matter, may, count)
                 SELECT committee, year, matter, may, count(*) FROM deliberations WHERE decided < ?1 GROUP BY 1, 2, 3, 4
                 ON CONFLICT (committee, year, matter, may) DO UPDATE SET count = count + excluded.count",
                [before],
            )?;
            transaction.execute("UPDATE deliberations SET over = 1 WHERE decided < ?1", [before])?;
            let gone = transaction.execute("DELETE FROM deliberations WHERE over = 1", [])?;
            let left = drafts_before.as_microsecond();
            transaction.execute("DELETE FROM deliberation_drafts WHERE changed < ?1", [left])?;
            transaction.commit()?;
            Ok(gone)
        })
        .await
    }
}
