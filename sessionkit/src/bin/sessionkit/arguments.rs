//! The arguments.

use sessionkit::{MainScope, SessionId, SessionScope as _};

/// Returns the text of `--help`.
pub(crate) fn help() -> String {
    let stores = sessionkit::__private::served_forms().into_iter().filter(|form| *form != "memory:");
    let stores = stores.map(|form| format!("  {form}\n")).collect::<String>();
    let stores = if stores.is_empty() { "  none: install it with the feature of your store\n" } else { &stores };
    format!("{BEGINNING}{stores}{END}")
}

const BEGINNING: &str = "\
Shows the sessions that SessionKit keeps in a store, and ends them.

Usage: sessionkit COMMAND [options]

  inspect ID              shows a session
  list                    lists the sessions of everyone, visitors included: id, state,
                          last seen, scope, user, device
  list --user USER        lists the sessions of a user
  end ID                  ends a session
  end-user USER           ends the sessions of a user
  end-everyone --yes      ends the sessions of all users; those of visitors stay
  sweep                   removes what the store may forget
  stats                   counts what the store holds
  keygen                  prints a new key, for the setting `keys` (SESSION_KEYS)
  rotate                  encrypts with the first key what is encrypted with another
  schema DIALECT          prints the SQL of the table: postgres, mysql or sqlite
  schema DIALECT --create creates or upgrades the table in the store

Options:
  --store URL    the store; without it the variable SESSION_STORE. Others can read a
                 password here: give it in the variable
  --all          lets `rotate` encrypt all fields, marked as sensitive or not
  --keys-file F  the file of the keys, for `rotate`; without it the variable SESSION_KEYS
  --scope SCOPE  the scope of the users, `Main` by default; without it `list` lists all
  --json         prints JSON; `list` prints one object on each line
  --             goes before a user that begins with `-`
  --help, --version

Stores that this program knows:
";

const END: &str = "
Values of sensitive fields are not shown, and no secret is.

Exit codes: 0 it is done, 1 there is no such session or list, 2 the arguments cannot be
used, 3 the store does not answer, cannot do this, or holds what cannot be read.
";

const COMMANDS: &str = "`inspect`, `list`, `end`, `end-user`, `end-everyone`, `sweep`, `stats`, `schema`, `keygen` or \
                        `rotate`";

/// The arguments, and the variable `SESSION_STORE`.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) command: Command,
    /// The URL of the store; `None` if the command needs none.
    pub(crate) store: Option<String>,
    pub(crate) json: bool,
}

/// The command.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Inspect(SessionId),
    List { scope: Option<String> },
    ListUser { user: String, scope: String },
    End(SessionId),
    EndUser { user: String, scope: String },
    EndEveryone { scope: String },
    Sweep,
    Stats,
    Keygen,
    Rotate { keys_file: Option<String>, all: bool },
    Schema { dialect: Dialect, creates: bool },
}

/// A kind of SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl Dialect {
    const ALL: [Self; 3] = [Self::Postgres, Self::MySql, Self::Sqlite];

    /// The name, which is that of the feature too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The schemes of its URLs.
    pub(crate) fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgres", "postgresql"],
            Self::MySql => &["mysql", "mariadb"],
            Self::Sqlite => &["sqlite"],
        }
    }
}

/// The options as they were given.
#[derive(Default)]
struct Options {
    store: Option<String>,
    user: Option<String>,
    scope: Option<String>,
    keys_file: Option<String>,
    all: bool,
    yes: bool,
    create: bool,
    json: bool,
}

impl Arguments {
    /// Reads the arguments; `None` if they ask for help.
    pub(crate) fn parse(arguments: Vec<String>) -> Result<Option<Self>, String> {
        let variable = std::env::var("SESSION_STORE").ok().filter(|url| !url.is_empty());
        Self::parse_with(arguments, variable)
    }

    fn parse_with(arguments: Vec<String>, variable: Option<String>) -> Result<Option<Self>, String> {
        let Some((words, options)) = Options::read(arguments)? else { return Ok(None) };
        let command = command(&words.iter().map(String::as_str).collect::<Vec<_>>(), &options)?;
        let (json, store) = (options.json, options.store.or(variable));
        let needs_store = !matches!(command, Command::Keygen | Command::Schema { creates: false, .. });
        if needs_store && store.is_none() {
            return Err("say which store: with `--store URL`, or the variable SESSION_STORE".to_owned());
        }
        Ok(Some(Self { command, store: store.filter(|_| needs_store), json }))
    }
}

