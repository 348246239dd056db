//! Layer 2: what must survive a restart, in one SQLite file in a folder of its own.
//!
//! `tables` is the SQL; it belongs to one thread, the `writer`, which puts all that comes at once into one transaction.
//! `sealing` encrypts what is personal before it goes there, and opens it when it comes back. `files` opens the file, if
//! nobody else can read it and nobody else has it open. `key` is what it all hangs on.

mod files;
mod key;
mod sealing;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use crate::clock::Clock;
use crate::departments::Question;
use crate::durable::{
    Application, ClosedQuestion, Durable, Kept, KeptReply, LedgerMark, NotSaved, OpenQuestion, Quota, Waiting,
};

pub use key::{StoreKey, StoreKeyError};

use sealing::Sealing;
use tables::{ApplicationRow, ClosedRow, Tables, UnderWay};
use writer::Writer;

/// Keeps what must survive a restart on this machine's disk.
///
/// What was asked for is written even if its future is dropped once it has been polled. Dropping the store writes what is
/// waiting and closes the file.
pub struct Store {
    sealing: Sealing,
    under_way: Arc<UnderWay>,
    /// What was noted of the ledger before this process.
    ledger_mark: Option<LedgerMark>,
    clock: Arc<dyn Clock>,
    writer: Writer,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else on this machine may read it.
    #[error("{} is open to others than its owner (mode {mode:03o}), and it is to hold what is personal; see who has read it, then run: chmod {right:03o} '{}'", path.display(), path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// Another process has it open.
    #[error("another heyan runs on {}: stop that one first, or give this one a folder of its own", .0.display())]
    InUse(PathBuf),
    /// A newer version of this program has written it.
    #[error("{} was written by a newer heyan (version {found} of its tables, this one knows {known}): run that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// It was made with another key.
    #[error("{} was made with another key: give the one it was made with. If that is lost, so is what is kept there: move the folder away to begin anew", .0.display())]
    OtherKey(PathBuf),
    /// The folder or file cannot be made or read.
    #[error("{} cannot be used: {cause}", path.display())]
    Files {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is no file of this program, or a broken one.
    #[error("{} cannot be used: {cause}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// What it says of the ledger is not what was written.
    #[error("what {} says of the ledger was altered: somebody changed the file", .0.display())]
    Altered(PathBuf),
    /// The key cannot be used.
    #[error("the keys to encrypt with cannot be made")]
    Keys,
}

impl Store {
    /// Opens the store of a folder, or makes one. One process at a time can have it open.
    ///
    /// # Errors
    /// If others could read it, if another process has it open, if it was made with another key or by a newer version, or if
    /// it cannot be read.
    pub fn open(folder: &Path, key: &StoreKey, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let file = files::prepare(folder)?;
        let connection = Connection::open_with_flags(&file, files::flags());
        let connection = connection.map_err(|cause| StoreError::Sqlite { path: file.clone(), cause })?;
        Self::over(connection, file, key, clock)
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    /// If there is no memory or no thread for it.
    pub fn in_memory(key: &StoreKey, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory();
        let connection = connection.map_err(|cause| StoreError::Sqlite { path: path.clone(), cause })?;
        Self::over(connection, path, key, clock)
    }

    fn over(
        mut connection: Connection,
        path: PathBuf,
        key: &StoreKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let sealing = Sealing::new(key).map_err(|_| StoreError::Keys)?;
        files::set_up(&mut connection, &path, sealing.check())?;
        let tables = Tables::new(connection).map_err(|cause| StoreError::Sqlite { path: path.clone(), cause })?;
        let sealed = tables.ledger_mark().map_err(|cause| StoreError::Sqlite { path: path.clone(), cause })?;
        let mark = sealed.map(|sealed| sealing.open(META, LEDGER, &sealed)).transpose();
        let ledger_mark = mark.map_err(|_| StoreError::Altered(path.clone()))?;
        let under_way = tables.under_way();
        let writer = Writer::start(tables, clock.clone()).map_err(|cause| StoreError::Files { path, cause })?;
        Ok(Self { sealing, under_way, ledger_mark, clock, writer })
    }

    /// How many transactions were written since it was opened: fewer than what was kept, where much came at once.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// How far the ledger had come when an earlier process last noted that; `None`: none has.
    #[must_use]
    pub fn ledger_mark(&self) -> Option<LedgerMark> {
        self.ledger_mark
    }

    fn closed(row: ClosedRow) -> Result<ClosedQuestion, NotSaved> {
        let ClosedRow { id, agency, verification } = row;
        let verification = serde_json::from_str(&verification).map_err(|_| {
            tracing::error!(verification.id = %id, "the store holds an outcome that is not JSON: somebody changed the file");
            NotSaved
        })?;
        Ok(ClosedQuestion { id, agency, verification })
    }
}

impl Durable for Store {
    fn keep<'a>(&'a self, question: &'a OpenQuestion) -> Kept<'a, ()> {
        Box::pin(async move {
            let sealed = self.sealing.seal(OPEN_QUESTIONS, question.id.as_bytes(), question)?;
            let (id, asked) = (question.id, question.asked);
            self.writer.run(move |tables| tables.keep(id, asked, &sealed)).await
        })
    }

    fn close<'a>(
        &'a self,
        closed: &'a ClosedQuestion,
        applications: &'a [Question],
        until: Timestamp,
        notify: bool,
    ) -> Kept<'a, ()> {
        Box::pin(async move {
            let ended: Vec<_> = applications.iter().map(|question| self.sealing.name(question)).collect();
            let (id, agency) = (closed.id, closed.agency.clone());
            let row = ClosedRow { id, agency, verification: closed.verification.to_string() };
            let notice_due = notify.then(|| self.clock.now());
            self.writer.run(move |tables| tables.close(&row, &ended, until, notice_due)).await
        })
    }

