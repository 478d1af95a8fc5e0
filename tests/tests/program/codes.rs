//! Exit codes, and what is said with them.

use sessionkit::SessionId;
use sessionkit_tests::servers::redis::RedisServer;
use tempfile::TempDir;

use crate::support::{run, run_without_stores};

#[test]
fn what_cannot_be_done_has_a_code_of_its_own() {
    let url = RedisServer::shared().url();
    let absent = SessionId::from_bytes([9; 16]).to_string();
    let damaged = SessionId::from_bytes([8; 16]).to_string();
    RedisServer::shared().cli(&["SET", &format!("session:{damaged}"), "not a record"]);
    for (arguments, url, code, said) in [
        (&["inspect", &absent][..], &*url, 1, "there is no session"),
        (&["end", &absent], &url, 1, "there is no session"),
        (&["list", "--user", "nobody\u{1b}[2J"], &url, 1, "track_devices"),
        (&["inspect"], &url, 2, "--help"),
        (&["inspect", &"A".repeat(64)], &url, 2, "22 characters"),
        (&["inspect", &absent], "localhost:6379/hunter2", 2, "`redis://host`"),
        (&["inspect", &absent], "http://:hunter2@localhost", 2, "`redis://host`"),
        (&["inspect", &absent], "redis://:hunter2@localhost?table=a", 2, "`table`"),
        (
            &["inspect", &absent],
            "postgres://ada:hunter2@localhost:port/shop",
            2,
            "`postgres://user:password@host/database`",
        ),
        (&["inspect", &absent], "mysql://ada:hunter2@localhost:port/shop", 2, "`mysql://user:password@host/database`"),
        (&["inspect", &absent], "sqlite:shop.db?mode=hunter2", 2, "`sqlite:sessions.db`"),
        (&["end-everyone", "--yes"], "postgres://ada:hunter2@localhost:port/shop", 2, "is not one of PostgreSQL"),
        (&["inspect", &absent], "postgres://ada:hunter2@127.0.0.1:1/shop", 3, "cannot be opened"),
        (&["stats"], "memory:", 2, "inside of the server's process"),
        (&["end-everyone"], &url, 2, "--yes"),
        (&["inspect", &absent], "redis://:hunter2@127.0.0.1:1", 3, "cannot connect"),
        (&["inspect", &damaged], &url, 3, "damaged"),
        (&["stats"], "postgres://ada:hunter2@127.0.0.1:1/shop", 3, "check the host and the port"),
        (&["stats"], "mysql://ada:hunter2@127.0.0.1:1/shop", 3, "check the host and the port"),
        (&["stats"], "postgres://ada:hunter/2@127.0.0.1/shop", 2, "`%2F` for `/`"),
        (&["stats"], "postgres://ada:hunter2@127.0.0.1/shop?tabel=t", 2, "`table=..`"),
        (&["stats"], "sqlite:no/such/hunter2.db", 3, "check that the path is right"),
        (&["stats"], "sqlite:", 3, "names no file"),
        (&["stats"], "file://hunter2", 2, "stands a host"),
    ] {
        let output = run(arguments, Some(url));
        assert_eq!((output.code, output.shown.as_str()), (Some(code), ""), "{arguments:?}: {}", output.error);
        assert!(output.error.contains(said), "{arguments:?}: {}", output.error);
        assert!(!output.error.contains("hunter2"), "{}", output.error);
    }
    let unknown = run(&["stats"], None);
    assert!(unknown.code == Some(2) && unknown.error.contains("SESSION_STORE"), "{}", unknown.error);
}

#[test]
fn help_names_the_stores_that_the_program_knows() {
    let help = run(&["--help"], None);
    assert_eq!(help.code, Some(0));
    for part in ["Usage", "end-everyone --yes", "  redis://host\n", "  file:./sessions\n", "  sqlite:sessions.db\n"] {
        assert!(help.shown.contains(part), "{part}: {}", help.shown);
    }
}

#[test]
fn what_only_looks_creates_nothing() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("typo");
    for scheme in ["file", "sqlite"] {
        for command in [&["list"][..], &["stats"], &["sweep"], &["end-everyone", "--yes"]] {
            let output = run(command, Some(&format!("{scheme}:{}", place.display())));
            assert_eq!((output.code, output.shown.as_str()), (Some(3), ""), "{scheme} {command:?}: {}", output.error);
            assert!(!place.exists(), "{scheme} {command:?}");
        }
    }
}

#[test]
fn a_program_that_does_not_know_a_store_names_the_feature_that_does() {
    for (url, feature) in [
        ("file:./sessions", "file"),
        ("sqlite:sessions.db", "sqlite"),
        ("postgres://ada:hunter2@localhost/shop", "postgres"),
        ("mariadb://ada:hunter2@localhost/shop", "mysql"),
        ("redis://:hunter2@localhost", "redis"),
        ("rediss://:hunter2@localhost", "redis-tls"),
    ] {
        let output = run_without_stores(&["stats"], Some(url));
        assert_eq!((output.code, output.shown.as_str()), (Some(2), ""), "{url}: {}", output.error);
        assert!(output.error.contains(&format!("the feature `{feature}`")), "{url}: {}", output.error);
        assert!(!output.error.contains("hunter2"), "{}", output.error);
    }
    let unknown = run_without_stores(&["stats"], Some("mongodb://localhost"));
    assert_eq!(unknown.code, Some(2));
    for part in ["`memory:`", "`file:./sessions` (feature `file`)", "`redis://host` (feature `redis`)"] {
        assert!(unknown.error.contains(part), "{part}: {}", unknown.error);
    }
    let schema = run_without_stores(&["schema", "postgres"], None);
    assert!(schema.code == Some(2) && schema.error.contains("`postgres`"), "{}", schema.error);
    assert!(run_without_stores(&["--help"], None).shown.contains("none: install it with the feature"));
}
