//! What is damaged of one user, or of one session, stands in nobody else's way.

use sessionkit::store::StoreError;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

fn id(visitor: &Visitor) -> String {
    sessionkit_core::Token::parse(visitor.token().expect("a session").as_bytes()).expect("a token").id().to_string()
}

both_frameworks! {
    tests: [
        everyone_is_logged_out_but_whose_entries_are_damaged,
        a_session_that_is_damaged_hides_no_other_and_makes_room,
        what_is_said_of_damage_names_no_user_and_begins_no_line,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/login" => login, "/user" => user]).await
    }

    async fn everyone_is_logged_out_but_whose_entries_are_damaged() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let people = ["ada", "bob", "eve"].map(|name| (name, server.visitor()));
        for (name, visitor) in &people {
            visitor.post("/login", name).await;
        }
        bench.with_redis(|redis| redis.cli(&["HSET", "session:@Main/bob", "no session", "no entry"]));
        let error = bench.manager().end_everyone().await.expect_err("bob may be logged in still");
        let error = format!("{error:?}");
        assert!(error.contains("`session:@Main/<a user>` is of the wrong type"), "{error}");
        for (name, visitor) in &people {
            let expected = if *name == "bob" { "bob" } else { "nobody" };
            assert_eq!(visitor.get("/user").await.body, expected);
        }
        bench.with_redis(|redis| redis.cli(&["HDEL", "session:@Main/bob", "no session"]));
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 1);
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_session_that_is_damaged_hides_no_other_and_makes_room() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true).max_devices(2));
        let (server, log) = (start(&bench).await, Log::collect());
        let (damaged, good, new) = (server.visitor(), server.visitor(), server.visitor());
        damaged.post("/login", "ada").await;
        good.post("/login", "ada").await;
        let key = format!("session:{}", id(&damaged));
        bench.with_redis(|redis| redis.cli(&["SET", &key, "no record"]));
        let listed = bench.manager().devices_of("ada").list().await.unwrap();
        assert_eq!(listed.iter().map(|device| device.id.to_string()).collect::<Vec<_>>(), [id(&good)]);
        assert!(log.text().contains("event=\"store_unavailable\""), "{}", log.text());
        assert_eq!(new.post("/login", "ada").await.status, 200);
        assert_eq!(bench.with_redis(|redis| redis.cli(&["EXISTS", &key])), "0", "the oldest makes room");
        for visitor in [&good, &new] {
            assert_eq!(visitor.get("/user").await.body, "ada");
        }
    }

    async fn what_is_said_of_damage_names_no_user_and_begins_no_line() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true));
        let (server, log) = (start(&bench).await, Log::collect());
        let name = "grace\nWARN sessionkit event=\"login\"";
        let key = format!("session:@Main/{name}");
        bench.with_redis(|redis| redis.cli(&["SET", &key, "no entries"]));
        assert_eq!(server.visitor().post("/login", name).await.status, 500);
        let said = format!("{:?}", StoreError::corrupt(name));
        assert!(!said.contains('\n') && said.contains("grace"), "{said}");
        let log = log.text();
        let ours: Vec<&str> = log.lines().filter(|line| line.contains("sessionkit")).collect();
        assert!(ours.iter().any(|line| line.contains("session:@Main/<a user>")), "{ours:?}");
        assert!(!ours.iter().any(|line| line.contains("grace") || line.starts_with("WARN sessionkit event=")), "{ours:?}");
    }
}
