//! Tests that no secret shows up in the store, in the log, or in the `Debug` output of our types.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sessionkit::SessionData;
use sessionkit::store::{EntryKey, Record};
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

use super::bytes;

/// Its own `Debug` shows everything; ours must not use it.
#[derive(Debug, SessionData)]
struct Account {
    #[session(sensitive, ttl = "10m")]
    code: Option<String>,
    #[session(sensitive)]
    pairs: BTreeMap<String, u8>,
    #[session(merge = append)]
    history: Vec<String>,
}

/// The struct as an older release stored it under the same names.
#[derive(SessionData)]
#[session(name = "account")]
struct OldAccount {
    #[session(sensitive)]
    pairs: String,
}

/// A struct whose sensitive value JSON cannot hold.
#[derive(SessionData)]
struct Grid {
    #[session(sensitive)]
    cells: BTreeMap<Cell, String>,
}

/// Its encoder refuses it, and says what it refused.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize)]
struct Cell(String);

impl serde::Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("{} has no encoding", self.0)))
    }
}

const CODE: &str = "hunter2-the-sensitive-code";

/// The ways in which the secret of a token could be written down.
fn spellings(token: &str) -> Vec<Vec<u8>> {
    let token_bytes = bytes(token);
    let secret = &token_bytes[16..];
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{secret:?}");
    vec![
        token.into(),
        // Each character holds six bits, so the secret begins in the middle of the 22nd.
        token[22..].into(),
        URL_SAFE_NO_PAD.encode(secret).into(),
        STANDARD_NO_PAD.encode(secret).into(),
        STANDARD_NO_PAD.encode(token_bytes).into(),
        hex.to_uppercase().into(),
        hex.into(),
        list.trim_matches(['[', ']']).into(),
        secret.into(),
    ]
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

behaviour_everywhere! {
    tests: [
        p7_the_store_holds_no_usable_token,
        p7_the_log_holds_no_secret,
        p7_what_our_types_print_holds_no_secret,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn write(mut account: Session<Account>) -> Reply {
        account.code = Some(CODE.into());
        account.pairs.insert(CODE.into(), 1);
        account.history.push("written".into());
        Reply::ok("written")
    }

    async fn write_slowly(mut account: Session<Account>, Shared(gates): Shared) -> Reply {
        account.code = Some(CODE.into());
        account.history.push("slow".into());
        gates.pass("write").await;
        Reply::ok("written")
    }

    async fn fail(mut account: Session<Account>) -> Reply {
        account.code = Some(CODE.into());
        Reply::status(500, "broken")
    }

    async fn write_too_much(mut account: Session<Account>) -> Reply {
        account.code = Some(CODE.repeat(10_000));
        Reply::ok("too much")
    }

    async fn write_nonsense(mut grid: Session<Grid>) -> Reply {
        grid.cells.insert(Cell(CODE.into()), CODE.into());
        Reply::ok("nonsense")
    }

    async fn read(account: SessionView<Account>) -> Reply {
        Reply::ok(account.code.is_some())
    }

    async fn write_old(mut account: Session<OldAccount>) -> Reply {
        account.pairs = CODE.into();
        Reply::ok("old")
    }

    #[session(require = |account: &Account| account.code.is_none())]
    async fn guarded() -> Reply {
        Reply::ok("passed")
    }

    async fn print(
        mut account: Session<Account>,
        view: SessionView<Account>,
        maybe: MaybeSession<Account>,
        auth: Auth,
    ) -> Answered {
        account.code = Some(format!("{CODE}2"));
        let info = auth.info().await?;
        let login = auth.login("ada");
        Ok(Reply::ok(format!("{account:?} {account:#?} {view:?} {maybe:?} {auth:?} {info:?} {login:?}")))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/rotate" => rotate,
            "/logout" => logout,
            "/write" => write,
            "/write-slowly" => write_slowly,
            "/fail" => fail,
            "/write-too-much" => write_too_much,
            "/write-nonsense" => write_nonsense,
            "/read" => read,
            "/guarded" => guarded,
            "/print" => print,
        ];
        serve(bench, routes).await
    }

    fn current(visitor: &Visitor) -> String {
        visitor.token().expect("the visitor has a session")
    }

    async fn p7_the_store_holds_no_usable_token(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let mut tokens = Vec::new();
        for path in ["/write", "/login", "/rotate", "/write"] {
            visitor.get(path).await;
            tokens.push(current(&visitor));
            let dump = bench.dump_bytes();
            // The dump is the whole store: it holds the session's name, and its fields.
            assert!(holds(&dump, URL_SAFE_NO_PAD.encode(&bytes(&tokens[0])[..16]).as_bytes()));
            assert!(holds(&dump, b"account.history") && holds(&dump, b"written"));
            assert!(!holds(&dump, CODE.as_bytes()), "sensitive fields are encrypted");
            for (token, spelling) in tokens.iter().flat_map(|token| spellings(token).into_iter().map(move |it| (token, it))) {
                assert!(!holds(&dump, &spelling), "{token} after {path}, as {}", spelling.escape_ascii());
            }
        }
        assert_eq!(tokens.iter().collect::<std::collections::HashSet<_>>().len(), 3, "two rotations");
    }

    async fn p7_the_log_holds_no_secret(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = server.visitor();
        let mut tokens = Vec::new();
        let mut step = async |path: &str, status: u16| {
            assert_eq!(visitor.get(path).await.status, status, "{path}");
            tokens.push(current(&visitor));
        };
        for path in ["/write", "/login", "/rotate", "/write", "/read", "/print"] {
            step(path, 200).await;
        }
        for (path, status) in [("/fail", 500), ("/write-too-much", 500), ("/write-nonsense", 500), ("/guarded", 403)] {
            step(path, status).await;
        }
        let slow = visitor.get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        step("/write", 200).await;
        bench.gates.open("write", 1);
        assert_eq!(slow.await.expect("the request ends").status, 200);
        // A write that comes too late, and tokens that open nothing.
        let late = visitor.get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        let old = visitor.fork();
        step("/login", 200).await;
        bench.gates.open("write", 1);
        assert_eq!(late.await.expect("the request ends").status, 200);
        assert_eq!(old.get("/read").await.body, "false");
        let two = format!("__Host-session={}; __Host-session={}", current(&visitor), {
            let other = server.visitor();
            other.get("/login").await;
            current(&other)
        });
        visitor.get_with_cookies("/read", &[two.as_bytes()]).await;
        // A stored value that does not fit its field.
        let misfit = server.visitor();
        let old_release = serve(&bench, routes!["/write-old" => write_old]).await;
        let older = old_release.visitor();
        assert_eq!(older.get("/write-old").await.status, 200);
        misfit.set_token(&current(&older));
        let answer = misfit.get("/read").await;
        assert_eq!(answer.status, 500);
        assert!(log.text().contains("account.pairs") && !answer.body.contains("pairs"), "{}", answer.body);
        tokens.extend([current(&older), two[15..79].into()]);
        assert_eq!(visitor.get("/logout").await.status, 200);

        let log = log.text();
        for event in ["session created", "login", "token rotated", "denied", "discarded", "session conflict", "logout"] {
            assert!(log.contains(event), "the log tells of {event:?}");
        }
        for event in ["account.pairs", "grid.cells", "max_record_size", "two valid session tokens", "token rejected"] {
            assert!(log.contains(event), "the log tells of {event:?}");
        }
        assert!(!log.contains("hunter2"), "{:?}", log.lines().find(|line| line.contains("hunter2")));
        for spelling in tokens.iter().flat_map(|token| spellings(token)) {
            let line = log.lines().find(|line| holds(line.as_bytes(), &spelling));
            assert_eq!(line, None, "{}", spelling.escape_ascii());
        }
    }

    async fn p7_what_our_types_print_holds_no_secret(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/write").await.status, 200);
        let mut printed = visitor.get("/print").await.body;
        assert!(printed.contains("account") && printed.contains("Auth(") && printed.contains("SessionInfo"), "{printed}");
        let token = sessionkit_core::Token::parse(current(&visitor).as_bytes()).expect("a token");
        let manager = bench.manager();
        let session = manager.open();
        let value = sessionkit::store::StoredValue::new(CODE);
        printed += &format!("{token:?} {:?} {:?} {manager:?} {session:?}", token.id(), token.secret_hash("Main"));
        printed += &format!("{value:?} {:?}", value.as_ref());
        let entry = sessionkit::Store::load(&bench.store, &EntryKey::session(token.id())).await;
        let entry = entry.expect("the store answers").expect("the session is there");
        let record = Record::from_bytes(entry.bytes()).expect("it is whole");
        printed += &format!("{entry:?} {:?} {record:?} {:?} {:?}", entry.summary(), record.header(), record.fields());
        assert!(printed.contains(&token.id().to_string()), "an id is no secret");
        assert!(!printed.contains("hunter2"), "{printed}");
        let hash = URL_SAFE_NO_PAD.encode(token.secret_hash("Main").as_bytes());
        let hash_hex: String = token.secret_hash("Main").as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        for spelling in spellings(&current(&visitor)).into_iter().chain([hash.into(), hash_hex.into()]) {
            assert!(!holds(printed.as_bytes(), &spelling), "{printed} holds {}", spelling.escape_ascii());
        }
    }
}
