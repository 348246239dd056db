use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::sealing::Name;
use crate::durable::{Quota, Waiting};

/// The tables, and the transaction that is being written. They know nothing of what is sealed in them.
pub(super) struct Tables {
    connection: Connection,
    under_way: Arc<UnderWay>,
    /// What the transaction changes in `under_way`, in its order.
    changes: Vec<Change>,
    /// How many rows had been written before the transaction.
    written_before: u64,
}

/// The applications whose rows are on the disk, for those who only ask whether there is one.
#[derive(Default)]
pub(super) struct UnderWay(RwLock<HashSet<Name>>);

enum Change {
    Begun(Name),
    Ended(Name),
}

/// A closed question as it is written.
pub(super) struct ClosedRow {
    pub(super) id: Uuid,
    pub(super) agency: String,
    pub(super) verification: String,
}

/// An application as it is written. Without `sealed`: it is about to be sent.
pub(super) struct ApplicationRow {
    pub(super) sealed: Option<Vec<u8>>,
}

impl UnderWay {
    pub(super) fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn contains(&self, question: &Name) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(question)
    }

    fn apply(&self, changes: impl Iterator<Item = Change>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Begun(question) => all.insert(question),
                Change::Ended(question) => all.remove(&question),
            };
        }
    }
}

impl Tables {
    pub(super) fn new(connection: Connection) -> rusqlite::Result<Self> {
        connection.set_prepared_statement_cache_capacity(32);
        let all = rows(&connection, "SELECT question FROM applications", [], |row| row.get(0))?;
        let under_way = Arc::new(UnderWay(RwLock::new(all.into_iter().collect())));
        Ok(Self { connection, under_way, changes: Vec::new(), written_before: 0 })
    }

    pub(super) fn under_way(&self) -> Arc<UnderWay> {
        self.under_way.clone()
    }

