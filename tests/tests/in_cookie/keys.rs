//! Keys that change while servers of both generations answer.

use sessionkit::{CookieSessions, KeyRing};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

use crate::sealed::{Cart, Client, bench};

both_frameworks! {
    tests: [
        row_13_keys_are_required_and_known_ones_refused,
        row_19_a_rotation_of_keys_logs_nobody_out,
        a_mixed_fleet_loses_nobody,
        a_removed_key_opens_nothing_and_is_reported,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn show(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn start(bench: &Bench, keys: &str) -> Server {
        let keys: KeyRing = keys.parse().expect("they are random");
        let sessions = bench.in_cookie::<Client>(CookieSessions::sealed(keys)).event_sink(Undecryptable(bench.clone()));
        serve_with(bench, sessions.build(), routes!["/add" => add, "/show" => show]).await
    }

    async fn row_13_keys_are_required_and_known_ones_refused() {
        // There is no way to seal without a `KeyRing`, and none to make one of these.
        for known in ["your-secret-key", "InsecureSecret", "", "0123456789abcdef0123456789abcdef"] {
            let refused = known.parse::<KeyRing>().expect_err("it is known").to_string();
            assert!(refused.contains("sessionkit keygen") && (known.is_empty() || !refused.contains(known)), "{refused}");
        }
    }

    async fn row_19_a_rotation_of_keys_logs_nobody_out() {
        let (bench, old, new) = (bench(), KeyRing::generate_key(), KeyRing::generate_key());
        let before = start(&bench, &old).await;
        let visitor = before.visitor();
        visitor.get("/add").await;
        let after = start(&bench, &format!("{new} {old}")).await;
        let visitor = visitor.at(&after);
        // A read is enough to encrypt it with the new key, once.
        let answer = visitor.get("/show").await;
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("1", 1));
        assert!(visitor.get("/show").await.cookies().is_empty());
        let without = start(&bench, &new).await;
        assert_eq!(visitor.at(&without).get("/show").await.body, "1");
    }

    async fn a_mixed_fleet_loses_nobody() {
        let (bench, old, new) = (bench(), KeyRing::generate_key(), KeyRing::generate_key());
        // First every server learns the new key, then one after the other uses it.
        let mut fleet = [start(&bench, &format!("{old} {new}")).await, start(&bench, &format!("{old} {new}")).await];
        let visitor = fleet[0].visitor();
        let mut items = 0;
        for step in 0..3 {
            if let Some(server) = fleet.get_mut(step) {
                *server = start(&bench, &format!("{new} {old}")).await;
            }
            for server in [0, 1, 0, 0, 1, 1] {
                items += 1;
                assert_eq!(visitor.at(&fleet[server]).get("/add").await.body, items.to_string(), "{step} {server}");
                assert_eq!(visitor.at(&fleet[1 - server]).get("/show").await.body, items.to_string(), "{step} {server}");
            }
        }
    }

    async fn a_removed_key_opens_nothing_and_is_reported() {
        let (bench, old, new) = (bench(), KeyRing::generate_key(), KeyRing::generate_key());
        let before = start(&bench, &old).await;
        let visitor = before.visitor();
        visitor.get("/add").await;
        let after = start(&bench, &new).await;
        let visitor = visitor.at(&after);
        assert_eq!(visitor.get("/show").await.body, "0");
        assert_eq!(bench.gates.noted("its key is not in the key ring"), 1);
        // They begin another session, and that is the end of it.
        assert_eq!(visitor.get("/add").await.body, "1");
        assert_eq!(visitor.get("/show").await.body, "1");
        assert_eq!(bench.gates.noted("its key is not in the key ring"), 2);
    }
}

struct Undecryptable(Bench);

impl sessionkit::EventSink for Undecryptable {
    fn record(&self, event: &sessionkit::SessionEvent<'_>) {
        if let sessionkit::EventKind::Undecryptable { reason, .. } = event.kind() {
            self.0.gates.note(reason);
        }
    }
}
