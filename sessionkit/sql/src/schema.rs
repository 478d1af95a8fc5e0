//! The tables, and how they come into being.

use std::fmt::Write as _;

use crate::dialect::Dialect;
use crate::executor::{Executor, Sql};
use crate::failure::{Failure, FailureKind};
use crate::names::TableName;

/// A table: its columns, in order, and its indexes.
#[derive(Debug)]
pub(crate) struct Table {
    name: TableName,
    columns: Vec<(&'static str, String)>,
    /// The number of leading columns that tables of every release have.
    required: usize,
    indexes: &'static [(&'static str, &'static str)],
    suffix: &'static str,
}

impl Table {
    /// The table of sessions.
    pub(crate) fn of_sessions<D: Dialect>(name: TableName) -> Self {
        let (text, number, computed) = (D::TEXT, D::NUMBER, D::COMPUTED);
        // They are read where they stand in the record, so that there is one truth.
        let part = |from: usize, length: usize| {
            format!("{} GENERATED ALWAYS AS (substr(record, {from}, {length})) {computed}", D::bytes(length))
        };
        let columns = vec![
            ("id", format!("{} NOT NULL PRIMARY KEY", D::bytes(33))),
            ("kind", format!("{text} NOT NULL")),
            ("reclaim_at", format!("{number} NOT NULL")),
            ("record", format!("{} NOT NULL", D::RECORD)),
            ("scope", text.to_owned()),
            ("user_id", text.to_owned()),
            ("created", number.to_owned()),
            ("last_seen", number.to_owned()),
            ("device_label", text.to_owned()),
            ("revision", part(2, 8)),
            ("generation", part(10, 4)),
        ];
        Self { name, columns, required: 4, indexes: &[("reclaim_at", "reclaim_at")], suffix: D::CHANGING_TABLE }
    }

    /// The table of an audit trail.
    pub(crate) fn of_audit<D: Dialect>(name: TableName) -> Self {
        let (text, number) = (D::TEXT, D::NUMBER);
        let columns = vec![
            ("id", format!("{} NOT NULL PRIMARY KEY", D::bytes(16))),
            ("happened_at", format!("{number} NOT NULL")),
            ("event", format!("{text} NOT NULL")),
            ("reason", text.to_owned()),
            ("scope", text.to_owned()),
            ("session", text.to_owned()),
            ("user_id", text.to_owned()),
            ("actor", text.to_owned()),
            ("device_label", text.to_owned()),
            ("handler", text.to_owned()),
            ("route", text.to_owned()),
            ("lost", number.to_owned()),
        ];
        let indexes = &[("user", "user_id, happened_at"), ("session", "session"), ("time", "happened_at")];
        Self { name, columns, required: 3, indexes, suffix: D::GROWING_TABLE }
    }

    pub(crate) fn name(&self) -> &TableName {
        &self.name
    }

    /// Returns the statements that create the table, for people to run.
    pub(crate) fn create<D: Dialect>(&self) -> String {
        let table = self.name.quoted(D::QUOTE);
        let mut lines: Vec<String> = self.columns.iter().map(|(name, kind)| format!("    {name} {kind}")).collect();
        if D::INDEX_IN_TABLE {
            let index = |(suffix, columns): &(&str, &str)| format!("    KEY {} ({columns})", self.index::<D>(suffix));
            lines.extend(self.indexes.iter().map(index));
        }
        let mut sql = format!("CREATE TABLE IF NOT EXISTS {table} (\n{}\n){};\n", lines.join(",\n"), self.suffix);
        if !D::INDEX_IN_TABLE {
            for (suffix, columns) in self.indexes {
                let index = self.index::<D>(suffix);
                // SQLite wants the schema here, and there alone.
                let (index, on) = match self.name.schema() {
                    Some(schema) if D::INDEX_HAS_SCHEMA => {
                        (format!("\"{schema}\".{index}"), format!("\"{}\"", self.name.table()))
                    }
                    _ => (index, table.clone()),
                };
                let _ = writeln!(sql, "CREATE INDEX IF NOT EXISTS {index} ON {on} ({columns});");
            }
        }
        sql
    }

    fn index<D: Dialect>(&self, suffix: &str) -> String {
        format!("{quote}{}_{suffix}{quote}", self.name.table(), quote = D::QUOTE)
    }

    /// Creates the table if it is not there, and adds the columns that an earlier release did not have.
    ///
    /// Several processes may do it at once, and each looks again after an error. A table that has all its columns is not
    /// touched, so that a user who may not change tables can call it too.
    pub(crate) async fn bring_about<E: Executor>(&self, executor: &E) -> Result<(), Failure> {
        let mut last = None;
        for _ in 0..TRIES {
            let missing = self.missing(executor).await?;
            let statements = match missing {
                None => self.create::<E>(),
                Some(missing) if missing.is_empty() => return Ok(()),
                Some(missing) => self.add::<E>(&missing)?,
            };
            if let Err(failure) = executor.run(statements).await {
                last = Some(failure);
            }
        }
        match self.missing(executor).await? {
            Some(missing) if missing.is_empty() => Ok(()),
            _ => Err(last.unwrap_or_else(|| {
                Failure::new(
                    FailureKind::Refused,
                    format!(
                        "the table `{}` was created, and is not \
                    there: check that all connections of the pool open the same database",
                        self.name
                    ),
                )
            })),
        }
    }

    /// Returns the columns that the table lacks; `None` if there is no table.
    pub(crate) async fn missing<E: Executor>(&self, executor: &E) -> Result<Option<Vec<usize>>, Failure> {
        let columns = Sql::once(E::columns(&self.name));
        let found = executor.fetch(&columns, &[], |cells| cells.bytes(0)).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let is_there = |name: &str| found.iter().flatten().any(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        let missing = self.columns.iter().enumerate().filter(|(_, (name, _))| !is_there(name));
        Ok(Some(missing.map(|(at, _)| at).collect()))
    }

    fn add<D: Dialect>(&self, missing: &[usize]) -> Result<String, Failure> {
        if missing.iter().any(|at| *at < self.required) {
            let reason = format!(
                "the table `{}` is there, but it is not one of SessionKit's: set another name with `table(..)`",
                self.name
            );
            return Err(Failure::new(FailureKind::Refused, reason));
        }
        let mut sql = D::BEFORE_CHANGE.to_owned();
        for at in missing {
            let (name, kind) = &self.columns[*at];
            let _ = writeln!(sql, "ALTER TABLE {} ADD COLUMN {name} {kind};", self.name.quoted(D::QUOTE));
        }
        Ok(sql)
    }
}

/// The number of times that a table is looked at and changed before it is an error.
const TRIES: u32 = 3;
