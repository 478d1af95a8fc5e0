//! Sessions whose bytes are damaged, or a later release's.

use sessionkit::SessionManager;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::assert_unavailable;
use sessionkit_tests::harness::{Answer, Bench, COOKIE, Server, Visitor};

use crate::shop::{Cart, redis};

/// The key of the only session.
fn key(bench: &Bench) -> String {
    bench.with_redis(|redis| redis.cli(&["--raw", "KEYS", "*"]))
}

/// A damage that an operator could do to the bytes of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    /// The key holds a list.
    OtherType,
    Text,
    Empty,
    /// Cut off in the header.
    Cut,
    /// Cut off in the fields.
    Torn,
    OtherKind,
}

const DAMAGES: [Damage; 6] =
    [Damage::OtherType, Damage::Text, Damage::Empty, Damage::Cut, Damage::Torn, Damage::OtherKind];

impl Damage {
    /// Returns `true` if a commit still finds the revision that its request loaded before the damage.
    fn keeps_revision(self) -> bool {
        matches!(self, Self::Cut | Self::Torn | Self::OtherKind)
    }

    fn begin(self, key: &str, bench: &Bench) {
        let mut bytes = stored(key, bench);
        match self {
            Self::OtherType => {
                redis(bench, &["DEL", key]);
                redis(bench, &["RPUSH", key, "x"]);
                return;
            }
            Self::Text => bytes = b"damaged".to_vec(),
            Self::Empty => bytes.clear(),
            Self::Cut => bytes.truncate(40),
            Self::Torn => drop(bytes.pop()),
            Self::OtherKind => bytes[13] = b'?',
        }
        store(key, &bytes, bench);
    }
}

fn connection(bench: &Bench) -> redis::Connection {
    let client = redis::Client::open(bench.with_redis(|redis| redis.url())).expect("the URL is valid");
    client.get_connection().expect("the server answers")
}

fn stored(key: &str, bench: &Bench) -> Vec<u8> {
    redis::cmd("GET").arg(key).query(&mut connection(bench)).expect("the server answers")
}

fn store(key: &str, bytes: &[u8], bench: &Bench) {
    redis::cmd("SET").arg(key).arg(bytes).exec(&mut connection(bench)).expect("the server answers");
}

/// Puts another value of the same length in the place of the counter's.
fn set_views(views: u8, key: &str, bench: &Bench) {
    let mut bytes = stored(key, bench);
    let name = b"cart.views\0\x01";
    let at = bytes.windows(name.len()).position(|window| window == name).expect("the field is stored");
    bytes[at + name.len()] = views;
    store(key, &bytes, bench);
}

#[track_caller]
fn assert_broken(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.cookies().len()), (500, 0), "{what}: {answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{what}");
}

