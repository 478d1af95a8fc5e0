//! The rules of fields, which are the same for encrypted ones.

use std::time::Duration;

use sessionkit::{FieldError, KeyRing, SessionData, StructMigration};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

use super::{EVERYTHING, NOTHING, SECRETS, SHOWN, Vault, fields_of, id_of, ok};

/// The release after the one of `Vault`: `otp` has another name, and `pin` was split.
#[derive(SessionData)]
#[session(name = "vault", version = 2, migrate = split)]
struct Next {
    #[session(sensitive, alias = "otp")]
    passcode: Option<String>,
    #[session(sensitive)]
    pin_head: Option<String>,
    #[session(sensitive)]
    pin_tail: Option<String>,
}

fn split(from: u32, stored: &mut StructMigration<'_, Next>) -> Result<(), FieldError> {
    if from < 2
        && let Some(pin) = stored.get::<String>("pin")?
    {
        let (head, tail) = pin.split_at(3);
        stored.insert("pin_head", head)?;
        stored.insert("pin_tail", tail)?;
        stored.remove("pin");
    }
    Ok(())
}

/// Nothing of it is marked.
#[derive(SessionData)]
#[session(name = "plain")]
struct Plain {
    note: Option<String>,
}

behaviour! {
    tests: [
        row_12_encryption_at_rest,
        requests_that_change_encrypted_fields_at_once_lose_nothing,
        a_value_that_does_not_change_is_not_written_again,
        encrypted_values_end_and_go_as_others_do,
        a_renamed_and_a_migrated_field_are_encrypted_too,
        what_a_logout_keeps_is_encrypted_for_the_next_session,
        the_map_reads_and_writes_encrypted_values,
        all_fields_are_encrypted_if_a_setting_says_so,
        the_size_counts_what_encryption_adds,
    ];

    async fn now(mut vault: Session<Vault>, body: Body) -> Reply {
        body.split(", ").for_each(|what| vault.change(what));
        Reply::ok("")
    }

    async fn slowly(mut vault: Session<Vault>, shared: Shared, body: Body) -> Reply {
        body.split(", ").for_each(|what| vault.change(what));
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn read(vault: SessionView<Vault>) -> Reply {
        Reply::ok(vault.show())
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(&body).await?;
        Ok(Reply::ok(""))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().keep::<Vault>().await?;
        Ok(Reply::ok(""))
    }

    async fn read_next(next: SessionView<Next>) -> Reply {
        Reply::ok(format!("{:?} {:?} {:?}", next.passcode, next.pin_head, next.pin_tail))
    }

    async fn write_next(mut next: Session<Next>, body: Body) -> Reply {
        next.passcode = Some(body.to_string());
        Reply::ok("")
    }

    async fn put(mut map: DynamicSession, body: Body) -> Result<Reply, SessionRejection> {
        let before: Option<String> = map.get("vault.otp")?;
        map.insert("vault.otp", &*body)?;
        Ok(Reply::ok(before.unwrap_or_default()))
    }

    async fn remove(mut map: DynamicSession, body: Body) -> Reply {
        Reply::ok(map.remove(&body))
    }

    async fn note(mut plain: Session<Plain>, body: Body) -> Reply {
        plain.note = Some(body.to_string());
        Reply::ok("")
    }

    async fn read_note(plain: SessionView<Plain>) -> Reply {
        Reply::ok(plain.note.as_deref().unwrap_or("none"))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes![
            "/now" => now, "/slowly" => slowly, "/read" => read, "/login" => login, "/logout" => logout,
            "/next/read" => read_next, "/next/write" => write_next, "/put" => put, "/remove" => remove,
            "/note" => note, "/note/read" => read_note,
        ]).await
    }

    async fn row_12_encryption_at_rest(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        assert_eq!(ok(&visitor, "/read", "").await, SHOWN);
        let dump = bench.dump();
        for secret in SECRETS {
            assert!(!dump.contains(secret), "{secret}: {dump}");
        }
        assert!(dump.contains("seen") && dump.contains("vault.otp"), "names, and other values, are not hidden: {dump}");
        let fields = fields_of(&bench, id_of(&visitor)).await;
        assert!(fields.iter().all(|(key, value)| value.encrypted == (key != "vault.open")), "{fields:?}");
    }

    async fn requests_that_change_encrypted_fields_at_once_lose_nothing(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        let slow: Vec<_> = (1..=4).map(|number| {
            let visitor = visitor.clone();
            let what = format!("count {number}, append mine-{number}, tag mine-{number}, take");
            tokio::spawn(async move { ok(&visitor, "/slowly", &what).await })
        }).collect();
        bench.gates.arrived("slowly", 4).await;
        ok(&visitor, "/now", "count 100, append theirs, tag theirs, notify newer, otp other").await;
        bench.gates.open("slowly", 4);
        for slow in slow {
            slow.await.expect("it is answered");
        }
        let seen = ok(&visitor, "/read", "").await;
        for part in ["Some(\"other\")", " 70117 ", "Some(\"newer\")", "\"theirs\": \"tagged-theirs\""] {
            assert!(seen.contains(part), "{part}: {seen}");
        }
        for number in 1..=4 {
            assert!(seen.contains(&format!("\"mine-{number}\"")) && seen.contains(&format!("tagged-mine-{number}")));
        }
        assert!(fields_of(&bench, id_of(&visitor)).await.iter().all(|(key, value)| value.encrypted || key == "vault.open"));
    }

    async fn a_value_that_does_not_change_is_not_written_again(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        let before = fields_of(&bench, id_of(&visitor)).await;
        bench.store.take();
        ok(&visitor, "/now", "otp top-otp, pin top-pin, mine top-mine").await;
        assert_eq!(bench.store.take().replace, 0, "nothing changed");
        assert_eq!(ok(&visitor, "/put", "top-otp").await, "top-otp");
        assert_eq!(bench.store.take().replace, 0, "nothing changed in the map");
        ok(&visitor, "/now", "pin another").await;
        let mut after = fields_of(&bench, id_of(&visitor)).await;
        assert_ne!(after.insert("vault.pin".to_owned(), before["vault.pin"].clone()), before.get("vault.pin").cloned());
        assert_eq!(after, before, "what did not change is as it was, byte for byte");
    }

    async fn encrypted_values_end_and_go_as_others_do(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        bench.clock.advance(Duration::from_secs(601));
        assert!(!ok(&visitor, "/read", "").await.contains("top-code"));
        ok(&visitor, "/login", "ada").await;
        assert!(ok(&visitor, "/read", "").await.contains("top-otp"), "the visitor is the user now");
        ok(&visitor, "/login", "bob").await;
        assert_eq!(ok(&visitor, "/read", "").await, NOTHING.replace("{} None", "{} Some(\"top-mine\")"));
    }

    async fn a_renamed_and_a_migrated_field_are_encrypted_too(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", "otp top-otp, pin top-pin, open seen").await;
        // The next release has the namespace in a process of its own.
        let next = start(&bench).await;
        let visitor = visitor.at(&next);
        assert_eq!(ok(&visitor, "/next/read", "").await, r#"Some("top-otp") Some("top") Some("-pin")"#);
        ok(&visitor, "/next/write", "top-new").await;
        assert_eq!(ok(&visitor, "/next/read", "").await, r#"Some("top-new") Some("top") Some("-pin")"#);
        let fields = fields_of(&bench, id_of(&visitor)).await;
        let names: Vec<&str> = fields.keys().map(|key| &**key).collect();
        assert_eq!(names, ["vault.@version", "vault.open", "vault.passcode", "vault.pin_head", "vault.pin_tail"]);
        let plain = ["vault.@version", "vault.open"];
        assert!(fields.iter().all(|(key, value)| value.encrypted != plain.contains(&&**key)), "{fields:?}");
    }

    async fn what_a_logout_keeps_is_encrypted_for_the_next_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        ok(&visitor, "/login", "ada").await;
        let before = id_of(&visitor);
        ok(&visitor, "/logout", "").await;
        assert_ne!(id_of(&visitor), before);
        assert_eq!(ok(&visitor, "/read", "").await, SHOWN);
        assert!(fields_of(&bench, id_of(&visitor)).await.iter().all(|(key, value)| value.encrypted || key == "vault.open"));
    }

    async fn the_map_reads_and_writes_encrypted_values(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", "otp top-otp, pin top-pin").await;
        assert_eq!(ok(&visitor, "/put", "top-put").await, "top-otp");
        assert_eq!(ok(&visitor, "/put", "top-again").await, "top-put");
        assert!(ok(&visitor, "/read", "").await.starts_with(r#"Some("top-again") Some("top-pin")"#));
        assert_eq!(ok(&visitor, "/remove", "vault.pin").await, "true");
        assert!(ok(&visitor, "/read", "").await.starts_with(r#"Some("top-again") None"#));
        assert!(!bench.dump().contains("top-"), "{}", bench.dump());
    }

    async fn all_fields_are_encrypted_if_a_setting_says_so(bench: Bench) {
        let bench = bench.with_config(|config| config.encrypt_all(true));
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/note", "unmarked-note").await;
        ok(&visitor, "/now", "open unmarked-open").await;
        assert_eq!(ok(&visitor, "/note/read", "").await, "unmarked-note");
        assert!(!bench.dump().contains("unmarked"), "{}", bench.dump());
        // A server without the setting reads it, and writes as its own settings say.
        let other = start(&bench.clone().with_config(|config| config)).await;
        let visitor = visitor.at(&other);
        assert_eq!(ok(&visitor, "/note/read", "").await, "unmarked-note");
        ok(&visitor, "/note", "unmarked-other").await;
        let dump = bench.dump();
        assert!(dump.contains("unmarked-other") && !dump.contains("unmarked-open"), "{dump}");
    }

    async fn the_size_counts_what_encryption_adds(bench: Bench) {
        let limit = 400;
        let limited = |keys: Option<KeyRing>| bench.clone().with_keyless_config(|config| {
            let config = config.max_record_size(limit).plaintext_sensitive(keys.is_none());
            match keys { Some(keys) => config.keys(keys), None => config }
        });
        let (plain, encrypting) = (limited(None), limited(Some(KeyRing::generate())));
        let (without, with) = (start(&plain).await, start(&encrypting).await);
        let longest = |visitor: Visitor| async move {
            for length in (300..=limit).rev() {
                if visitor.post("/now", &format!("otp {}", "x".repeat(length))).await.status == 200 {
                    return length;
                }
            }
            panic!("nothing fits");
        };
        let (plain_length, length) = (longest(without.visitor()).await, longest(with.visitor()).await);
        assert_eq!(plain_length - length, 34, "the mark, the algorithm, the key, the nonce and the tag");
        // What was stored as plain text, and is as long as it may be, can still be encrypted.
        let visitor = without.visitor();
        ok(&visitor, "/now", &format!("otp {}", "x".repeat(plain_length))).await;
        ok(&visitor.at(&with), "/now", &format!("otp {}", "y".repeat(plain_length))).await;
        assert!(ok(&visitor.at(&with), "/read", "").await.contains("yyy"));
    }
}
