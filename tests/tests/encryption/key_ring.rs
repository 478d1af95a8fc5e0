//! The keys: none, a new one, an old one, one that is lost.

use sessionkit::{FieldError, SessionData, StructMigration};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use super::{EVERYTHING, NOTHING, SHOWN, Vault, fields_of, id_of, ok, ring, with_keys};

/// The release after the one of `Vault`: `pin` is a number.
#[derive(SessionData)]
#[session(name = "vault", version = 2, migrate = parse_pin)]
struct Numbered {
    #[session(sensitive)]
    otp: Option<String>,
    #[session(sensitive)]
    pin: Option<u32>,
    open: Option<String>,
}

fn parse_pin(_: u32, stored: &mut StructMigration<'_, Numbered>) -> Result<(), FieldError> {
    if let Some(pin) = stored.get::<String>("pin")? {
        stored.insert("pin", &pin.parse::<u32>().unwrap_or_default())?;
    }
    Ok(())
}

behaviour! {
    tests: [
        without_a_key_a_sensitive_field_is_refused_with_what_to_do,
        plain_text_is_stored_where_a_setting_says_so,
        a_previous_key_opens_and_the_next_write_uses_the_active_one,
        a_lost_key_is_an_event_and_the_session_goes_on,
        a_server_that_cannot_decrypt_destroys_nothing,
        keys_come_to_servers_one_after_the_other,
        a_migration_without_the_key_leaves_no_value_in_an_older_form,
    ];

    async fn now(mut vault: Session<Vault>, body: Body) -> Reply {
        body.split(", ").for_each(|what| vault.change(what));
        Reply::ok("")
    }

    async fn read(vault: SessionView<Vault>) -> Reply {
        Reply::ok(vault.show())
    }

    async fn write_numbered(mut numbered: Session<Numbered>, body: Body) -> Reply {
        numbered.open = Some(body.to_string());
        Reply::ok("")
    }

    async fn read_numbered(numbered: SessionView<Numbered>) -> Reply {
        Reply::ok(format!("{:?} {:?} {:?}", numbered.otp, numbered.pin, numbered.open))
    }

    async fn peek(map: DynamicSession) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(map.get::<String>("vault.otp")?.unwrap_or_else(|| "none".into())))
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(&body).await?;
        Ok(Reply::ok(""))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok(""))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes![
            "/now" => now, "/read" => read, "/peek" => peek, "/login" => login, "/logout" => logout,
            "/numbered/read" => read_numbered, "/numbered/write" => write_numbered,
        ]).await
    }

    /// The keys with which each of a session's fields is encrypted.
    async fn keys_of(bench: &Bench, visitor: &sessionkit_tests::harness::Visitor) -> Vec<(String, Option<String>)> {
        let fields = fields_of(bench, id_of(visitor)).await;
        fields.iter().map(|(key, value)| (key.clone(), value.as_ref().key_id().map(|id| id.to_string()))).collect()
    }

    async fn without_a_key_a_sensitive_field_is_refused_with_what_to_do(bench: Bench) {
        let log = Log::collect();
        let bench = bench.with_keyless_config(|config| config);
        let server = start(&bench).await;
        let visitor = server.visitor();
        for _ in 0..2 {
            assert_eq!(visitor.post("/now", "open x").await.status, 500);
            assert_eq!(visitor.post("/read", "").await.status, 500);
        }
        ok(&visitor, "/login", "ada").await;
        let log = log.text();
        for part in ["vault.otp", "sessionkit keygen", "SESSION_KEYS", "plaintext_sensitive"] {
            assert!(log.contains(part), "{part}: {log}");
        }
    }

    async fn plain_text_is_stored_where_a_setting_says_so(bench: Bench) {
        let bench = bench.with_keyless_config(|config| config.plaintext_sensitive(true));
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        assert_eq!(ok(&visitor, "/read", "").await, SHOWN);
        assert!(bench.dump().contains("top-otp"));
    }

    async fn a_previous_key_opens_and_the_next_write_uses_the_active_one(bench: Bench) {
        let (old, new) = (start(&with_keys(&bench, &[0])).await, start(&with_keys(&bench, &[1, 0])).await);
        let visitor = old.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        let visitor = visitor.at(&new);
        assert_eq!(ok(&visitor, "/read", "").await, SHOWN);
        ok(&visitor, "/now", "otp newer, count 1, append more").await;
        let (first, second) = (ring(&[0]).active_id().to_string(), ring(&[1]).active_id().to_string());
        for (key, id) in keys_of(&bench, &visitor).await {
            let expected = match &*key {
                "vault.open" => None,
                "vault.otp" | "vault.count" | "vault.log" => Some(&second),
                _ => Some(&first),
            };
            assert_eq!(id.as_ref(), expected, "{key}");
        }
        assert!(ok(&visitor, "/read", "").await.starts_with(r#"Some("newer") Some("top-pin") 70008 ["top-log", "more"]"#));
    }

    async fn a_lost_key_is_an_event_and_the_session_goes_on(bench: Bench) {
        let log = Log::collect();
        let (old, new) = (start(&with_keys(&bench, &[0])).await, start(&with_keys(&bench, &[1])).await);
        let visitor = old.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        let visitor = visitor.at(&new);
        let nothing_but_open = NOTHING.replace("{} None None", "{} None Some(\"seen\")");
        assert_eq!(ok(&visitor, "/read", "").await, nothing_but_open);
        assert_eq!(ok(&visitor, "/peek", "").await, "none");
        let seen = log.text();
        let reports: Vec<&str> = seen.lines().filter(|line| line.contains("event=\"undecryptable\"")).collect();
        for key in ["vault.otp", "vault.count", "vault.tags", "vault.mine"] {
            assert!(reports.iter().any(|report| report.contains(key)), "{key}: {reports:?}");
        }
        assert!(reports.iter().all(|report| report.contains("its key is not in the key ring")), "{reports:?}");
        assert!(!seen.contains("vault.tags/"), "the keys of entries are not shown: {seen}");
        ok(&visitor, "/now", "otp again, count 2, append again, notify again, tag again").await;
        assert!(ok(&visitor, "/read", "").await.starts_with(r#"Some("again") None 2 ["again"] Some("again")"#));
        ok(&visitor, "/login", "ada").await;
        ok(&visitor, "/logout", "").await;
        ok(&visitor, "/login", "ada").await;
        assert_eq!(ok(&visitor, "/read", "").await, NOTHING);
    }

    async fn a_server_that_cannot_decrypt_destroys_nothing(bench: Bench) {
        let (with, without) = (start(&with_keys(&bench, &[0])).await, start(&with_keys(&bench, &[1])).await);
        let visitor = with.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        let (before, elsewhere) = (fields_of(&bench, id_of(&visitor)).await, visitor.at(&without));
        ok(&elsewhere, "/read", "").await;
        ok(&elsewhere, "/now", "open changed, take").await;
        ok(&elsewhere, "/login", "ada").await;
        let mut after = fields_of(&bench, id_of(&visitor)).await;
        after.insert("vault.open".to_owned(), before["vault.open"].clone());
        assert_eq!(after, before);
        let elsewhere_again = elsewhere.at(&with);
        assert_eq!(ok(&elsewhere_again, "/read", "").await, SHOWN.replace("seen", "changed"));
    }

    // From plain text to encryption, with two releases that run side by side at each step.
    async fn keys_come_to_servers_one_after_the_other(bench: Bench) {
        let plain = start(&bench.clone().with_keyless_config(|config| config.plaintext_sensitive(true))).await;
        let reads = bench.clone().with_keyless_config(|config| config.keys(ring(&[0])).plaintext_sensitive(true));
        let (reads, encrypts) = (start(&reads).await, start(&with_keys(&bench, &[0])).await);
        let visitor = plain.visitor();
        ok(&visitor, "/now", EVERYTHING).await;
        // The first step: keys everywhere, which nobody writes with.
        ok(&visitor.at(&reads), "/now", "otp at-one, count 1").await;
        assert!(ok(&visitor, "/read", "").await.starts_with(r#"Some("at-one") Some("top-pin") 70008"#));
        // The second step: those who do not encrypt yet can read what others encrypted.
        let (reads, encrypts) = (visitor.at(&reads), visitor.at(&encrypts));
        ok(&encrypts, "/now", "otp at-two, count 1, append two").await;
        assert!(!bench.dump().contains("at-two") && bench.dump().contains("top-pin"));
        for server in [&reads, &encrypts] {
            let seen = ok(server, "/read", "").await;
            assert!(seen.starts_with(r#"Some("at-two") Some("top-pin") 70009 ["top-log", "two"]"#), "{seen}");
        }
        ok(&reads, "/now", "count 1, otp at-one-again").await;
        assert!(ok(&encrypts, "/read", "").await.starts_with(r#"Some("at-one-again") Some("top-pin") 70010"#));
    }

    // Under the new version it would be read as a number, and each request would fail once the key is back.
    async fn a_migration_without_the_key_leaves_no_value_in_an_older_form(bench: Bench) {
        let (old, without) = (start(&with_keys(&bench, &[0])).await, start(&with_keys(&bench, &[1])).await);
        let with = start(&with_keys(&bench, &[0])).await;
        let visitor = old.visitor();
        ok(&visitor, "/now", "otp top-otp, pin 4711").await;
        assert_eq!(ok(&visitor.at(&with), "/numbered/read", "").await, r#"Some("top-otp") Some(4711) None"#);
        assert_eq!(ok(&visitor.at(&without), "/numbered/read", "").await, "None None None");
        assert_eq!(ok(&visitor.at(&with), "/numbered/read", "").await, r#"Some("top-otp") Some(4711) None"#);
        ok(&visitor.at(&without), "/numbered/write", "seen").await;
        assert_eq!(ok(&visitor.at(&with), "/numbered/read", "").await, r#"Some("top-otp") None Some("seen")"#);
    }
}