impl Options {
    /// Splits the arguments into words and options; `None` if they ask for help.
    fn read(arguments: Vec<String>) -> Result<Option<(Vec<String>, Self)>, String> {
        let (mut words, mut options, mut rest) = (Vec::new(), Self::default(), arguments.into_iter());
        while let Some(argument) = rest.next() {
            if argument == "--" {
                words.extend(rest);
                break;
            }
            // One id in sixty-four begins with `-`.
            if as_id(&argument).is_some() {
                words.push(argument);
                continue;
            }
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            let place = match name.as_str() {
                "--store" => &mut options.store,
                "--user" => &mut options.user,
                "--scope" => &mut options.scope,
                "--keys-file" => &mut options.keys_file,
                "--json" | "--all" | "--yes" | "--create" if given.is_some() => {
                    return Err(format!("`{name}` takes no value"));
                }
                "--json" => {
                    options.json = true;
                    continue;
                }
                "--all" => {
                    options.all = true;
                    continue;
                }
                "--yes" => {
                    options.yes = true;
                    continue;
                }
                "--create" => {
                    options.create = true;
                    continue;
                }
                "--help" | "-h" => return Ok(None),
                name if name.starts_with('-') => return Err(no_such_option(name)),
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
        Ok(Some((words, options)))
    }

    /// Refuses the options that a command does not have.
    fn only(&self, command: &str, known: &[&str]) -> Result<(), String> {
        let given = [
            ("--user", self.user.is_some()),
            ("--scope", self.scope.is_some()),
            ("--keys-file", self.keys_file.is_some()),
            ("--all", self.all),
            ("--yes", self.yes),
            ("--create", self.create),
        ];
        match given.iter().find(|(name, is_given)| *is_given && !known.contains(name)) {
            Some((name, _)) => Err(format!("`{command}` has no option `{name}`")),
            None => Ok(()),
        }
    }

    /// Returns the scope of a user, or of everyone.
    fn scope(&self) -> String {
        self.scope.clone().unwrap_or_else(|| MainScope::NAME.to_owned())
    }
}

fn command(words: &[&str], options: &Options) -> Result<Command, String> {
    let Some((name, words)) = words.split_first() else { return Err(format!("say {COMMANDS}")) };
    let known: &[&str] = match *name {
        "list" => &["--user", "--scope"],
        "end-user" => &["--scope"],
        "end-everyone" => &["--scope", "--yes"],
        "schema" => &["--create"],
        "rotate" => &["--keys-file", "--all"],
        "inspect" | "end" | "sweep" | "stats" | "keygen" => &[],
        _ => return Err(format!("there is no command `{name}`: say {COMMANDS}")),
    };
    options.only(name, known)?;
    match (*name, words) {
        ("inspect", [id]) => Ok(Command::Inspect(parse_id(id)?)),
        ("end", [id]) => Ok(Command::End(parse_id(id)?)),
        ("inspect" | "end", _) => Err(format!("`{name}` needs the id of a session, and nothing else")),
        ("end-user", [user]) => Ok(Command::EndUser { user: (*user).to_owned(), scope: options.scope() }),
        ("end-user", _) => Err("`end-user` needs the id of a user, and nothing else".to_owned()),
        ("schema", [dialect]) => Ok(Command::Schema { dialect: parse_dialect(dialect)?, creates: options.create }),
        ("schema", _) => Err("`schema` needs `postgres`, `mysql` or `sqlite`, and nothing else".to_owned()),
        (_, [_, ..]) => Err(format!("`{name}` takes options only")),
        ("list", []) => Ok(match &options.user {
            Some(user) => Command::ListUser { user: user.clone(), scope: options.scope() },
            None => Command::List { scope: options.scope.clone() },
        }),
        ("end-everyone", []) if !options.yes => {
            Err("this ends the sessions of all users: say `end-everyone --yes` if you mean it".to_owned())
        }
        ("end-everyone", []) => Ok(Command::EndEveryone { scope: options.scope() }),
        ("sweep", []) => Ok(Command::Sweep),
        ("keygen", []) => Ok(Command::Keygen),
        ("rotate", []) => Ok(Command::Rotate { keys_file: options.keys_file.clone(), all: options.all }),
        (_, []) => Ok(Command::Stats),
    }
}

/// Says that an option does not exist. One that is longer than any option is not shown: it may be a token.
fn no_such_option(name: &str) -> String {
    let name = if name.len() < 16 { format!("`{name}`") } else { "of this name".to_owned() };
    format!("there is no option {name}; `--` goes before a user or an id that begins with `-`")
}

fn as_id(text: &str) -> Option<SessionId> {
    SessionId::parse(text.as_bytes())
}

/// Reads an id. An argument that is none is not shown: it may be a token.
fn parse_id(text: &str) -> Result<SessionId, String> {
    as_id(text).ok_or_else(|| {
        "an id is 22 characters of base64url, as in the log; a token from a cookie is none, and opens the session"
            .to_owned()
    })
}

fn parse_dialect(name: &str) -> Result<Dialect, String> {
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
    dialect.ok_or_else(|| format!("there is no schema for `{name}`: say `postgres`, `mysql` or `sqlite`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    fn parse(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse_with(line.split_whitespace().map(str::to_owned).collect(), None)
    }

    fn command(line: &str) -> Command {
        parse(&format!("--store file:x {line}")).unwrap().expect("no help was asked for").command
    }

    #[test]
    fn options_come_in_any_order_and_both_forms() {
        let id = SessionId::from_bytes([0; 16]);
        for line in [format!("inspect {ID} --store redis://a --json"), format!("--store=redis://a --json inspect {ID}")]
        {
            let Arguments { command, store, json } = parse(&line).unwrap().unwrap();
            assert_eq!((command, store.as_deref(), json), (Command::Inspect(id), Some("redis://a"), true));
        }
        assert!(parse("list -h").unwrap().is_none());
    }

    #[test]
    fn an_id_that_begins_like_an_option_is_an_id() {
        for id in ["-qgRo_3LiacsjCBoCTxW1A", "--AAAAAAAAAAAAAAAAAAAA"] {
            let parsed = SessionId::parse(id.as_bytes()).unwrap();
            assert_eq!(command(&format!("end {id}")), Command::End(parsed));
            assert_eq!(command(&format!("inspect --json {id}")), Command::Inspect(parsed));
        }
        let error = parse("end-user -5").unwrap_err();
        assert!(error.contains("`-5`") && error.contains("`--`"), "{error}");
    }

    #[test]
    fn every_command_is_read() {
        let (id, main) = (SessionId::from_bytes([0; 16]), || "Main".to_owned());
        let office = || "Office".to_owned();
        for (line, expected) in [
            ("list", Command::List { scope: None }),
            ("list --scope Office", Command::List { scope: Some(office()) }),
            ("list --user ada", Command::ListUser { user: "ada".to_owned(), scope: main() }),
            ("end AAAAAAAAAAAAAAAAAAAAAA", Command::End(id)),
            ("end-user ada --scope=Office", Command::EndUser { user: "ada".to_owned(), scope: office() }),
            ("end-user -- --yes", Command::EndUser { user: "--yes".to_owned(), scope: main() }),
            ("end-everyone --yes", Command::EndEveryone { scope: main() }),
            ("sweep", Command::Sweep),
            ("stats", Command::Stats),
            ("keygen", Command::Keygen),
            ("rotate", Command::Rotate { keys_file: None, all: false }),
            ("rotate --all", Command::Rotate { keys_file: None, all: true }),
            ("rotate --keys-file /run/keys", Command::Rotate { keys_file: Some("/run/keys".to_owned()), all: false }),
            ("schema mysql", Command::Schema { dialect: Dialect::MySql, creates: false }),
            ("schema postgres --create", Command::Schema { dialect: Dialect::Postgres, creates: true }),
        ] {
            assert_eq!(command(line), expected, "{line}");
        }
    }

    #[test]
    fn the_option_counts_before_the_variable_and_one_of_them_is_needed() {
        let store = |line: &str, variable: Option<&str>| {
            let words = line.split_whitespace().map(str::to_owned).collect();
            Arguments::parse_with(words, variable.map(str::to_owned)).map(|arguments| arguments.unwrap().store)
        };
        assert_eq!(store("sweep --store file:a", Some("file:b")).unwrap().as_deref(), Some("file:a"));
        assert_eq!(store("sweep", Some("file:b")).unwrap().as_deref(), Some("file:b"));
        assert!(store("sweep", None).unwrap_err().contains("SESSION_STORE"));
        assert_eq!(store("schema sqlite", Some("file:b")).unwrap(), None);
        assert_eq!(store("keygen", None).unwrap(), None);
        assert!(store("schema sqlite --create", None).unwrap_err().contains("--store"));
    }

    #[test]
    fn what_cannot_be_used_is_named_but_a_token_is_not() {
        for (line, named) in [
            ("", "inspect"),
            ("inspect", "needs the id"),
            ("inspect a b", "needs the id"),
            ("end", "needs the id"),
            ("inspect AAAAAAAAAAAAAAAAAAAAAA --user ada", "--user"),
            ("end AAAAAAAAAAAAAAAAAAAAAA --scope Office", "--scope"),
            ("list ada", "options only"),
            ("list --user", "`--user` needs a value"),
            ("list --user a --user b", "twice"),
            ("list --yes", "--yes"),
            ("end-user", "needs the id of a user"),
            ("end-everyone", "end-everyone --yes"),
            ("end-everyone --yes=no", "takes no value"),
            ("rotate abc", "options only"),
            ("sweep --keys-file x", "`sweep` has no option `--keys-file`"),
            ("schema", "`postgres`"),
            ("schema oracle", "`oracle`"),
            ("show", "`show`"),
            ("list --usr=ada", "`--usr`"),
            ("list -u ada", "`-u`"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
        for token in ["A".repeat(64), format!("-{}", "A".repeat(63)), format!("--{}", "A".repeat(62))] {
            assert!(!parse(&format!("inspect {token}")).unwrap_err().contains(&token));
        }
    }
}
