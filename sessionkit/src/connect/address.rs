//! The URL of a store, taken apart.

use sessionkit_core::facade::nearest_word;

use super::ConnectError;

/// The kinds of stores that a URL can name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Backend {
    Memory,
    File,
    Sqlite,
    Postgres,
    MySql,
    Redis,
    RedisTls,
}

/// The URL of a store, without the parameters that are ours.
#[allow(dead_code, reason = "every feature is off")]
pub(super) struct Address {
    pub(super) backend: Backend,
    /// The URL for the driver.
    pub(super) url: String,
    /// The prefix of the keys.
    pub(super) prefix: Option<String>,
    /// The name of the table.
    pub(super) table: Option<String>,
    /// The name of the table of the audit trail.
    pub(super) audit_table: Option<String>,
    /// The schema of the table.
    pub(super) schema: Option<String>,
    /// False if the database is behind a proxy that pools transactions.
    pub(super) prepares_statements: bool,
}

impl Address {
    /// Takes a URL apart. No part of it is in an error.
    pub(super) fn parse(url: &str) -> Result<Self, ConnectError> {
        let (scheme, rest) = url.split_once(':').ok_or(ConnectError::UnknownScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let known = SCHEMES.iter().find(|known| known.names.contains(&&*scheme)).ok_or(ConnectError::UnknownScheme)?;
        let (rest, fragment) = split_at(rest, '#');
        let (place, query) = split_at(rest, '?');
        let has_parameters = !query.is_empty() || !fragment.is_empty();
        if has_parameters && !known.takes_parameters() {
            return Err(invalid(format!("the URL `{scheme}:..` of a session store takes no parameters")));
        }
        if known.backend == Backend::Memory && !place.is_empty() {
            return Err(invalid("sessions in memory have no place: write `memory:`, and nothing behind it"));
        }
        if known.backend == Backend::File && place.starts_with("//") && !place.starts_with("///") {
            return Err(invalid(
                "behind `file://` stands a host: write `file:./sessions`, or `file:/var/lib/shop/sessions`",
            ));
        }
        let mut address = Self {
            backend: known.backend,
            url: String::new(),
            prefix: None,
            table: None,
            audit_table: None,
            schema: None,
            prepares_statements: true,
        };
        let mut others = Vec::new();
        for parameter in query.trim_start_matches('?').split('&').filter(|parameter| !parameter.is_empty()) {
            if !address.take(parameter, known)? {
                others.push(parameter);
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        address.url = format!("{scheme}:{place}{mark}{}{fragment}", others.join("&"));
        Ok(address)
    }

    /// Takes a parameter if it is ours.
    fn take(&mut self, parameter: &str, known: &Scheme) -> Result<bool, ConnectError> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let mut prepares = None;
        let place = match name {
            "prefix" => &mut self.prefix,
            "table" => &mut self.table,
            "audit_table" => &mut self.audit_table,
            "schema" => &mut self.schema,
            "prepared_statements" => &mut prepares,
            // The driver would leave it out, and the sessions would be in another place.
            _ => match nearest_word(name, known.parameters) {
                Some(meant) => return Err(invalid(format!("a parameter is misspelt: write `{meant}=..`"))),
                None => return Ok(false),
            },
        };
        if !known.parameters.contains(&name) {
            return Err(invalid(format!("the URL `{}` of a session store has no parameter `{name}`", known.form)));
        }
        let value = decoded(value).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| invalid(format!("the parameter `{name}` has no value that can be read")))?;
        if place.replace(value).is_some() {
            return Err(invalid(format!("the parameter `{name}` is there twice")));
        }
        match prepares.as_deref() {
            None | Some("true") => {}
            Some("false") => self.prepares_statements = false,
            Some(_) => return Err(invalid("the parameter `prepared_statements` is `true` or `false`")),
        }
        Ok(true)
    }
}

impl Backend {
    /// The feature that it needs.
    pub(super) fn feature(self) -> &'static str {
        SCHEMES.iter().find(|known| known.backend == self).map_or("", |known| known.feature)
    }
}