    pub(super) fn keep(&self, id: Uuid, asked: Timestamp, sealed: &[u8]) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO open_questions (id, asked, sealed) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![id.as_bytes(), asked.as_microsecond(), sealed]).map(drop)
    }

    pub(super) fn close(
        &mut self,
        row: &ClosedRow,
        ended: &[Name],
        until: Timestamp,
        notice_due: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO closed_questions (id, agency, until, verification, notice_due, notice_tries) \
                   VALUES (?1, ?2, ?3, ?4, ?5, 0)";
        let due = notice_due.map(Timestamp::as_microsecond);
        self.execute(sql, params![row.id.as_bytes(), row.agency, until.as_microsecond(), row.verification, due])?;
        self.execute("DELETE FROM open_questions WHERE id = ?1", [row.id.as_bytes()])?;
        ended.iter().try_for_each(|application| self.end_application(*application))
    }

    pub(super) fn open_questions(&self) -> rusqlite::Result<Vec<(Uuid, Vec<u8>)>> {
        let sql = "SELECT id, sealed FROM open_questions ORDER BY asked, id";
        rows(&self.connection, sql, [], |row| Ok((id(row)?, row.get(1)?)))
    }

    pub(super) fn open_question(&self, id: Uuid) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut statement = self.connection.prepare_cached("SELECT sealed FROM open_questions WHERE id = ?1")?;
        statement.query_row([id.as_bytes()], |row| row.get(0)).optional()
    }

    pub(super) fn closed_question(&self, id: Uuid, now: Timestamp) -> rusqlite::Result<Option<ClosedRow>> {
        let sql = "SELECT id, agency, verification FROM closed_questions WHERE id = ?1 AND until > ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(params![id.as_bytes(), now.as_microsecond()], closed_row).optional()
    }

    /// Whatever was kept of an equal question makes room.
    pub(super) fn keep_application(
        &mut self,
        question: Name,
        now: Timestamp,
        row: &ApplicationRow,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO applications (question, made, sealed) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![question, now.as_microsecond(), row.sealed])?;
        self.changes.push(Change::Begun(question));
        Ok(())
    }

    pub(super) fn application(&self, question: &Name) -> rusqlite::Result<Option<ApplicationRow>> {
        let mut statement = self.connection.prepare_cached("SELECT sealed FROM applications WHERE question = ?1")?;
        statement.query_row([question], |row| Ok(ApplicationRow { sealed: row.get(0)? })).optional()
    }

    pub(super) fn end_application(&mut self, question: Name) -> rusqlite::Result<()> {
        self.execute("DELETE FROM applications WHERE question = ?1", [question])?;
        self.changes.push(Change::Ended(question));
        Ok(())
    }

    pub(super) fn keep_reply(&self, name: &Name, until: Timestamp, sealed: &[u8]) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO replies (name, until, sealed) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![name, until.as_microsecond(), sealed]).map(drop)
    }

    pub(super) fn kept_reply(&self, name: &Name, now: Timestamp) -> rusqlite::Result<Option<(Timestamp, Vec<u8>)>> {
        let sql = "SELECT until, sealed FROM replies WHERE name = ?1 AND until > ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(params![name, now.as_microsecond()], |row| Ok((moment(row)?, row.get(1)?))).optional()
    }

    /// The larger of two reservations stands: calls may have been made on it.
    pub(super) fn reserve(&self, quota: &Quota, up_to: u32) -> rusqlite::Result<()> {
        let sql = "INSERT INTO quotas (source, seconds, window, reserved) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET reserved = max(reserved, excluded.reserved)";
        self.execute(sql, params![quota.of.to_string(), quota.seconds, quota.window, up_to]).map(drop)
    }

    pub(super) fn reserved(&self, quota: &Quota) -> rusqlite::Result<u32> {
        let sql = "SELECT reserved FROM quotas WHERE source = ?1 AND seconds = ?2 AND window = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(params![quota.of.to_string(), quota.seconds, quota.window], |row| row.get(0));
        Ok(found.optional()?.unwrap_or_default())
    }

    pub(super) fn mark_ledger(&self, sealed: &[u8]) -> rusqlite::Result<()> {
        self.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('ledger', ?1)", [sealed]).map(drop)
    }

    pub(super) fn ledger_mark(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM meta WHERE name = 'ledger'";
        self.connection.query_row(sql, [], |row| row.get(0)).optional()
    }

    pub(super) fn notices(&self, now: Timestamp) -> rusqlite::Result<Vec<(ClosedRow, u32)>> {
        let sql = "SELECT id, agency, verification, notice_tries FROM closed_questions WHERE notice_due <= ?1 \
                   ORDER BY notice_due, id LIMIT ?2";
        let values = params![now.as_microsecond(), NOTICES_AT_ONCE];
        rows(&self.connection, sql, values, |row| Ok((closed_row(row)?, row.get(3)?)))
    }

    pub(super) fn waiting(&self) -> rusqlite::Result<Waiting> {
        let sql = "SELECT count(*), min(asked) FROM open_questions";
        let (questions, oldest) = self.connection.prepare_cached(sql)?.query_row([], |row| {
            let oldest = row.get::<_, Option<i64>>(1)?;
            Ok((row.get::<_, i64>(0)?, oldest.and_then(|asked| Timestamp::from_microsecond(asked).ok())))
        })?;
        let sql = "SELECT count(*) FROM closed_questions WHERE notice_due IS NOT NULL";
        let notices = self.connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?;
        Ok(Waiting { questions: questions.unsigned_abs(), oldest, notices: notices.unsigned_abs() })
    }

    pub(super) fn noticed(&self, id: Uuid, again: Option<Timestamp>) -> rusqlite::Result<()> {
        let sql = "UPDATE closed_questions SET notice_due = ?2, notice_tries = notice_tries + 1 WHERE id = ?1";
        self.execute(sql, params![id.as_bytes(), again.map(Timestamp::as_microsecond)]).map(drop)
    }

    /// Deletes outcomes whose time is over and of which nobody is to be told, replies whose time is over, and windows that are
    /// past. Returns whether there is more of them: others are waiting to write.
    ///
    /// A window stays for its own length after its end, and as long as there are fewer than eight later ones: the clock may
    /// have been set forward for a while, and is set back.
    pub(super) fn clean(&mut self, now: Timestamp) -> rusqlite::Result<bool> {
        let closed = "DELETE FROM closed_questions WHERE rowid IN \
                      (SELECT rowid FROM closed_questions WHERE notice_due IS NULL AND until <= ?1 LIMIT ?2)";
        let replies = "DELETE FROM replies WHERE rowid IN (SELECT rowid FROM replies WHERE until <= ?1 LIMIT ?2)";
        let quotas = "DELETE FROM quotas WHERE rowid IN \
                      (SELECT rowid FROM quotas AS old WHERE (window + 2) * seconds <= ?1 AND \
                      (SELECT window FROM quotas WHERE source = old.source AND seconds = old.seconds \
                      AND window > old.window ORDER BY window LIMIT 1 OFFSET 7) IS NOT NULL LIMIT ?2)";
        self.begin()?;
        let closed = self.execute(closed, params![now.as_microsecond(), CLEANED_AT_ONCE])?;
        let replies = self.execute(replies, params![now.as_microsecond(), CLEANED_AT_ONCE])?;
        let quotas = self.execute(quotas, params![now.as_second() + SHANGHAI, CLEANED_AT_ONCE])?;
        self.commit()?;
        Ok(closed.max(replies).max(quotas) >= CLEANED_AT_ONCE as usize)
    }

    /// Writes into the file what is only in the journal, and empties that: what was deleted is not there any more either.
    pub(super) fn empty_journal(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.changes.clear();
        self.written_before = self.connection.total_changes();
        self.execute("BEGIN", []).map(drop)
    }

    /// Runs a part of the transaction that leaves nothing behind if it fails. The inner error is the part's own; the outer
    /// one is the end of the whole transaction.
    pub(super) fn part<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<rusqlite::Result<T>> {
        self.execute("SAVEPOINT part", [])?;
        let changes = self.changes.len();
        let outcome = work(self);
        match outcome {
            Ok(value) => self.execute("RELEASE part", []).map(|_| Ok(value)),
            // SQLite has given the whole transaction up: the disk is full or broken.
            Err(cause) if self.connection.is_autocommit() => Err(cause),
            Err(cause) => {
                self.changes.truncate(changes);
                self.execute("ROLLBACK TO part", [])?;
                self.execute("RELEASE part", [])?;
                Ok(Err(cause))
            }
        }
    }

    /// Makes the transaction's changes last: they are on the disk when this says so. Only then are they seen by others.
    /// Returns whether there were any.
    pub(super) fn commit(&mut self) -> rusqlite::Result<bool> {
        self.execute("COMMIT", [])?;
        if !self.changes.is_empty() {
            self.under_way.apply(self.changes.drain(..));
        }
        Ok(self.connection.total_changes() > self.written_before)
    }

    /// Gives the transaction up, if there still is one.
    pub(super) fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.changes.clear();
        if self.connection.is_autocommit() { Ok(()) } else { self.execute("ROLLBACK", []).map(drop) }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }
}

/// More would keep those waiting who want to write.
const NOTICES_AT_ONCE: u32 = 1000;
const CLEANED_AT_ONCE: u32 = 5000;

/// How many seconds Asia/Shanghai, in which windows are counted, is ahead.
const SHANGHAI: i64 = 8 * 3600;

fn rows<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(values, read)?.collect()
}

fn closed_row(row: &Row<'_>) -> rusqlite::Result<ClosedRow> {
    Ok(ClosedRow { id: id(row)?, agency: row.get(1)?, verification: row.get(2)? })
}

fn moment(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    let error = |error: jiff::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, error.into());
    Timestamp::from_microsecond(row.get(0)?).map_err(error)
}

fn id(row: &Row<'_>) -> rusqlite::Result<Uuid> {
    let bytes: Vec<u8> = row.get(0)?;
    Uuid::from_slice(&bytes).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, error.into()))
}
