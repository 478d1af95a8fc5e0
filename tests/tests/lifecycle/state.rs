//! Typed state: structs that are read, changed and stored field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
#[session(name = "shopping")]
struct Cart {
    items: BTreeMap<String, u32>,
    address: Option<Address>,
    tags: BTreeSet<char>,
    #[session(rename = "cur", default = euro)]
    currency: String,
    r#type: u8,
    #[session(merge = add)]
    views: i64,
    #[session(merge = append)]
    history: Vec<u32>,
    #[session(skip)]
    cache: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Address {
    street: String,
    lines: Vec<Option<String>>,
}

fn euro() -> String {
    "EUR".into()
}

fn show(cart: &Cart) -> String {
    let Cart { items, address, tags, currency, r#type, views, history, cache } = cart;
    format!("{items:?} {address:?} {tags:?} {currency} {type} {views} {history:?} {cache:?}", type = r#type)
}

const DEFAULTS: &str = "{} None {} EUR 0 0 [] None";

behaviour! {
    tests: [
        every_kind_of_field_comes_back,
        without_a_record_every_field_has_its_default,
        nothing_is_stored_before_there_is_data,
        an_equal_write_writes_nothing,
        only_what_changed_is_stored,
        two_extractors_of_one_request_merge,
        a_later_extraction_sees_what_an_earlier_one_changed,
        maybe_session_tells_a_visitor_without_a_session_apart,
    ];

    async fn read(cart: Session<Cart>) -> Reply {
        Reply::ok(show(&cart))
    }

    async fn view(cart: SessionView<Cart>) -> Reply {
        Reply::ok(show(&cart))
    }

    async fn fill(mut cart: Session<Cart>) -> Reply {
        cart.items.insert("tea".into(), 2);
        cart.address = Some(Address { street: "Große Straße 1\n\"".into(), lines: vec![None, Some("é".into())] });
        cart.tags.extend(['b', 'a']);
        cart.currency = "CHF".into();
        cart.r#type = 255;
        cart.views -= 3;
        cart.history.push(7);
        cart.cache = Some("gone with the request".into());
        Reply::ok(show(&cart))
    }

    /// Borrows everything mutably, and leaves it as it was.
    async fn fidget(mut cart: Session<Cart>) -> Reply {
        let Cart { items, address, tags, currency, r#type, views, history, cache } = &mut *cart;
        *items = items.clone();
        *address = address.take();
        *tags = std::mem::take(tags);
        *currency = currency.clone();
        *r#type = r#type.wrapping_add(1).wrapping_sub(1);
        *views += 5;
        *views -= 5;
        history.push(9);
        history.pop();
        *cache = Some("not stored".into());
        Reply::ok("fidgeted")
    }

    async fn tag(mut cart: Session<Cart>) -> Reply {
        cart.tags.insert('x');
        Reply::ok("tagged")
    }

    async fn twice(mut one: Session<Cart>, mut other: Session<Cart>) -> Reply {
        one.currency = "one".into();
        one.r#type = 1;
        one.views += 1;
        one.history.push(1);
        other.currency = "other".into();
        other.tags.insert('o');
        other.views += 10;
        other.history.push(2);
        drop(one);
        drop(other);
        Reply::ok("twice")
    }

    async fn maybe(cart: MaybeSession<Cart>) -> Reply {
        match cart.0 {
            Some(mut cart) => {
                cart.views += 1;
                Reply::ok(cart.views)
            }
            None => Reply::ok("none"),
        }
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/read" => read,
            "/view" => view,
            "/fill" => fill,
            "/fidget" => fidget,
            "/tag" => tag,
            "/twice" => twice,
            "/maybe" => maybe,
        ];
        serve(bench, routes).await
    }

    async fn every_kind_of_field_comes_back(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let filled = visitor.get("/fill").await.body;
        assert!(filled.contains("gone with the request"));
        let expected = "{\"tea\": 2} Some(Address { street: \"Große Straße 1\\n\\\"\", lines: [None, Some(\"é\")] }) \
                        {'a', 'b'} CHF 255 -3 [7] None";
        assert_eq!(visitor.get("/read").await.body, expected);
        assert_eq!(visitor.get("/view").await.body, expected);
        assert_eq!(server.visitor().get("/view").await.body, DEFAULTS, "another visitor has a session of their own");
    }

    async fn without_a_record_every_field_has_its_default(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/read").await.body, DEFAULTS);
        assert_eq!(visitor.get("/view").await.body, DEFAULTS);
        visitor.get("/tag").await;
        assert_eq!(visitor.get("/read").await.body, "{} None {'x'} EUR 0 0 [] None");
    }

    async fn nothing_is_stored_before_there_is_data(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        for path in ["/read", "/view", "/fidget", "/maybe"] {
            let answer = visitor.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{path}");
        }
        assert_eq!((bench.store.take().total(), bench.sessions()), (0, 0));
        assert_eq!(visitor.get("/tag").await.cookies().len(), 1);
        assert_eq!((bench.store.take().insert, bench.sessions()), (1, 1));
    }

    async fn an_equal_write_writes_nothing(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/fill").await;
        let before = (bench.dump_bytes(), bench.store.take()).0;
        for path in ["/fidget", "/read", "/view"] {
            let answer = visitor.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{path}");
        }
        let calls = bench.store.take();
        assert_eq!((calls.load, calls.total()), (3, 3));
        assert_eq!(bench.dump_bytes(), before);
    }

    async fn only_what_changed_is_stored(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/tag").await;
        let dump = bench.dump();
        assert!(dump.contains("shopping.tags"), "{dump}");
        for key in ["items", "address", "cur", "type", "views", "history", "cache"] {
            assert!(!dump.contains(&format!("shopping.{key}")), "{key} in {dump}");
        }
        visitor.get("/fill").await;
        let dump = bench.dump();
        assert!(dump.contains("shopping.cur") && dump.contains("shopping.type"), "{dump}");
        assert!(!dump.contains("shopping.cache") && !dump.contains("currency"), "{dump}");
    }

    async fn two_extractors_of_one_request_merge(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/fill").await;
        bench.store.take();
        visitor.get("/twice").await;
        assert_eq!(bench.store.take().replace, 1);
        let cart = visitor.get("/read").await.body;
        assert!(cart.ends_with("{'a', 'b', 'o'} other 1 8 [7, 1, 2] None"), "{cart}");
        // A first visit merges the same.
        let visitor = server.visitor();
        visitor.get("/twice").await;
        assert_eq!(visitor.get("/read").await.body, "{} None {'o'} other 1 11 [1, 2] None");
    }

    async fn a_later_extraction_sees_what_an_earlier_one_changed(bench: Bench) {
        let manager = bench.manager();
        let session = manager.open();
        for views in 1..4 {
            let mut cart = session.checkout::<Cart>().await.expect("nothing fails");
            assert_eq!((cart.views, cart.history.len(), cart.r#type), (views - 1, views as usize - 1, views as u8 - 1));
            cart.views += 1;
            cart.history.push(views as u32);
            cart.r#type += 1;
        }
        let view = session.view::<Cart>().await.expect("nothing fails");
        assert_eq!(show(&view), "{} None {} EUR 3 3 [1, 2, 3] None");
        assert_eq!(bench.store.take().total(), 0, "nothing is stored before the request is closed");
        let changes = manager.close(&session, 200).await;
        assert!(changes.rejection.is_none());
        assert_eq!(bench.store.take().insert, 1);
    }

    async fn maybe_session_tells_a_visitor_without_a_session_apart(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/maybe").await.body, "none");
        visitor.set_token(&"a".repeat(64));
        assert_eq!(visitor.get("/maybe").await.body, "none");
        visitor.get("/tag").await;
        assert_eq!(visitor.get("/maybe").await.body, "1");
        assert_eq!(visitor.get("/maybe").await.body, "2");
    }
}

/// `Option<Session<T>>` is `None` for a visitor without a session. On actix-web `Option` means something else.
mod axum_alone {
    use sessionkit::axum::Session;
    use sessionkit_tests::harness::axum::{routes, serve};
    use sessionkit_tests::harness::{Bench, Reply};

    use super::Cart;

    async fn visit(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok(cart.views)
    }

    async fn maybe(cart: Option<Session<Cart>>) -> Reply {
        Reply::ok(cart.map_or("none".into(), |cart| cart.views.to_string()))
    }

    async fn an_optional_session_is_none_without_a_record(bench: Bench) {
        let server = serve(&bench, routes!["/visit" => visit, "/maybe" => maybe]).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/maybe").await.body, "none");
        visitor.set_token(&"a".repeat(64));
        assert_eq!(visitor.get("/maybe").await.body, "none");
        visitor.get("/visit").await;
        assert_eq!(visitor.get("/maybe").await.body, "1");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn row_17_an_optional_session_is_none_without_a_record_in_memory() {
        an_optional_session_is_none_without_a_record(Bench::memory()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn row_17_an_optional_session_is_none_without_a_record_in_redis() {
        an_optional_session_is_none_without_a_record(Bench::redis()).await;
    }
}