both_frameworks! {
    tests: [
        a_session_that_cannot_be_read_is_none,
        a_session_of_a_later_release_is_left_alone,
        a_session_that_is_damaged_before_the_commit_is_left_alone,
        a_field_of_the_wrong_type_is_an_error,
        a_field_that_goes_wrong_before_the_commit_stops_all_of_it,
    ];

    crate::shop::handlers!();

    async fn a_session_that_cannot_be_read_is_none() {
        for damage in DAMAGES {
            let bench = Bench::redis();
            let (server, visitor) = shop_with_visitor(&bench).await;
            let (key, token) = (key(&bench), visitor.token());
            damage.begin(&key, &bench);
            assert_eq!(visitor.get("/read").await.body, "0 [] ", "{damage:?}");
            assert_eq!(visitor.get("/allowed").await.status, 401, "{damage:?}");
            assert_eq!(bench.gates.noted("let in"), 0, "a handler ran, whatever was answered");
            assert_eq!(redis(&bench, &["EXISTS", &key]), "1", "{damage:?}: looking ends nothing");
            assert_eq!(visitor.token(), token);
            // A login begins a session of its own, beside what is damaged.
            let again = visitor.fork();
            assert_eq!(again.get("/login").await.status, 200, "{damage:?}");
            assert_eq!((again.get("/read").await.body.as_str(), bench.sessions()), ("1 [1] ada", 2), "{damage:?}");
            // A good cookie is not hidden by the other.
            let both = [&visitor, &again].map(|visitor| format!("{COOKIE}={}", visitor.token().expect("a cookie")));
            let read = server.visitor().get_with_cookies("/read", &[both.join("; ").as_bytes()]).await;
            assert_eq!(read.body, "1 [1] ada", "{damage:?}");
            // A logout removes the record and the cookie.
            let answer = visitor.get("/logout").await;
            assert_eq!((answer.status, visitor.token()), (200, None), "{damage:?}");
            assert_eq!((redis(&bench, &["EXISTS", &key]), bench.sessions()), ("0".into(), 1), "{damage:?}");
        }
    }

    async fn a_session_of_a_later_release_is_left_alone() {
        let bench = Bench::redis();
        let (server, visitor) = shop_with_visitor(&bench).await;
        let (key, token) = (key(&bench), visitor.token());
        let mut bytes = stored(&key, &bench);
        bytes[0] = 2;
        store(&key, &bytes, &bench);
        for path in ["/read", "/add", "/own", "/allowed", "/login"] {
            assert_unavailable(&visitor.get(path).await, path);
            assert_eq!(stored(&key, &bench), bytes, "{path}: it is never wiped");
        }
        assert_eq!((visitor.token(), bench.sessions()), (token, 1));
        assert_eq!(server.visitor().get("/login").await.status, 200, "it is this session's trouble alone");
        assert_eq!(visitor.get("/logout").await.status, 200, "but a logout ends it");
        assert_eq!((visitor.token(), bench.sessions()), (None, 1));
    }

    async fn a_session_that_is_damaged_before_the_commit_is_left_alone() {
        for damage in DAMAGES {
            for path in ["/slow", "/slow-login"] {
                let bench = Bench::redis();
                let (_server, visitor) = shop_with_visitor(&bench).await;
                let (key, token) = (key(&bench), visitor.token());
                let happens = || damage.begin(&key, &bench);
                let answer = before_the_commit(path, &visitor, &bench, happens).await;
                if damage.keeps_revision() {
                    // Nobody looks at what is replaced, so the damage is gone.
                    assert_eq!((answer.status, bench.sessions()), (200, 1), "{damage:?} {path}");
                    assert_eq!(visitor.get("/allowed").await.body, "let in", "{damage:?} {path}");
                } else if path == "/slow" {
                    assert_broken(&answer, path);
                    assert_eq!((visitor.token(), bench.sessions()), (token, 1), "{damage:?}");
                } else {
                    // Valid credentials never fail: it begins a session of its own.
                    assert_eq!((answer.status, bench.sessions()), (200, 2), "{damage:?}");
                }
                assert_eq!(redis(&bench, &["EXISTS", &key]), "1", "{damage:?} {path}");
            }
        }
    }

    async fn a_field_of_the_wrong_type_is_an_error() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let (key, token) = (key(&bench), visitor.token());
        set_views(b'x', &key, &bench);
        let damaged = stored(&key, &bench);
        for path in ["/read", "/add", "/own", "/allowed", "/login"] {
            assert_broken(&visitor.get(path).await, path);
            assert_eq!(stored(&key, &bench), damaged, "{path}");
        }
        assert_eq!(visitor.token(), token);
        assert_eq!(bench.gates.noted("let in"), 0, "a handler ran, whatever was answered");
        set_views(b'1', &key, &bench);
        assert_eq!(visitor.get("/read").await.body, "1 [1] ada", "nothing was lost");
        // What does not look at the field can do without it.
        set_views(b'x', &key, &bench);
        assert_eq!(visitor.get("/logout").await.status, 200);
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_field_that_goes_wrong_before_the_commit_stops_all_of_it() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let key = key(&bench);
        // Another release writes it, so that the record is a newer one.
        let happens = || {
            let mut bytes = stored(&key, &bench);
            bytes[8] ^= 1;
            store(&key, &bytes, &bench);
            set_views(b'x', &key, &bench);
        };
        assert_broken(&before_the_commit("/slow", &visitor, &bench, happens).await, "/slow");
        set_views(b'1', &key, &bench);
        assert_eq!(visitor.get("/read").await.body, "1 [1] ada", "all or nothing");
    }
}
