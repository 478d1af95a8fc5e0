//! The arguments.

use sessionkit::{MainScope, SessionId, SessionScope as _};

pub(crate) const HELP: &str = "\
Shows the sessions that SessionKit keeps in a Redis server.

Usage:
  sessionkit inspect ID [options]                       one session
  sessionkit list --user USER [--scope SCOPE] [options]  the sessions of a user

Options:
  --url URL        the server; without it the variable REDIS_URL, or redis://localhost.
                   Others can read a password here: give it in the variable
  --prefix PREFIX  the prefix of the store, `session:` by default
  --scope SCOPE    the scope of the list, `Main` by default
  --json           prints JSON
  --help, --version

Values of sensitive fields are not shown, and no secret is. Exit codes: 1 nothing was
found, 2 the arguments cannot be used, 3 the server does not answer or what it holds
cannot be read.
";

/// The arguments, and the variable `REDIS_URL`.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) query: Query,
    pub(crate) url: String,
    pub(crate) prefix: Option<String>,
    pub(crate) json: bool,
}

/// The subject of the question.
#[derive(Debug)]
pub(crate) enum Query {
    Session(SessionId),
    Sessions { user: String, scope: String },
}

impl Arguments {
    /// Reads the arguments; `None` if they ask for help.
    pub(crate) fn parse(arguments: Vec<String>) -> Result<Option<Self>, String> {
        let (mut url, mut prefix, mut user, mut scope, mut json) = (None, None, None, None, false);
        let (mut words, mut rest) = (Vec::new(), arguments.into_iter());
        while let Some(argument) = rest.next() {
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            let place = match name.as_str() {
                "--url" => &mut url,
                "--prefix" => &mut prefix,
                "--user" => &mut user,
                "--scope" => &mut scope,
                "--json" if given.is_none() => {
                    json = true;
                    continue;
                }
                "--help" | "-h" => return Ok(None),
                name if name.starts_with("--") => return Err(format!("there is no option `{name}`")),
                _ => {
                    words.push(name);
                    continue;
                }
            };
            let value = given.or_else(|| rest.next()).ok_or_else(|| format!("`{name}` needs a value"))?;
            if place.replace(value).is_some() {
                return Err(format!("`{name}` is there twice"));
            }
        }
        let query = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["inspect", id] if user.is_none() && scope.is_none() => Query::Session(parse_id(id)?),
            ["inspect"] => return Err("`inspect` needs the id of a session".to_owned()),
            ["inspect", ..] => return Err("`inspect` takes one id, and neither `--user` nor `--scope`".to_owned()),
            ["list"] => Query::Sessions {
                user: user.ok_or("`list` needs `--user`")?,
                scope: scope.unwrap_or_else(|| MainScope::NAME.to_owned()),
            },
            ["list", ..] => return Err("`list` takes options only".to_owned()),
            [] => return Err("say `inspect` or `list`".to_owned()),
            [command, ..] => return Err(format!("there is no command `{command}`: say `inspect` or `list`")),
        };
        let url = url.or_else(|| std::env::var("REDIS_URL").ok().filter(|url| !url.is_empty()));
        Ok(Some(Self { query, url: url.unwrap_or_else(|| "redis://localhost".to_owned()), prefix, json }))
    }
}

/// Reads an id. An argument that is none is not shown: it may be a token.
fn parse_id(text: &str) -> Result<SessionId, String> {
    SessionId::parse(text.as_bytes()).ok_or_else(|| {
        "an id is 22 characters of base64url, as in the log; a token from a cookie is none, and opens the session"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_come_in_any_order_and_both_forms() {
        for line in [
            "inspect AAAAAAAAAAAAAAAAAAAAAA --url redis://a --json",
            "--url=redis://a --json inspect AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let arguments = parse(line).unwrap().unwrap();
            assert!(matches!(arguments.query, Query::Session(id) if id == SessionId::from_bytes([0; 16])));
            assert_eq!((arguments.url.as_str(), arguments.json), ("redis://a", true));
        }
        let Query::Sessions { user, scope } = parse("list --user ada").unwrap().unwrap().query else {
            panic!("a list")
        };
        assert_eq!((user.as_str(), scope.as_str()), ("ada", "Main"));
        assert!(parse("list -h").unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_used_is_named_but_a_token_is_not() {
        for (line, named) in [
            ("", "inspect"),
            ("inspect", "needs the id"),
            ("inspect a b", "one id"),
            ("inspect AAAAAAAAAAAAAAAAAAAAAA --user ada", "--user"),
            ("list", "--user"),
            ("list ada", "options only"),
            ("list --user", "`--user` needs a value"),
            ("list --user a --user b", "twice"),
            ("show", "`show`"),
            ("list --usr=ada", "`--usr`"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
        let token = "A".repeat(64);
        assert!(!parse(&format!("inspect {token}")).unwrap_err().contains(&token));
    }
}
