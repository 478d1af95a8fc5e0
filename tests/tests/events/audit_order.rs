//! The audit trail of an application under load.

use std::collections::BTreeMap;

use sessionkit::AuditSink;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::support::Trail;

behaviour! {
    tests: [the_trail_has_everything_in_order];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn the_trail_has_everything_in_order(bench: Bench) {
        let trail = Trail::default();
        let manager = bench.builder().event_sink(AuditSink::new(trail.clone())).build();
        let server = serve_with(&bench, manager.clone(), routes!["/login" => login, "/logout" => logout]).await;
        let visits = (0..8).map(|person| {
            let visitor = server.visitor();
            tokio::spawn(async move {
                for visit in 0..20 {
                    visitor.post("/login", &format!("{person}:{visit}")).await;
                    visitor.get("/logout").await;
                }
            })
        });
        for visit in visits.collect::<Vec<_>>() {
            visit.await.expect("the visits end");
        }
        manager.drain().await;
        let mut of_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in trail.lines() {
            let (event, user) = line.split_once(' ').expect("two words");
            let (person, visit) = user.split_once(':').expect("a person and a visit");
            of_person.entry(person.to_owned()).or_default().push(format!("{event} {visit}"));
        }
        let expected: Vec<String> = (0..20).flat_map(|visit| [format!("login {visit}"), format!("logout {visit}")]).collect();
        assert_eq!(of_person.len(), 8);
        for (person, lines) in of_person {
            assert_eq!(lines, expected, "{person}");
        }
    }
}
