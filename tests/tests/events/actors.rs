//! Tests of the actor that events name when an administrator acts as another user.

use sessionkit::AuditSink;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::support::{Recorded, Trail};

behaviour! {
    tests: [events_name_the_user_and_the_one_who_acts];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("root").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn again(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("again"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("ada").await?;
        Ok(Reply::ok("acting"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn end(auth: Auth) -> Answered {
        auth.end_impersonation().await?;
        Ok(Reply::ok("ended"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn events_name_the_user_and_the_one_who_acts(bench: Bench) {
        let (recorded, trail) = (Recorded::default(), Trail::default());
        let manager = bench.builder().event_sink(recorded.clone()).event_sink(AuditSink::new(trail.clone())).build();
        let routes = routes![
            "/login" => login, "/again" => again, "/act" => act, "/rotate" => rotate, "/end" => end, "/logout" => logout,
        ];
        let server = serve_with(&bench, manager.clone(), routes).await;
        let visitor = server.visitor();
        for path in ["/login", "/again", "/act", "/rotate", "/end", "/act", "/logout"] {
            assert_eq!(visitor.get(path).await.status, 200, "{path}");
        }
        manager.drain().await;
        let expected = [
            ("login", "root", ""),
            ("reauthenticated", "root", ""),
            ("impersonated", "ada", "root"),
            ("rotated", "ada", "root"),
            ("impersonation_ended", "ada", "root"),
            ("impersonated", "ada", "root"),
            ("logout", "ada", "root"),
        ];
        let seen = recorded.take();
        let seen: Vec<_> = seen.iter().map(|seen| (&*seen.name, &*seen.user, &*seen.actor)).collect();
        let of = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
        let kept: Vec<_> = trail.entries().iter().map(|entry| (entry.event, of(&entry.user_id), of(&entry.actor))).collect();
        let kept: Vec<_> = kept.iter().map(|(event, user, actor)| (*event, &**user, &**actor)).collect();
        assert_eq!(kept, expected);
        assert_eq!(seen, expected);
    }
}
