//! Tests of the details that a login records: the device, the methods, the credential.

use std::time::Duration;

use sessionkit::CredentialStamp;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

behaviour! {
    tests: [
        a_login_tells_its_device_and_its_methods,
        the_next_login_tells_its_own,
        a_label_is_cut_where_a_character_ends,
        a_method_that_is_no_name_fails_the_login,
        a_method_that_is_no_name_is_no_proof,
        a_login_lasts_for_a_second_at_least,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").device_label("Firefox on Linux").methods(["pwd", "otp"]).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_plainly(auth: Auth) -> Answered {
        auth.login("ada").credential_stamp(CredentialStamp::of("secret")).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_with_a_long_label(auth: Auth) -> Answered {
        auth.login("ada").device_label("🦊".repeat(31) + "abcé" + &"z".repeat(1_000_000)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_badly(auth: Auth) -> Reply {
        let mut answers = String::new();
        for method in ["", "pass word", "pwd\n", "é"] {
            let error = auth.login("ada").methods(["pwd", method]).await.unwrap_err();
            answers += &format!("{error:?};");
        }
        Reply::ok(answers)
    }

    async fn prove_badly(auth: Auth) -> Reply {
        let mut answers = String::new();
        for method in ["", "pass word", "pwd\n", "é"] {
            let errors = [auth.elevate(method).await.err(), auth.reauthenticate().methods([method]).await.err()];
            answers += &format!("{errors:?};");
        }
        Reply::ok(answers)
    }

    async fn login_for_a_moment(auth: Auth) -> Answered {
        auth.login("ada").lifetime(Duration::from_millis(1)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn about(auth: Auth) -> Answered {
        let info = auth.info().await?;
        let about = info.as_ref().map(|info| format!("{:?} {:?} {:?}", info.device_label, info.methods(), info.actor));
        Ok(Reply::ok(about.unwrap_or_default()))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/login/plainly" => login_plainly,
            "/login/long" => login_with_a_long_label,
            "/login/badly" => login_badly,
            "/prove/badly" => prove_badly,
            "/login/moment" => login_for_a_moment,
            "/about" => about,
        ];
        serve(bench, routes).await
    }

    async fn a_login_tells_its_device_and_its_methods(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        assert_eq!(visitor.get("/about").await.body, r#"Some("Firefox on Linux") ["pwd", "otp"] None"#);
    }

    async fn the_next_login_tells_its_own(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/login/plainly").await;
        assert_eq!(visitor.get("/about").await.body, "None [] None");
    }

    async fn a_label_is_cut_where_a_character_ends(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login/long").await;
        let label = "🦊".repeat(31) + "abc";
        assert_eq!(visitor.get("/about").await.body, format!("Some({label:?}) [] None"));
    }

    async fn a_method_that_is_no_name_fails_the_login(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let answer = visitor.get("/login/badly").await;
        assert_eq!(answer.body.matches("cannot be the name of an authentication method").count(), 4, "{}", answer.body);
        assert_eq!((answer.cookies().len(), bench.store.take().total()), (0, 0));
    }

    async fn a_method_that_is_no_name_is_no_proof(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.store.take();
        let answer = visitor.get("/prove/badly").await;
        assert_eq!(answer.body.matches("cannot be the name of an authentication method").count(), 8, "{}", answer.body);
        let calls = bench.store.take();
        assert_eq!((answer.cookies().len(), calls.load, calls.total()), (0, 1, 1));
    }

    async fn a_login_lasts_for_a_second_at_least(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login/moment").await;
        assert_eq!(visitor.get("/about").await.body, "None [] None");
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/about").await.body, "");
    }
}
