//! No sink is told a secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use sessionkit::{AuditSink, CrossOriginProtection, MetricsSink, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::metrics;
use crate::support::{Recorded, Trail};

const CANARY: &str = "hunter2";

#[derive(SessionData)]
pub struct Account {
    codes: Vec<String>,
    #[session(sensitive)]
    pin: String,
}

#[derive(SessionData)]
#[session(name = "account", on_error = default)]
pub struct Forgiving {
    codes: u32,
    pin: u32,
}

behaviour! {
    tests: [no_sink_is_told_a_secret];

    type Answered = Result<Reply, SessionRejection>;

    async fn write(mut account: Session<Account>) -> Reply {
        account.codes.push(CANARY.into());
        account.pin = CANARY.into();
        Reply::ok("written")
    }

    async fn write_slowly(mut account: Session<Account>, Shared(gates): Shared) -> Reply {
        gates.pass("write").await;
        account.codes.push(CANARY.into());
        Reply::ok("written")
    }

    async fn forgive(account: SessionView<Forgiving>) -> Reply {
        Reply::ok(account.codes + account.pin)
    }

    async fn form(token: CsrfToken) -> Reply {
        Reply::ok(token.value())
    }

    async fn submit(token: CsrfToken, body: Body) -> Answered {
        token.verify(&body)?;
        Ok(Reply::ok("done"))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(require = |account: &Account| account.pin.is_empty())]
    async fn guarded() -> Reply {
        Reply::ok("secret")
    }

    async fn no_sink_is_told_a_secret(bench: Bench) {
        metrics::record();
        let (recorded, trail, log) = (Recorded::default(), Trail::default(), Log::collect());
        let watched = || {
            let builder = bench.builder().event_sink(recorded.clone()).event_sink(MetricsSink::new());
            builder.event_sink(AuditSink::new(trail.clone()).keeping(|_| true)).build()
        };
        // Two releases, of which the second reads the same values differently.
        let (manager, next) = (watched(), watched());
        let routes = routes![
            "/write" => write, "/write-slowly" => write_slowly, "/form" => form, "/submit" => submit, "/login" => login,
            "/rotate" => rotate, "/logout" => logout, "/guarded" => guarded,
        ];
        let server: Server = serve_protected(&bench, manager.clone(), CrossOriginProtection::new(), routes).await;
        let visitor = server.visitor();
        let mut secrets = vec![CANARY.to_owned()];
        for path in ["/write", "/login", "/rotate", "/write", "/guarded"] {
            visitor.get(&format!("{path}?code={CANARY}")).await;
            secrets.push(visitor.token().expect("the visitor has a session"));
        }
        let token = visitor.get("/form").await.body;
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
        let seed: Vec<u8> = (0..16).map(|index| bytes[index] ^ bytes[index + 16]).collect();
        secrets.extend([URL_SAFE_NO_PAD.encode(seed), token.clone()]);
        for wrong in [CANARY, &*secrets[1], &token[..42]] {
            assert_eq!(visitor.post("/submit", wrong).await.status, 403);
        }
        for header in [("sec-fetch-site", CANARY), ("origin", "https://hunter2.example"), ("x-csrf-token", CANARY)] {
            let headers = [(header.0, header.1.as_bytes()), ("authorization", CANARY.as_bytes())];
            visitor.send(Method::POST, "/submit?code=hunter2", &headers, CANARY).await;
        }
        let old = visitor.fork();
        let slow = visitor.get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        visitor.get("/rotate").await;
        secrets.push(visitor.token().expect("the visitor has a session"));
        bench.gates.open("write", 1);
        slow.await.expect("the request ends");
        old.get("/write?code=hunter2").await;
        old.set_token(CANARY);
        old.get("/write").await;
        let forgiving = serve_with(&bench, next.clone(), routes!["/forgive" => forgive]).await;
        assert_eq!(visitor.at(&forgiving).get("/forgive").await.body, "0");
        visitor.get("/logout").await;
        manager.drain().await;
        next.drain().await;

        let seen = recorded.take();
        let names: Vec<_> = seen.iter().map(|seen| &*seen.name).collect();
        for name in ["created", "login", "rotated", "denied", "csrf", "write_discarded", "rejected", "unfit", "logout"] {
            assert!(names.contains(&name), "{name} was seen: {names:?}");
        }
        assert_eq!(trail.entries().len(), seen.len(), "the trail kept everything");
        let seen = format!("{seen:?} {:?} {:?} {}", trail.entries(), metrics::metrics("Main"), log.text());
        for secret in secrets {
            // The first 22 letters of a token are the session's id, which is no secret.
            let secret = secret.get(22..).filter(|_| secret.len() == 64).unwrap_or(&secret);
            assert!(!seen.contains(secret), "{secret} was seen");
        }
    }
}
