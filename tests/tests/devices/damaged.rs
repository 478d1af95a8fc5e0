//! Tests of damage: the damaged list or session of one user does not stand in the way of others.

use sessionkit::SessionErrorKind;
use sessionkit::store::{EntryKey, StoreError};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

fn id(visitor: &Visitor) -> String {
    sessionkit_core::Token::parse(visitor.token().expect("a session").as_bytes()).expect("a token").id().to_string()
}

fn key_of_list(user: &str) -> String {
    format!("session:{}", EntryKey::session_list("Main", user))
}

both_frameworks! {
    tests: [
        everyone_is_logged_out_although_a_list_and_a_session_are_damaged,
        a_session_that_is_damaged_hides_no_other_and_makes_room,
        a_list_of_another_type_is_begun_anew,
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

    async fn everyone_is_logged_out_although_a_list_and_a_session_are_damaged() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let people = ["ada", "bob", "eve"].map(|name| (name, server.visitor()));
        for (name, visitor) in &people {
            visitor.post("/login", name).await;
        }
        let list = key_of_list("bob");
        bench.with_redis(|redis| redis.cli(&["SET", &list, "no list"]));
        let error = bench.manager().end_everyone().await.expect_err("a login of bob's may be under way");
        assert_eq!(error.kind(), SessionErrorKind::StoreCorrupt);
        for (_, visitor) in &people {
            assert_eq!(visitor.get("/user").await.body, "nobody");
        }
        for (name, visitor) in &people {
            visitor.post("/login", name).await;
        }
        let session = format!("session:{}", id(&people[0].1));
        bench.with_redis(|redis| redis.cli(&["SET", &session, "no record"]));
        let error = bench.manager().end_everyone().await.expect_err("nobody knows whose that is");
        assert_eq!(error.kind(), SessionErrorKind::StoreCorrupt);
        for (_, visitor) in &people {
            assert_eq!(visitor.get("/user").await.body, "nobody");
        }
        bench.with_redis(|redis| redis.cli(&["DEL", &session]));
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 0);
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

    async fn a_list_of_another_type_is_begun_anew() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let [first, second] = [(); 2].map(|()| server.visitor());
        first.post("/login", "ada").await;
        let list = key_of_list("ada");
        bench.with_redis(|redis| redis.cli(&["DEL", &list]));
        bench.with_redis(|redis| redis.cli(&["HSET", &list, "no", "list"]));
        assert_eq!(second.post("/login", "ada").await.status, 200);
        assert_eq!(bench.with_redis(|redis| redis.cli(&["TYPE", &list])), "string");
        bench.manager().devices_of("ada").end_all().await.unwrap();
        for visitor in [&first, &second] {
            assert_eq!(visitor.get("/user").await.body, "nobody", "[P9]");
        }
    }

    async fn what_is_said_of_damage_names_no_user_and_begins_no_line() {
        let bench = Bench::redis().with_config(|config| config.track_devices(true));
        let (server, log) = (start(&bench).await, Log::collect());
        let name = "grace\nWARN sessionkit event=\"login\"";
        bench.with_redis(|redis| redis.cli(&["SET", &key_of_list(name), "no list"]));
        assert_eq!(server.visitor().post("/login", name).await.status, 200);
        let said = format!("{:?}", StoreError::corrupt(name));
        assert!(!said.contains('\n') && said.contains("grace"), "{said}");
        let log = log.text();
        let ours: Vec<&str> = log.lines().filter(|line| line.contains("sessionkit")).collect();
        assert!(ours.iter().any(|line| line.contains("holds something unexpected")), "{ours:?}");
        assert!(!ours.iter().any(|line| line.contains("grace") || line.starts_with("WARN sessionkit event=")), "{ours:?}");
    }
}