/// The schemes of one kind of store.
struct Scheme {
    names: &'static [&'static str],
    backend: Backend,
    /// The feature, or nothing.
    feature: &'static str,
    is_served: bool,
    /// A URL as people write it.
    form: &'static str,
    /// The parameters that are ours. All others are the driver's, if it has any.
    parameters: &'static [&'static str],
}

impl Scheme {
    fn takes_parameters(&self) -> bool {
        !matches!(self.backend, Backend::Memory | Backend::File)
    }
}

const SCHEMES: [Scheme; 7] = [
    Scheme {
        names: &["memory"],
        backend: Backend::Memory,
        feature: "",
        is_served: true,
        form: "memory:",
        parameters: &[],
    },
    Scheme {
        names: &["file"],
        backend: Backend::File,
        feature: "file",
        is_served: cfg!(feature = "file"),
        form: "file:./sessions",
        parameters: &[],
    },
    Scheme {
        names: &["sqlite"],
        backend: Backend::Sqlite,
        feature: "sqlite",
        is_served: cfg!(feature = "sqlite"),
        form: "sqlite:sessions.db",
        parameters: &["table", "audit_table"],
    },
    Scheme {
        names: &["postgres", "postgresql"],
        backend: Backend::Postgres,
        feature: "postgres",
        is_served: cfg!(feature = "postgres"),
        form: "postgres://user:password@host/database",
        parameters: &["table", "audit_table", "schema", "prepared_statements"],
    },
    Scheme {
        names: &["mysql", "mariadb"],
        backend: Backend::MySql,
        feature: "mysql",
        is_served: cfg!(feature = "mysql"),
        form: "mysql://user:password@host/database",
        parameters: &["table", "audit_table", "schema"],
    },
    Scheme {
        names: &[
            "redis",
            "valkey",
            "unix",
            "redis+unix",
            "valkey+unix",
            "redis+cluster",
            "valkey+cluster",
            "redis+sentinel",
            "valkey+sentinel",
        ],
        backend: Backend::Redis,
        feature: "redis",
        is_served: cfg!(feature = "redis"),
        form: "redis://host",
        parameters: &["prefix"],
    },
    Scheme {
        names: &["rediss", "valkeys", "rediss+cluster", "valkeys+cluster", "rediss+sentinel", "valkeys+sentinel"],
        backend: Backend::RedisTls,
        feature: "redis-tls",
        is_served: cfg!(feature = "redis-tls"),
        form: "rediss://host",
        parameters: &["prefix"],
    },
];

/// Returns how the URLs are written that this build serves.
pub fn served_forms() -> Vec<&'static str> {
    SCHEMES.iter().filter(|known| known.is_served).map(|known| known.form).collect()
}

/// Lists how URLs are written, and the features that some of them need.
pub(super) fn all_forms() -> String {
    let form = |Scheme { form, feature, is_served, .. }: &Scheme| match is_served {
        true => format!("`{form}`"),
        false => format!("`{form}` (feature `{feature}`)"),
    };
    let (last, others) = SCHEMES.split_last().expect("there is one");
    format!("{} or {}", others.iter().map(form).collect::<Vec<_>>().join(", "), form(last))
}

/// Splits a text before a character, which stays with the second part.
fn split_at(text: &str, at: char) -> (&str, &str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

/// Decodes what is encoded with `%`.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, others)) = rest.split_first() {
        rest = others;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, others) = rest.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(digits[0])? << 4 | digit(digits[1])?) as u8);
        rest = others;
    }
    String::from_utf8(bytes).ok()
}

