//! Tests of the parts that an application can replace: the store, the codec, and the source of tokens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use sessionkit::{Codec, CodecError, FieldError, MessagePack, SessionData, StructMigration, TokenSource};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Visitor};

#[derive(SessionData)]
#[session(codec = MessagePack)]
struct Desk {
    name: String,
    #[session(default = light)]
    theme: Option<String>,
    size: Option<Size>,
    #[session(merge = add)]
    visits: i64,
    #[session(entries)]
    items: BTreeMap<String, u32>,
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Size {
    width: u32,
}

fn light() -> Option<String> {
    Some("light".into())
}

/// The release before: everything was JSON.
#[derive(SessionData)]
#[session(name = "desk")]
struct Before {
    name: String,
    #[session(merge = add)]
    visits: i64,
    items: BTreeMap<String, u32>,
}

/// The release after it, which changes the codec.
#[derive(SessionData)]
#[session(name = "desk", codec = MessagePack, version = 2, migrate = to_message_pack)]
struct After {
    name: String,
    #[session(merge = add)]
    visits: i64,
    #[session(entries)]
    items: BTreeMap<String, u32>,
}

fn to_message_pack(_: u32, stored: &mut StructMigration<'_, After>) -> Result<(), FieldError> {
    if let Some(name) = stored.get_with::<sessionkit::Json, String>("name")? {
        stored.insert("name", &name)?;
    }
    if let Some(items) = stored.get_with::<sessionkit::Json, BTreeMap<String, u32>>("items")? {
        stored.insert("items", &items)?;
    }
    Ok(())
}

/// The application's own codec: JSON, upside down.
struct Reversed;

impl Codec for Reversed {
    fn encode<T: serde::Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut bytes = serde_json::to_vec(value)?;
        bytes.reverse();
        buffer.extend(bytes);
        Ok(())
    }

    fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let bytes: Vec<u8> = bytes.iter().rev().copied().collect();
        Ok(serde_json::from_slice(&bytes)?)
    }
}

#[derive(SessionData)]
#[session(codec = Reversed)]
struct Note {
    text: String,
}

/// Remembers what it filled last, which a real one must not.
#[derive(Clone, Default)]
struct Remembering(Arc<Mutex<Vec<u8>>>);

impl TokenSource for Remembering {
    fn fill(&self, bytes: &mut [u8]) {
        sessionkit_core::OsRandom.fill(bytes);
        *self.0.lock().unwrap() = bytes.to_vec();
    }
}

/// Counts upwards.
#[derive(Default)]
struct Counting(AtomicU8);

impl TokenSource for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// Says how much of it nobody can predict.
struct Bits(u32);

impl TokenSource for Bits {
    fn fill(&self, bytes: &mut [u8]) {
        sessionkit_core::OsRandom.fill(bytes);
    }

    fn bits(&self) -> u32 {
        self.0
    }
}

/// Fills only the beginning.
struct Short;

impl TokenSource for Short {
    fn fill(&self, bytes: &mut [u8]) {
        sessionkit_core::OsRandom.fill(&mut bytes[..20]);
    }
}

