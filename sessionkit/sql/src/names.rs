//! The names of tables.

use std::fmt;

use sessionkit_core::StoreError;

/// A store or an audit log cannot be set up.
///
/// Says what to change; never shows a password.
pub struct SqlSetupError {
    reason: String,
    is_of_url: bool,
}

impl SqlSetupError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_of_url: false }
    }

    /// Makes the error of a URL that nothing was sent to.
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
    pub(crate) fn of_url(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_of_url: true }
    }

    /// Returns whether the URL cannot be used, for the package `sessionkit`.
    #[doc(hidden)]
    pub fn is_of_url(&self) -> bool {
        self.is_of_url
    }
}

impl From<StoreError> for SqlSetupError {
    fn from(error: StoreError) -> Self {
        Self::new(format!("{error:?}"))
    }
}

impl fmt::Display for SqlSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for SqlSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SqlSetupError {}

/// The longest name. With what is put behind it for an index it is as long as PostgreSQL allows, 63 bytes.
const LONGEST: usize = 48;

/// The name of a table, and of the schema in which it is. Both are safe to quote.
#[derive(Clone, Debug)]
pub struct TableName {
    schema: Option<String>,
    table: String,
}

impl TableName {
    /// Checks both names.
    pub(crate) fn new(schema: Option<String>, table: String) -> Result<Self, SqlSetupError> {
        check("table", &table)?;
        schema.iter().try_for_each(|schema| check("schema", schema))?;
        Ok(Self { schema, table })
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Returns the name as it stands in a statement.
    pub(crate) fn quoted(&self, quote: char) -> String {
        let table = format!("{quote}{}{quote}", self.table);
        match &self.schema {
            Some(schema) => format!("{quote}{schema}{quote}.{table}"),
            None => table,
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

fn check(what: &str, name: &str) -> Result<(), SqlSetupError> {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.as_bytes().first().is_some_and(is_first) && name.bytes().all(is_rest) && name.len() <= LONGEST {
        return Ok(());
    }
    // It may come from a setting, and goes to the log.
    let shown: String = name.chars().take(LONGEST).collect();
    Err(SqlSetupError::new(format!(
        "`{}` cannot be the name of a {what}: write a letter or an underscore, then letters, digits and underscores of \
         ASCII, at most {LONGEST} in all",
        shown.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        let long = "x".repeat(49);
        let hostile =
            ["", " ", "1st", "a b", "a;b", "a\"b", "a`b", "a'b", "a.b", "a--", "a\0b", "é", "a?", "$1", &long];
        for name in hostile {
            let error = TableName::new(None, name.to_owned()).unwrap_err().to_string();
            assert!(error.contains("cannot be the name of a table"), "{error}");
            assert!(!error.contains('\0') && error.len() < 300, "{error}");
            let error = TableName::new(Some(name.to_owned()), "t".to_owned()).unwrap_err().to_string();
            assert!(error.contains("cannot be the name of a schema"), "{error}");
        }
    }

    #[test]
    fn names_are_quoted_and_words_of_sql_are_names_too() {
        for name in ["a", "_", "select", "Sessions2", &"x".repeat(48)] {
            let table = TableName::new(Some(name.to_owned()), name.to_owned()).unwrap();
            assert_eq!(table.quoted('"'), format!("\"{name}\".\"{name}\""));
            assert_eq!(table.to_string(), format!("{name}.{name}"));
        }
    }
}