fn invalid(reason: impl Into<String>) -> ConnectError {
    ConnectError::InvalidUrl(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_scheme_names_a_store() {
        for (url, backend) in [
            ("memory:", Backend::Memory),
            ("file:./sessions", Backend::File),
            ("FILE:/var/lib/shop", Backend::File),
            ("file:///var/lib/shop", Backend::File),
            ("sqlite:sessions.db", Backend::Sqlite),
            ("postgres://localhost/shop", Backend::Postgres),
            ("postgresql://localhost/shop", Backend::Postgres),
            ("mysql://localhost/shop", Backend::MySql),
            ("mariadb://localhost/shop", Backend::MySql),
            ("redis://localhost", Backend::Redis),
            ("valkey://localhost", Backend::Redis),
            ("unix:///run/redis.sock", Backend::Redis),
            ("Rediss://localhost", Backend::RedisTls),
            ("redis+cluster://one:7000,two:7001", Backend::Redis),
            ("rediss+sentinel://one,two/mymaster", Backend::RedisTls),
        ] {
            assert_eq!(address(url).backend, backend, "{url}");
        }
    }

    #[test]
    fn our_parameters_are_taken_out_and_the_others_stay() {
        let redis = address("redis://:p%40ss@host:7000/3?protocol=resp3&prefix=shop%3Asession:#x");
        assert_eq!(
            (redis.url.as_str(), redis.prefix.as_deref()),
            ("redis://:p%40ss@host:7000/3?protocol=resp3#x", Some("shop:session:"))
        );
        let cluster = address("redis+cluster://ada:p@one:7000,two:7001?prefix=shop:");
        assert_eq!(
            (&*cluster.url, cluster.prefix.as_deref()),
            ("redis+cluster://ada:p@one:7000,two:7001", Some("shop:"))
        );
        let sql = address("POSTGRES://host/shop?table=visits&sslmode=require&schema=web");
        assert_eq!(sql.url, "postgres://host/shop?sslmode=require");
        assert_eq!((sql.table.as_deref(), sql.schema.as_deref()), (Some("visits"), Some("web")));
        let trail = address("mysql://host/shop?audit_table=trail");
        assert_eq!((trail.url.as_str(), trail.audit_table.as_deref()), ("mysql://host/shop", Some("trail")));
        let plain = address("mysql://host/shop?table=visits");
        assert_eq!((plain.url.as_str(), plain.schema), ("mysql://host/shop", None));
        assert!(sql.prepares_statements && !address("postgres://host?prepared_statements=false").prepares_statements);
        assert_eq!(address("sqlite:a.db?mode=ro").url, "sqlite:a.db?mode=ro");
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_url() {
        for (url, said) in [
            ("", "`memory:`"),
            ("hunter2", "`redis://host`"),
            ("hunter2://localhost", "`sqlite:sessions.db`"),
            ("memory:hunter2", "nothing behind it"),
            ("memory:?prefix=hunter2", "no parameters"),
            ("file:./hunter2?mode=x", "no parameters"),
            ("redis://:hunter2@localhost?table=t", "no parameter `table`"),
            ("postgres://a:hunter2@localhost/?prefix=t", "no parameter `prefix`"),
            ("postgres://a:hunter2@localhost/?prepared_statements=no", "is `true` or `false`"),
            ("mysql://a:hunter2@localhost/?prepared_statements=false", "no parameter `prepared_statements`"),
            ("redis://:hunter2@localhost?prefix", "`prefix` has no value"),
            ("redis://:hunter2@localhost?prefix=%f", "`prefix` has no value"),
            ("redis://:hunter2@localhost?prefix=%ff", "`prefix` has no value"),
            ("redis://:hunter2@localhost?prefix=a&prefix=b", "`prefix` is there twice"),
            ("redis://:hunter2@localhost?prefx=a", "write `prefix=..`"),
            ("postgres://a:hunter2@localhost/?tabel=hunter2", "write `table=..`"),
            ("postgres://a:hunter2@localhost/?prepared-statement=false", "write `prepared_statements=..`"),
            ("file://hunter2", "`file:./sessions`"),
            ("file://./hunter2", "`file:./sessions`"),
        ] {
            let error = Address::parse(url).err().expect(url);
            assert!(error.to_string().contains(said), "{url}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }

    #[test]
    fn a_store_that_is_not_served_names_its_feature() {
        let forms = all_forms();
        for Scheme { form, feature, is_served, .. } in &SCHEMES {
            assert_eq!(forms.contains(&format!("`{form}` (feature `{feature}`)")), !is_served, "{forms}");
            assert_eq!(served_forms().contains(form), *is_served);
        }
    }
}
