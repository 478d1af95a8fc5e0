//! Tests of files that are damaged in use: the session is none, an event says so, and nobody else notices.

use std::fs;
use std::path::{Path, PathBuf};

use sessionkit::store::{EntryKey, Store as _, StoreErrorKind};
use sessionkit::{SessionData, SessionErrorKind};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::assert_unavailable;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    views: u64,
}

/// A damage that a disk, an operator or an accident could do to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// A bit is another one: in the magic bytes, in the time, in the length, in the checksum, in the record.
    Flipped(usize),
    /// It ends in the header, and in the record.
    Cut(usize),
    Empty,
    /// It goes on.
    Longer,
    Zeros,
    /// It is a whole file, of another session.
    OfAnother,
    Directory,
    Link,
}

const DAMAGES: [Damage; 14] = [
    Damage::Flipped(0),
    Damage::Flipped(6),
    Damage::Flipped(13),
    Damage::Flipped(19),
    Damage::Flipped(25),
    Damage::Flipped(34),
    Damage::Flipped(100),
    Damage::Cut(20),
    Damage::Cut(60),
    Damage::Empty,
    Damage::Longer,
    Damage::Zeros,
    Damage::OfAnother,
    Damage::Directory,
];

impl Damage {
    fn begin(self, file: &Path, other: &Path) {
        let mut bytes = fs::read(file).unwrap();
        match self {
            Self::Flipped(at) => bytes[at] ^= 16,
            Self::Cut(length) => bytes.truncate(length),
            Self::Empty => bytes.clear(),
            Self::Longer => bytes.push(0),
            Self::Zeros => bytes.fill(0),
            Self::OfAnother => bytes = fs::read(other).unwrap(),
            Self::Directory => {
                fs::remove_file(file).unwrap();
                return fs::create_dir(file).unwrap();
            }
            Self::Link => {
                fs::remove_file(file).unwrap();
                return std::os::unix::fs::symlink(other, file).unwrap();
            }
        }
        fs::write(file, bytes).unwrap();
    }
}

fn id(visitor: &Visitor) -> sessionkit::SessionId {
    sessionkit_core::Token::parse(visitor.token().expect("a session").as_bytes()).expect("a token").id()
}

fn file(visitor: &Visitor, bench: &Bench) -> PathBuf {
    bench.file_of(&EntryKey::session(id(visitor)))
}