    fn open_questions(&self) -> Kept<'_, Vec<OpenQuestion>> {
        Box::pin(async move {
            let rows = self.writer.run(|tables| tables.open_questions()).await?;
            rows.iter().map(|(id, sealed)| self.sealing.open(OPEN_QUESTIONS, id.as_bytes(), sealed)).collect()
        })
    }

    fn open_question(&self, id: Uuid) -> Kept<'_, Option<OpenQuestion>> {
        Box::pin(async move {
            let sealed = self.writer.run(move |tables| tables.open_question(id)).await?;
            sealed.map(|sealed| self.sealing.open(OPEN_QUESTIONS, id.as_bytes(), &sealed)).transpose()
        })
    }

    fn closed_question(&self, id: Uuid) -> Kept<'_, Option<ClosedQuestion>> {
        Box::pin(async move {
            let now = self.clock.now();
            let row = self.writer.run(move |tables| tables.closed_question(id, now)).await?;
            row.map(Self::closed).transpose()
        })
    }

    fn applying<'a>(&'a self, question: &'a Question) -> Kept<'a, ()> {
        Box::pin(async move {
            let (name, now) = (self.sealing.name(question), self.clock.now());
            self.writer.run(move |tables| tables.keep_application(name, now, &ApplicationRow { sealed: None })).await
        })
    }

    fn applied<'a>(&'a self, question: &'a Question, captured: &'a [(String, String)]) -> Kept<'a, ()> {
        Box::pin(async move {
            let (name, now) = (self.sealing.name(question), self.clock.now());
            let row = ApplicationRow { sealed: Some(self.sealing.seal(APPLICATIONS, &name, captured)?) };
            self.writer.run(move |tables| tables.keep_application(name, now, &row)).await
        })
    }

    fn application<'a>(&'a self, question: &'a Question) -> Kept<'a, Option<Application>> {
        Box::pin(async move {
            // Every question to an operation that takes time comes here, and most of them for nothing.
            if self.under_way.is_empty() {
                return Ok(None);
            }
            let name = self.sealing.name(question);
            if !self.under_way.contains(&name) {
                return Ok(None);
            }
            let row = self.writer.run(move |tables| tables.application(&name)).await?;
            let application = |row: ApplicationRow| match row.sealed {
                None => Ok(Application::Unknown),
                Some(sealed) => self.sealing.open(APPLICATIONS, &name, &sealed).map(Application::Made),
            };
            row.map(application).transpose()
        })
    }

    fn application_ended<'a>(&'a self, question: &'a Question) -> Kept<'a, ()> {
        Box::pin(async move {
            let name = self.sealing.name(question);
            self.writer.run(move |tables| tables.end_application(name)).await
        })
    }

    fn keep_reply<'a>(&'a self, agency: &'a str, key: &'a str, reply: &'a KeptReply, until: Timestamp) -> Kept<'a, ()> {
        Box::pin(async move {
            let name = self.sealing.name_of_reply(agency, key);
            let sealed = self.sealing.seal(REPLIES, &name, reply)?;
            self.writer.run(move |tables| tables.keep_reply(&name, until, &sealed)).await
        })
    }

    fn kept_reply<'a>(&'a self, agency: &'a str, key: &'a str) -> Kept<'a, Option<(KeptReply, Timestamp)>> {
        Box::pin(async move {
            let (name, now) = (self.sealing.name_of_reply(agency, key), self.clock.now());
            let row = self.writer.run(move |tables| tables.kept_reply(&name, now)).await?;
            row.map(|(until, sealed)| Ok((self.sealing.open(REPLIES, &name, &sealed)?, until))).transpose()
        })
    }

    fn reserve<'a>(&'a self, quota: &'a Quota, up_to: u32) -> Kept<'a, ()> {
        let quota = quota.clone();
        Box::pin(async move { self.writer.run(move |tables| tables.reserve(&quota, up_to)).await })
    }

    fn reserved<'a>(&'a self, quota: &'a Quota) -> Kept<'a, u32> {
        let quota = quota.clone();
        Box::pin(async move { self.writer.run(move |tables| tables.reserved(&quota)).await })
    }

    fn mark_ledger(&self, mark: LedgerMark) -> Kept<'_, ()> {
        Box::pin(async move {
            let sealed = self.sealing.seal(META, LEDGER, &mark)?;
            self.writer.run(move |tables| tables.mark_ledger(&sealed)).await
        })
    }

    fn notices(&self, now: Timestamp) -> Kept<'_, Vec<(ClosedQuestion, u32)>> {
        Box::pin(async move {
            let rows = self.writer.run(move |tables| tables.notices(now)).await?;
            rows.into_iter().map(|(row, tries)| Ok((Self::closed(row)?, tries))).collect()
        })
    }

    fn waiting(&self) -> Kept<'_, Waiting> {
        Box::pin(async move { self.writer.run(|tables| tables.waiting()).await })
    }

    fn noticed(&self, id: Uuid, again: Option<Timestamp>) -> Kept<'_, ()> {
        Box::pin(async move { self.writer.run(move |tables| tables.noticed(id, again)).await })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("commits", &self.commits()).finish_non_exhaustive()
    }
}

/// What a sealed value is bound to beside its row's key: the table that it stands in.
const OPEN_QUESTIONS: &str = "open_questions";
const APPLICATIONS: &str = "applications";
const REPLIES: &str = "replies";
const META: &str = "meta";
const LEDGER: &[u8] = b"ledger";
