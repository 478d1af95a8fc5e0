//! An attacker who has a dump of the store, and may write to it.

use std::collections::BTreeMap;

use sessionkit::store::StoredValue;
use sessionkit::{SessionData, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use super::{fields_of, id_of, ok, put_fields};

/// Fields of one type, so that each would be read as any other.
#[derive(SessionData)]
#[session(name = "vault")]
struct Shop {
    #[session(sensitive)]
    first: Option<String>,
    #[session(sensitive)]
    second: Option<String>,
    #[session(sensitive, entries)]
    entries: BTreeMap<String, String>,
}

/// The same fields, of another scope.
#[derive(SessionData)]
#[session(name = "vault", scope = Office)]
struct Desk {
    #[session(sensitive)]
    first: Option<String>,
    #[session(sensitive)]
    second: Option<String>,
    #[session(sensitive, entries)]
    entries: BTreeMap<String, String>,
}

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

const PLACES: [&str; 4] = ["vault.first", "vault.second", "vault.entries/\"x\"", "vault.entries/\"y\""];
const NOTHING: &str = "None None {}";

behaviour! {
    tests: [
        a_value_that_is_moved_to_any_other_place_opens_nothing,
        an_altered_value_is_absent_and_no_damage,
        what_a_newer_release_encrypted_is_left_alone,
        a_value_without_its_flag_is_not_read_as_another,
        an_older_value_of_the_same_field_opens,
    ];

    async fn fill(mut shop: Session<Shop>, body: Body) -> Reply {
        (shop.first, shop.second) = (Some(format!("{}-first", &*body)), Some(format!("{}-second", &*body)));
        shop.entries.insert("x".into(), format!("{}-x", &*body));
        shop.entries.insert("y".into(), format!("{}-y", &*body));
        Reply::ok("")
    }

    async fn read(shop: SessionView<Shop>) -> Reply {
        Reply::ok(format!("{:?} {:?} {:?}", shop.first, shop.second, shop.entries))
    }

    async fn write_first(mut shop: Session<Shop>, body: Body) -> Reply {
        shop.first = Some(body.to_string());
        Reply::ok("")
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/fill" => fill, "/read" => read, "/first" => write_first]).await
    }

    async fn a_value_that_is_moved_to_any_other_place_opens_nothing(bench: Bench) {
        let server = start(&bench).await;
        let (ada, eve) = (server.visitor(), server.visitor());
        ok(&ada, "/fill", "ada").await;
        ok(&eve, "/fill", "eve").await;
        let (of_ada, of_eve) = (fields_of(&bench, id_of(&ada)).await, fields_of(&bench, id_of(&eve)).await);
        // Into each place of her own session she puts each value of hers and of another session.
        for place in PLACES {
            for (from, fields) in [("ada", &of_ada), ("eve", &of_eve)] {
                for (key, value) in fields.iter().filter(|(key, _)| from == "ada" || *key != place) {
                    put_fields(&bench, id_of(&eve), &BTreeMap::from([(place.to_owned(), value.clone())])).await;
                    assert_eq!(ok(&eve, "/read", "").await, NOTHING, "{key} of {from} at {place}");
                }
            }
        }
        // All at once, which is the whole of another session's fields.
        put_fields(&bench, id_of(&eve), &of_ada).await;
        assert_eq!(ok(&eve, "/read", "").await, NOTHING);
        put_fields(&bench, id_of(&eve), &of_eve).await;
        assert!(ok(&eve, "/read", "").await.contains("eve-first"), "what is hers still opens where it was");
    }

    async fn an_altered_value_is_absent_and_no_damage(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/fill", "ada").await;
        let whole = fields_of(&bench, id_of(&visitor)).await;
        let length = whole["vault.first"].bytes.len();
        for byte in 0..length {
            let mut fields = whole.clone();
            fields.get_mut("vault.first").expect("it is stored").bytes[byte] ^= 1 << (byte % 8);
            put_fields(&bench, id_of(&visitor), &fields).await;
            let seen = ok(&visitor, "/read", "").await;
            assert!(seen.starts_with("None Some(\"ada-second\")"), "byte {byte}: {seen}");
        }
        let log = log.text();
        let reported = log.lines().filter(|line| line.contains("event=\"undecryptable\"")).count();
        assert_eq!(reported, length, "{log}");
        assert!(log.contains("it was altered") && !log.contains("ada-"), "{log}");
        // A new value takes its place.
        ok(&visitor, "/first", "new").await;
        assert!(ok(&visitor, "/read", "").await.starts_with("Some(\"new\") Some(\"ada-second\")"));
    }

    async fn what_a_newer_release_encrypted_is_left_alone(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/fill", "ada").await;
        let mut fields = fields_of(&bench, id_of(&visitor)).await;
        fields.get_mut("vault.second").expect("it is stored").bytes[1] = 2;
        put_fields(&bench, id_of(&visitor), &fields).await;
        assert!(ok(&visitor, "/read", "").await.starts_with("Some(\"ada-first\") None"));
        ok(&visitor, "/first", "new").await;
        assert_eq!(fields_of(&bench, id_of(&visitor)).await["vault.second"], fields["vault.second"]);
    }

    async fn a_value_without_its_flag_is_not_read_as_another(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/fill", "ada").await;
        let mut fields = fields_of(&bench, id_of(&visitor)).await;
        let value = fields.get_mut("vault.first").expect("it is stored");
        *value = StoredValue { encrypted: false, ..value.clone() };
        put_fields(&bench, id_of(&visitor), &fields).await;
        // As a release reads it that knows no encryption: it fits no type.
        assert_eq!(visitor.post("/read", "").await.status, 500);
    }

    // What no encryption of single values can see, as the guide says: it needs a state outside of the store.
    async fn an_older_value_of_the_same_field_opens(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        ok(&visitor, "/fill", "old").await;
        let old = fields_of(&bench, id_of(&visitor)).await;
        ok(&visitor, "/first", "new").await;
        put_fields(&bench, id_of(&visitor), &old).await;
        assert!(ok(&visitor, "/read", "").await.starts_with("Some(\"old-first\")"));
    }
}

/// Scopes that share a store and keys, each by itself.
mod scopes {
    use super::*;
    use sessionkit::testing::TestSession;

    #[tokio::test]
    async fn a_value_of_another_scope_opens_nothing() {
        let bench = Bench::memory();
        let shop = TestSession::new(&bench.manager()).with(|shop: &mut Shop| shop.first = Some("shop".into())).await;
        let desk = TestSession::new(&bench.manager_of::<Office>());
        let desk = desk.with(|desk: &mut Desk| desk.first = Some("desk".into())).await;
        let id = desk.info().await.expect("there is a session").id;
        let of_shop = fields_of(&bench, shop.info().await.expect("there is a session").id).await;
        put_fields(&bench, id, &of_shop).await;
        assert_eq!(desk.view::<Desk>().await.first, None);
    }
}