both_frameworks! {
    tests: [
        a_damaged_session_ends_and_nobody_else_notices,
        a_session_that_is_damaged_before_the_commit_is_left_alone,
        a_file_of_a_later_release_is_left_alone,
        a_file_that_a_later_release_has_written_meanwhile_is_not_replaced,
        everyone_is_logged_out_although_a_file_is_damaged,
        a_login_goes_on_although_the_file_of_a_list_is_damaged,
    ];

    async fn login(mut cart: Session<Cart>, auth: Auth) -> Result<Reply, SessionRejection> {
        cart.views += 1;
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok(cart.views)
    }

    async fn slow(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.views += 1;
        shared.0.pass("loaded").await;
        Reply::ok("changed")
    }

    #[session(require_login)]
    async fn vault() -> Reply {
        Reply::ok("gold")
    }

    /// A server and two people who are logged in.
    async fn start(bench: &Bench) -> (Server, Visitor, Visitor) {
        let routes = routes![
            "/login" => login, "/logout" => logout, "/read" => read, "/add" => add, "/slow" => slow, "/vault" => vault,
        ];
        let server = serve(bench, routes).await;
        let (visitor, other) = (server.visitor(), server.visitor());
        for visitor in [&visitor, &other] {
            assert_eq!(visitor.get("/login").await.status, 200);
        }
        (server, visitor, other)
    }

    async fn a_damaged_session_ends_and_nobody_else_notices() {
        let log = Log::collect();
        for damage in DAMAGES.into_iter().chain([Damage::Link]) {
            let bench = Bench::file();
            let (_server, visitor, other) = start(&bench).await;
            let (file, other_file) = (file(&visitor, &bench), file(&other, &bench));
            damage.begin(&file, &other_file);
            assert_eq!(visitor.get("/read").await.body, "0", "{damage:?}");
            assert_eq!(visitor.get("/vault").await.status, 401, "{damage:?}");
            let id = format!("id={}", id(&visitor));
            let is_of_it = |line: &str| line.contains(&id) && line.contains("what is stored is damaged");
            assert!(log.text().lines().any(is_of_it), "{damage:?}: an event says so, and of which session");
            assert_eq!(other.get("/vault").await.body, "gold", "{damage:?}");
            assert_eq!(other.get("/add").await.body, "2", "{damage:?}");
            // A login begins a session of its own.
            let again = visitor.fork();
            assert_eq!(again.get("/login").await.status, 200, "{damage:?}");
            assert_eq!(again.get("/vault").await.body, "gold", "{damage:?}");
            // A logout removes what is there, and the cookie; it does not fail again and again.
            assert!(fs::symlink_metadata(&file).is_ok(), "{damage:?}: looking ends nothing");
            assert_eq!((visitor.get("/logout").await.status, visitor.token()), (200, None), "{damage:?}");
            assert!(fs::symlink_metadata(&file).is_err(), "{damage:?}");
            assert_eq!((other.get("/read").await.body.as_str(), bench.sessions()), ("2", 2), "{damage:?}");
        }
    }

    async fn a_session_that_is_damaged_before_the_commit_is_left_alone() {
        for damage in DAMAGES {
            let bench = Bench::file();
            let (_server, visitor, other) = start(&bench).await;
            let slow = visitor.get_in_background("/slow");
            bench.gates.arrived("loaded", 1).await;
            damage.begin(&file(&visitor, &bench), &file(&other, &bench));
            bench.gates.open("loaded", 1);
            let answer = slow.await.expect("it is answered");
            assert_eq!((answer.status, answer.cookies().len()), (500, 0), "{damage:?}: {answer:?}");
            // That was this request. The next one has no session, and gets one.
            let answer = visitor.get("/add").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "1"), "{damage:?}");
            assert_eq!(visitor.get("/add").await.body, "2", "{damage:?}");
        }
    }

    async fn a_file_of_a_later_release_is_left_alone() {
        let bench = Bench::file();
        let (_server, visitor, other) = start(&bench).await;
        let (file, token) = (file(&visitor, &bench), visitor.token());
        let mut bytes = fs::read(&file).unwrap();
        bytes[3] = 2;
        fs::write(&file, &bytes).unwrap();
        // Somebody who has guessed no more than the id.
        let thief = visitor.fork();
        thief.set_token(&[&token.as_deref().unwrap()[..22], &other.token().unwrap()[22..]].concat());
        for visitor in [&visitor, &thief] {
            for path in ["/read", "/add", "/vault", "/login"] {
                assert_unavailable(&visitor.get(path).await, path);
                assert_eq!(fs::read(&file).unwrap(), bytes, "{path}: it is never wiped");
            }
        }
        assert_eq!(thief.get("/logout").await.status, 503);
        assert_eq!((visitor.token(), fs::read(&file).unwrap()), (token, bytes));
        assert_eq!(other.get("/vault").await.body, "gold");
        // Its user may end it, as a record of a later version.
        assert_eq!((visitor.get("/logout").await.status, visitor.token()), (200, None));
        assert!(!file.exists() && bench.sessions() == 1);
    }

    /// A later release may have put more before the entry. A commit of this one that had begun does not replace it.
    async fn a_file_that_a_later_release_has_written_meanwhile_is_not_replaced() {
        let bench = Bench::file();
        let (_server, visitor, _) = start(&bench).await;
        let (file, key) = (file(&visitor, &bench), EntryKey::session(id(&visitor)));
        let slow = visitor.get_in_background("/slow");
        bench.gates.arrived("loaded", 1).await;
        let mut bytes = fs::read(&file).unwrap();
        bytes[3] = 9;
        bytes.splice(32..32, *b"another checksum");
        fs::write(&file, &bytes).unwrap();
        bench.gates.open("loaded", 1);
        assert_unavailable(&slow.await.expect("it is answered"), "/slow");
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert_eq!((visitor.get("/logout").await.status, file.exists()), (200, false));
        // One whose entry cannot be found is left alone by everybody.
        bytes[12] = 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(bench.store.inner().load(&key).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }

    async fn everyone_is_logged_out_although_a_file_is_damaged() {
        for damage in DAMAGES {
            let bench = Bench::file();
            let (_server, visitor, other) = start(&bench).await;
            damage.begin(&file(&visitor, &bench), &file(&other, &bench));
            let error = bench.manager().end_everyone().await.expect_err("nobody knows whose that is");
            assert_eq!(error.kind(), SessionErrorKind::StoreCorrupt, "{damage:?}");
            for visitor in [&visitor, &other] {
                assert_eq!(visitor.get("/vault").await.status, 401, "[P9] {damage:?}");
            }
        }
    }

    async fn a_login_goes_on_although_the_file_of_a_list_is_damaged() {
        for damage in DAMAGES.into_iter().chain([Damage::Link]) {
            let bench = Bench::file().with_config(|config| config.track_devices(true));
            let (server, visitor, other) = start(&bench).await;
            let list = bench.file_of(&EntryKey::session_list("Main", "ada"));
            damage.begin(&list, &file(&other, &bench));
            let third = server.visitor();
            assert_eq!(third.get("/login").await.status, 200, "{damage:?}");
            assert!(fs::symlink_metadata(&list).unwrap().is_file(), "{damage:?}");
            bench.manager().devices_of("ada").end_all().await.unwrap();
            for visitor in [&visitor, &other, &third] {
                assert_eq!(visitor.get("/vault").await.status, 401, "[P9] {damage:?}");
            }
        }
    }
}
