//! Departments that an operator has closed by hand. They stay closed when the process ends.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Desk, DeskError, Part};
use crate::domain::Slug;
use crate::situation::Closure;

pub(super) const PART: Part = Part { name: "closures", steps: &[TABLES] };

/// Moments are microseconds since 1970.
const TABLES: &str = "
    CREATE TABLE closures (
        source TEXT NOT NULL PRIMARY KEY,
        by_user TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL,
        until INTEGER -- NULL: until somebody opens it
    ) STRICT;
";

impl Desk {
    /// Keeps that a department is closed; a closure before is replaced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn close_source(&self, source: &Slug, closure: &Closure) -> Result<(), DeskError> {
        let (source, closure) = (source.clone(), closure.clone());
        self.run(move |connection| {
            let sql =
                "INSERT OR REPLACE INTO closures (source, by_user, reason, at, until) VALUES (?1, ?2, ?3, ?4, ?5)";
            let Closure { by, reason, at, until } = closure;
            let until = until.map(Timestamp::as_microsecond);
            connection.execute(sql, params![source.as_str(), by, reason, at.as_microsecond(), until])?;
            Ok(())
        })
        .await
    }

    /// Forgets that a department is closed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn open_source(&self, source: &Slug) -> Result<(), DeskError> {
        let source = source.clone();
        self.run(move |connection| {
            connection.execute("DELETE FROM closures WHERE source = ?1", [source.as_str()])?;
            Ok(())
        })
        .await
    }

    /// The departments that are closed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn closures(&self) -> Result<Vec<(Slug, Closure)>, DeskError> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached("SELECT source, by_user, reason, at, until FROM closures")?;
            let rows = statement.query_map([], |row| Ok(closure(row)))?;
            rows.map(|row| row?).collect()
        })
        .await
    }
}

fn closure(row: &Row<'_>) -> Result<(Slug, Closure), DeskError> {
    let altered = || DeskError::Altered("a department that is closed");
    let moment = |micros: i64| Timestamp::from_microsecond(micros).map_err(|_| altered());
    let source = row.get::<_, String>(0)?.parse().map_err(|_| altered())?;
    let until = row.get::<_, Option<i64>>(4)?.map(moment).transpose()?;
    let closure = Closure { by: row.get(1)?, reason: row.get(2)?, at: moment(row.get(3)?)?, until };
    Ok((source, closure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closure_is_kept_until_it_is_opened() {
        let desk = Desk::in_memory().unwrap();
        let source: Slug = "police".parse().unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let first = Closure { by: "zhang".to_owned(), reason: "升级".to_owned(), at: at(10), until: None };
        desk.close_source(&source, &first).await.unwrap();
        let second = Closure { until: Some(at(90)), ..first };
        desk.close_source(&source, &second).await.unwrap();
        assert_eq!(desk.closures().await.unwrap(), [(source.clone(), second)]);
        desk.open_source(&source).await.unwrap();
        desk.open_source(&source).await.unwrap();
        assert!(desk.closures().await.unwrap().is_empty());
    }
}
