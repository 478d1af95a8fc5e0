//! The tables of SQL databases.

use serde_json::json;

use crate::arguments::Dialect;
use crate::store::Opened;
use crate::{Failure, Report};

/// Prints the SQL that creates the tables, for people to run or to keep among their migrations.
pub(crate) fn print(dialect: Dialect) -> Result<Report, Failure> {
    let sql = sessionkit::__private::schema_of(dialect.name()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Report { value: json!({ "sql": sql }), text: sql })
}

/// Creates the table in the store, or adds what an earlier release did not have.
pub(crate) async fn create(dialect: Dialect, url: &str) -> Result<Report, Failure> {
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if !dialect.schemes().contains(&&*scheme) {
        let (name, scheme) = (dialect.name(), dialect.schemes()[0]);
        return Err(Failure::Usage(format!("`schema {name} --create` needs a store of that kind, `{scheme}:..`")));
    }
    Opened::open(url, true).await?;
    Ok(Report { value: json!({ "created": true }), text: "the table is there\n".to_owned() })
}
