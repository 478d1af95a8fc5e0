//! The statements of a store.

use crate::dialect::Dialect;
use crate::executor::Sql;
use crate::names::TableName;

/// The statements of one table of sessions. Each is complete by itself: there are no transactions.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) load: Sql,
    pub(crate) insert: Sql,
    pub(crate) replace: Sql,
    /// Replaces what has the default revision, or is too short to have any.
    pub(crate) replace_damaged: Sql,
    pub(crate) remove: Sql,
    pub(crate) scan: Sql,
    pub(crate) sweep: Sql,
    pub(crate) count: Sql,
    pub(crate) size: Sql,
    pub(crate) ping: Sql,
    table: String,
}

impl Statements {
    pub(crate) fn new<D: Dialect>(name: &TableName) -> Self {
        let table = name.quoted(D::QUOTE);
        let kept = |sql: String| Sql::kept(D::places(sql));
        let once = |sql: String| Sql::once(D::places(sql));
        let replace = format!(
            "UPDATE {table} SET scope = ?, user_id = ?, created = ?, last_seen = ?, device_label = ?, reclaim_at = ?, \
             record = ? WHERE id = ?"
        );
        Self {
            load: kept(format!("SELECT record FROM {table} WHERE id = ?")),
            insert: kept(format!(
                "INSERT INTO {table} (id, kind, scope, user_id, created, last_seen, device_label, reclaim_at, record) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?){}",
                D::ON_TAKEN
            )),
            replace: kept(format!("{replace} AND revision = ?")),
            replace_damaged: once(format!("{replace} AND (revision = ? OR length(revision) < 8 OR revision IS NULL)")),
            // What is too short to have a generation is damaged, and may always be removed.
            remove: kept(format!(
                "DELETE FROM {table} WHERE id = ? AND \
                 (generation = ? OR length(generation) < 4 OR generation IS NULL)"
            )),
            scan: once(format!("SELECT id, record FROM {table} WHERE id > ? AND id < ? ORDER BY id LIMIT ?")),
            sweep: once(D::sweep(&table)),
            count: once(format!(
                "SELECT COUNT(CASE WHEN kind = 'session' THEN 1 END), COUNT(CASE WHEN kind = 'list' THEN 1 END), \
                 MIN(created) FROM {table}"
            )),
            size: once(format!("SELECT {}", D::size(name))),
            ping: once("SELECT 1".to_owned()),
            table,
        }
    }

    /// Returns the statement that loads the rows of so many keys.
    pub(crate) fn load_many<D: Dialect>(&self, count: usize) -> Sql {
        Sql::kept(D::places(format!("SELECT id, record FROM {} WHERE {}", self.table, D::among("id", count))))
    }
}
