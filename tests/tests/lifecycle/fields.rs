//! Fields that end earlier than their session: shown once, or for a while.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Desk {
    #[session(flash)]
    notice: Option<String>,
    #[session(flash)]
    notices: Vec<String>,
    #[session(ttl = "10m")]
    code: Option<String>,
    #[session(ttl = "1m", default = three)]
    attempts: u8,
    name: String,
}

fn three() -> u8 {
    3
}

behaviour! {
    tests: [
        a_flash_is_shown_once,
        a_flash_is_kept_when_the_page_that_shows_it_fails,
        a_flash_that_nobody_takes_stays,
        a_field_ends_exactly_at_its_ttl,
        a_change_of_the_value_begins_the_ttl_anew,
        what_has_ended_goes_with_the_next_commit,
    ];

    async fn notify(mut desk: Session<Desk>) -> Reply {
        desk.notice = Some("saved".into());
        desk.notices.extend(["one".into(), "two".into()]);
        Reply::ok("")
    }

    fn take(desk: &mut Desk) -> String {
        format!("{:?} {:?}", desk.notice.take(), std::mem::take(&mut desk.notices))
    }

    async fn show(mut desk: Session<Desk>) -> Reply {
        Reply::ok(take(&mut desk))
    }

    async fn show_and_fail(mut desk: Session<Desk>) -> Reply {
        Reply::status(500, take(&mut desk))
    }

    async fn show_and_deny(mut desk: Session<Desk>) -> Reply {
        Reply::status(403, take(&mut desk))
    }

    async fn peek(desk: Session<Desk>) -> Reply {
        Reply::ok(format!("{:?} {:?} {}", desk.notice, desk.notices, desk.name))
    }

    async fn send_code(mut desk: Session<Desk>) -> Reply {
        desk.code = Some("1234".into());
        desk.attempts = 2;
        desk.name = "ada".into();
        Reply::ok("")
    }

    async fn resend_code(mut desk: Session<Desk>) -> Reply {
        desk.code = Some("5678".into());
        Reply::ok("")
    }

    async fn same_code(mut desk: Session<Desk>) -> Reply {
        desk.code = Some("1234".into());
        Reply::ok("")
    }

    async fn rename(mut desk: Session<Desk>) -> Reply {
        desk.name = "bob".into();
        Reply::ok("")
    }

    async fn codes(desk: SessionView<Desk>) -> Reply {
        Reply::ok(format!("{:?} {} {}", desk.code, desk.attempts, desk.name))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/notify" => notify,
            "/show" => show,
            "/show-and-fail" => show_and_fail,
            "/show-and-deny" => show_and_deny,
            "/peek" => peek,
            "/send-code" => send_code,
            "/resend-code" => resend_code,
            "/same-code" => same_code,
            "/rename" => rename,
            "/codes" => codes,
        ];
        serve(bench, routes).await
    }

    const SHOWN: &str = "Some(\"saved\") [\"one\", \"two\"]";
    const NOTHING: &str = "None []";

    async fn a_flash_is_shown_once(bench: Bench) {
        let server = start(&bench).await;
        for path in ["/show", "/show-and-deny"] {
            let visitor = server.visitor();
            visitor.get("/notify").await;
            assert_eq!(visitor.get(path).await.body, SHOWN);
            assert_eq!(visitor.get(path).await.body, NOTHING, "{path}");
            assert!(!bench.dump().contains("desk.notice"), "{path}");
            visitor.get("/notify").await;
            assert_eq!(visitor.get("/show").await.body, SHOWN);
        }
    }

    async fn a_flash_is_kept_when_the_page_that_shows_it_fails(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/notify").await;
        for _ in 0..2 {
            assert_eq!(visitor.get("/show-and-fail").await.body, SHOWN);
        }
        assert_eq!(visitor.get("/show").await.body, SHOWN);
        assert_eq!(visitor.get("/show").await.body, NOTHING);
    }

    async fn a_flash_that_nobody_takes_stays(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/notify").await;
        assert_eq!(visitor.get("/peek").await.body, format!("{SHOWN} "));
        visitor.get("/rename").await;
        assert_eq!(visitor.get("/peek").await.body, format!("{SHOWN} bob"));
    }

    async fn a_field_ends_exactly_at_its_ttl(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/send-code").await;
        bench.clock.advance(Duration::from_secs(59));
        assert_eq!(visitor.get("/codes").await.body, "Some(\"1234\") 2 ada");
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/codes").await.body, "Some(\"1234\") 3 ada");
        bench.clock.advance(Duration::from_secs(539));
        assert_eq!(visitor.get("/codes").await.body, "Some(\"1234\") 3 ada");
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/codes").await.body, "None 3 ada");
    }

    async fn a_change_of_the_value_begins_the_ttl_anew(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/send-code").await;
        bench.clock.advance(Duration::from_secs(599));
        visitor.get("/resend-code").await;
        bench.clock.advance(Duration::from_secs(599));
        assert_eq!(visitor.get("/codes").await.body, "Some(\"5678\") 3 ada");
        // An equal value is no change, and a change of another field is none of this one.
        visitor.get("/resend-code").await;
        visitor.get("/rename").await;
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/codes").await.body, "None 3 bob");
        // What has ended may be set again, to what it was too.
        visitor.get("/same-code").await;
        assert_eq!(visitor.get("/codes").await.body, "Some(\"1234\") 3 bob");
    }

    async fn what_has_ended_goes_with_the_next_commit(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/send-code").await;
        assert!(bench.dump().contains("1234"));
        bench.clock.advance(Duration::from_secs(600));
        visitor.get("/rename").await;
        let dump = bench.dump();
        assert!(!dump.contains("1234") && !dump.contains("desk.code") && dump.contains("desk.name"), "{dump}");
    }
}