async fn get(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

behaviour! {
    tests: [
        row_01_the_store_the_codec_and_the_token_source_are_pluggable,
        row_01_a_token_source_that_can_be_guessed_is_refused,
        message_pack_keeps_the_rules_of_every_codec,
        the_codec_of_a_struct_changes_with_its_version,
    ];

    async fn write(mut note: Session<Note>) -> Reply {
        note.text = "hello".into();
        Reply::ok("")
    }

    async fn read(note: SessionView<Note>) -> Reply {
        Reply::ok(&note.text)
    }

    async fn fill(mut desk: Session<Desk>) -> Reply {
        (desk.name, desk.theme, desk.size) = ("ada".into(), None, Some(Size { width: 3 }));
        desk.visits += 12;
        desk.items.extend([("tea".to_owned(), 2), ("rice".to_owned(), 1)]);
        Reply::ok("")
    }

    async fn empty(mut desk: Session<Desk>) -> Reply {
        desk.size = None;
        desk.items.remove("tea");
        desk.visits -= 13;
        Reply::ok("")
    }

    async fn show(desk: SessionView<Desk>) -> Reply {
        let width = desk.size.as_ref().map(|size| size.width);
        Reply::ok(format!("{} {:?} {width:?} {} {:?}", desk.name, desk.theme, desk.visits, desk.items))
    }

    async fn fill_before(mut desk: Session<Before>) -> Reply {
        desk.name = "ada".into();
        desk.visits = 5;
        desk.items.insert("tea".into(), 2);
        Reply::ok("")
    }

    async fn visit_after(mut desk: Session<After>) -> Reply {
        desk.visits += 1;
        desk.items.insert("rice".into(), 1);
        Reply::ok("")
    }

    async fn show_after(desk: SessionView<After>) -> Reply {
        Reply::ok(format!("{} {} {:?}", desk.name, desk.visits, desk.items))
    }

    async fn row_01_the_store_the_codec_and_the_token_source_are_pluggable(bench: Bench) {
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let source = Remembering::default();
        let builder = bench.builder_over(store).token_source(source.clone());
        let manager = builder.expect("it is random").build();
        let server = serve_with(&bench, manager, routes!["/write" => write, "/read" => read]).await;
        let visitor = server.visitor();
        get(&visitor, "/write").await;
        assert_eq!(get(&visitor, "/read").await, "hello");
        assert!(bench.dump().contains("olleh"), "the codec is the application's");
        let token = sessionkit_core::Token::parse(visitor.token().expect("a cookie was set").as_bytes());
        assert_eq!(token.expect("it is a token").id().as_bytes()[..], source.0.lock().unwrap()[..16]);
    }

    async fn row_01_a_token_source_that_can_be_guessed_is_refused(bench: Bench) {
        assert!(bench.builder().token_source(Bits(128)).is_ok());
        let refused = [
            bench.builder().token_source(Bits(127)),
            bench.builder().token_source(Short),
            bench.builder().token_source(Repeated),
            // Two tokens of a counter of bytes look well.
            bench.builder().token_source(Counting::default()),
        ];
        for (refused, reason) in refused.into_iter().zip(["127 unpredictable bits", "repeats", "repeats", "repeats"]) {
            let error = refused.expect_err("it is too weak").to_string();
            assert!(error.contains(reason) && error.contains("use "), "{error}");
        }
    }

    /// Every token is the same.
    struct Repeated;

    impl TokenSource for Repeated {
        fn fill(&self, bytes: &mut [u8]) {
            for (number, byte) in bytes.iter_mut().enumerate() {
                *byte = number as u8;
            }
        }
    }

    async fn message_pack_keeps_the_rules_of_every_codec(bench: Bench) {
        let server = serve(&bench, routes!["/fill" => fill, "/empty" => empty, "/show" => show]).await;
        let visitor = server.visitor();
        assert_eq!(get(&visitor, "/show").await, " Some(\"light\") None 0 {}");
        get(&visitor, "/fill").await;
        assert_eq!(get(&visitor, "/show").await, "ada None Some(3) 12 {\"rice\": 1, \"tea\": 2}");
        let dump = String::from_utf8_lossy(&bench.dump_bytes()).into_owned();
        for stored in ["\u{fffd}ada", "\u{fffd}width", "desk.items/\"tea\""] {
            assert!(dump.contains(stored), "{stored}: {dump}");
        }
        assert!(bench.dump().contains("12"), "a counter is decimal text");
        get(&visitor, "/empty").await;
        assert_eq!(get(&visitor, "/show").await, "ada None None -1 {\"rice\": 1}");
        // A nil that is the default is not stored, one that is not is.
        let dump = bench.dump();
        assert!(!dump.contains("desk.size") && dump.contains("desk.theme") && dump.contains("-1"), "{dump}");
    }

    async fn the_codec_of_a_struct_changes_with_its_version(bench: Bench) {
        let before = serve(&bench, routes!["/fill" => fill_before]).await;
        let after = serve(&bench, routes!["/visit" => visit_after, "/show" => show_after]).await;
        let visitor = before.visitor();
        get(&visitor, "/fill").await;
        let visitor = visitor.at(&after);
        assert_eq!(get(&visitor, "/show").await, "ada 5 {\"tea\": 2}");
        get(&visitor, "/visit").await;
        assert_eq!(get(&visitor, "/show").await, "ada 6 {\"rice\": 1, \"tea\": 2}");
        assert!(!bench.dump().contains("\"ada\""));
    }
}
