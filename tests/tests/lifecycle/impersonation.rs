//! Acting as another user: who owns what meanwhile, and who really acts.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
    #[session(carry)]
    language: String,
}

behaviour! {
    tests: [
        the_real_actor_is_kept,
        it_is_a_change_of_user_and_so_is_its_end,
        it_kills_the_old_token_and_so_does_its_end,
        how_fresh_the_login_is_depends_on_the_actor,
        it_does_not_nest,
        its_end_without_a_beginning_does_nothing,
        nobody_acts_who_is_not_logged_in,
        a_login_meanwhile_is_one_of_its_own,
        a_step_up_meanwhile_is_the_actors,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("grace").methods(["pwd"]).device_label("laptop").await?;
        Ok(Reply::ok("grace"))
    }

    async fn login_ada(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn fill(mut cart: Session<Cart>) -> Reply {
        cart.items.push("tea".into());
        cart.language = "de".into();
        Reply::ok("filled")
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn change_and_act(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push("of the user before".into());
        auth.impersonate("ada").await?;
        cart.items.push("too".into());
        Ok(Reply::ok("ada"))
    }

    async fn end(auth: Auth) -> Answered {
        auth.end_impersonation().await?;
        Ok(Reply::ok("over"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn about(auth: Auth, cart: SessionView<Cart>) -> Answered {
        let Some(info) = auth.info().await? else { return Ok(Reply::ok("nobody")) };
        let actor = auth.actor().await?;
        assert_eq!(actor, info.actor);
        let age = info.authenticated_at.map(|at| info.as_of.saturating_duration_since(at).as_secs());
        let (user, device) = (info.user_id.as_deref().unwrap_or_default(), info.device_label.as_deref().unwrap_or_default());
        let actor = actor.as_deref().unwrap_or("nobody");
        Ok(Reply::ok(format!("{user} by {actor} {device} {:?} {age:?} {:?} {}", info.methods(), cart.items, cart.language)))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/login/ada" => login_ada,
            "/fill" => fill,
            "/act" => act,
            "/act/change" => change_and_act,
            "/end" => end,
            "/elevate" => elevate,
            "/about" => about,
        ];
        serve(bench, routes).await
    }

    async fn about_is(visitor: &Visitor, expected: &str) {
        assert_eq!(visitor.get("/about").await.body, expected);
    }

    async fn the_real_actor_is_kept(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        about_is(&visitor, r#"grace by nobody laptop ["pwd"] Some(0) [] "#).await;
        visitor.get("/act").await;
        about_is(&visitor, r#"ada by grace laptop ["pwd"] Some(0) [] "#).await;
        visitor.get("/end").await;
        about_is(&visitor, r#"grace by nobody laptop ["pwd"] Some(0) [] "#).await;
    }

    async fn it_is_a_change_of_user_and_so_is_its_end(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/fill").await;
        visitor.get("/act/change").await;
        about_is(&visitor, r#"ada by grace laptop ["pwd"] Some(0) [] de"#).await;
        visitor.get("/fill").await;
        visitor.get("/end").await;
        about_is(&visitor, r#"grace by nobody laptop ["pwd"] Some(0) [] de"#).await;
    }

    async fn it_kills_the_old_token_and_so_does_its_end(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        for step in ["/act", "/end"] {
            let thief = visitor.fork();
            visitor.get(step).await;
            about_is(&thief, "nobody").await;
        }
        assert_eq!(bench.sessions(), 1);
    }

    async fn how_fresh_the_login_is_depends_on_the_actor(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.clock.advance(Duration::from_secs(600));
        visitor.get("/act").await;
        about_is(&visitor, r#"ada by grace laptop ["pwd"] Some(600) [] "#).await;
        visitor.get("/end").await;
        about_is(&visitor, r#"grace by nobody laptop ["pwd"] Some(600) [] "#).await;
    }

    async fn it_does_not_nest(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        assert_eq!(visitor.get("/act").await.status, 409);
        about_is(&visitor, r#"ada by grace laptop ["pwd"] Some(0) [] "#).await;
    }

    async fn its_end_without_a_beginning_does_nothing(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let answer = visitor.get("/end").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    }

    async fn nobody_acts_who_is_not_logged_in(bench: Bench) {
        let server = start(&bench).await;
        for path in ["/act", "/end"] {
            assert_eq!(server.visitor().get(path).await.status, 401, "{path}");
        }
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_login_meanwhile_is_one_of_its_own(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        visitor.get("/fill").await;
        visitor.get("/login/ada").await;
        // What somebody put there who acted as ada is not hers.
        about_is(&visitor, "ada by nobody  [] Some(0) [] de").await;
    }

    async fn a_step_up_meanwhile_is_the_actors(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        bench.clock.advance(Duration::from_secs(600));
        visitor.get("/elevate").await;
        about_is(&visitor, r#"ada by grace laptop ["pwd", "otp"] Some(0) [] "#).await;
        visitor.get("/end").await;
        about_is(&visitor, r#"grace by nobody laptop ["pwd", "otp"] Some(0) [] "#).await;
    }
}
