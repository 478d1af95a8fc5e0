//! Tests of the statuses with which a handler's answer stores its changes, or discards them.

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::Bench;

#[derive(SessionData)]
struct Form {
    steps: u32,
    last: String,
}

behaviour_everywhere! {
    tests: [p6_a_status_below_500_commits_except_408, a_first_visit_obeys_the_same_rule];

    /// Answers with the status that the request's body names.
    async fn step(mut form: Session<Form>, body: Body) -> Reply {
        form.steps += 1;
        form.last = body.clone();
        Reply::status(body.parse().expect("the test sends a status"), form.steps)
    }

    async fn show(form: SessionView<Form>) -> Reply {
        Reply::ok(format!("{} {}", form.steps, form.last))
    }

    const COMMITS: [u16; 13] = [200, 201, 204, 302, 303, 400, 401, 403, 404, 409, 422, 429, 499];
    const DISCARDS: [u16; 6] = [408, 500, 501, 502, 503, 599];

    async fn p6_a_status_below_500_commits_except_408(bench: Bench) {
        let server = serve(&bench, routes!["/step" => step, "/show" => show]).await;
        let visitor = server.visitor();
        for (steps, status) in (1..).zip(COMMITS) {
            assert_eq!(visitor.post("/step", &status.to_string()).await.status, status);
            assert_eq!(visitor.get("/show").await.body, format!("{steps} {status}"));
            for discarded in DISCARDS {
                bench.store.take();
                assert_eq!(visitor.post("/step", &discarded.to_string()).await.status, discarded);
                assert_eq!(bench.store.take().total(), 1, "the load");
            }
            assert_eq!(visitor.get("/show").await.body, format!("{steps} {status}"));
        }
    }

    async fn a_first_visit_obeys_the_same_rule(bench: Bench) {
        let server = serve(&bench, routes!["/step" => step]).await;
        for (begun, status) in (1..).zip(COMMITS) {
            let answer = server.visitor().post("/step", &status.to_string()).await;
            assert_eq!((answer.status, answer.cookies().len(), bench.sessions()), (status, 1, begun));
        }
        for status in DISCARDS {
            let answer = server.visitor().post("/step", &status.to_string()).await;
            assert_eq!((answer.status, answer.cookies().len(), bench.sessions()), (status, 0, COMMITS.len()));
        }
    }
}
