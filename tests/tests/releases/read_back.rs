//! A value that its codec can write and not read is refused by the request that writes it, so it never locks anybody out.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;
use sessionkit::{MessagePack, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

#[derive(SessionData)]
#[session(name = "lab")]
struct Lab {
    reading: f64,
    maybe: Option<f64>,
    twice: Option<Option<u8>>,
    unit: Option<()>,
    json: Option<Value>,
    rows: Vec<Option<Option<u8>>>,
    wide: Vec<Wide>,
    tagged: Option<Tagged>,
    deep: Deep,
    one_way: Option<OneWay>,
    left_out: Option<LeftOut>,
    #[session(flash)]
    notice: Option<Option<u8>>,
    #[session(flash)]
    notices: Vec<Option<f64>>,
    #[session(entries)]
    entries: BTreeMap<String, Option<f64>>,
    #[session(entries)]
    keys: BTreeMap<Option<Option<u8>>, u8>,
    #[session(merge = larger)]
    merged: f64,
    #[session(sensitive)]
    secret: Vec<Wide>,
    #[session(merge = add)]
    kept: u32,
}

/// The same, as far as MessagePack cannot read it either.
#[derive(SessionData)]
#[session(name = "packed", codec = MessagePack)]
struct Packed {
    reading: f64,
    maybe: Option<f64>,
    twice: Option<Option<u8>>,
    unit: Option<()>,
    wide: Vec<Wide>,
    one_way: Option<OneWay>,
    #[session(merge = add)]
    kept: u32,
}

fn larger(_: &f64, mine: f64, theirs: f64) -> f64 {
    // Nobody noticed that it takes the root of a negative number.
    if mine == theirs { mine } else { (-(mine - theirs).abs()).sqrt() }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(untagged)]
enum Wide {
    Number(i128),
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(tag = "kind")]
enum Tagged {
    Counts { counts: BTreeMap<u32, u32> },
}

#[derive(Default, serde::Deserialize, serde::Serialize)]
struct Deep(Vec<Deep>);

impl Deep {
    fn of(levels: usize) -> Self {
        (0..levels).fold(Self::default(), |inner, _| Self(vec![inner]))
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
struct OneWay {
    #[serde(rename(serialize = "written"))]
    value: u8,
}

#[derive(serde::Deserialize, serde::Serialize)]
struct LeftOut {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "Option::deserialize")]
    value: Option<u8>,
}

impl Lab {
    fn set(&mut self, what: &str) {
        let huge = || Wide::Number(i128::MAX - 4711);
        match what {
            "reading" => self.reading = f64::NAN,
            "maybe" => self.maybe = Some(f64::INFINITY),
            "twice" => self.twice = Some(None),
            "unit" => self.unit = Some(()),
            "json" => self.json = Some(Value::Null),
            "rows" => self.rows = vec![Some(None)],
            "wide" => self.wide.push(huge()),
            "tagged" => self.tagged = Some(Tagged::Counts { counts: BTreeMap::from([(1, 2)]) }),
            "deep" => self.deep = Deep::of(200),
            "one_way" => self.one_way = Some(OneWay { value: 1 }),
            "left_out" => self.left_out = Some(LeftOut { value: None }),
            "notice" => self.notice = Some(None),
            "notices" => self.notices.push(Some(f64::NAN)),
            "entries" => drop(self.entries.insert("a".into(), Some(f64::NAN))),
            "keys" => self.keys.extend([(None, 1), (Some(None), 2)]),
            "secret" => self.secret.push(huge()),
            _ => unreachable!("{what}"),
        }
    }
}

const FIELDS: [&str; 16] = [
    "reading", "maybe", "twice", "unit", "json", "rows", "wide", "tagged", "deep", "one_way", "left_out", "notice",
    "notices", "entries", "keys", "secret",
];

async fn get(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

behaviour! {
    tests: [
        what_json_cannot_read_is_refused_when_it_is_written,
        what_message_pack_cannot_read_is_refused_and_the_rest_comes_back,
        a_null_that_becomes_a_some_of_nothing_does_not_pass_for_no_change,
        a_merge_that_makes_what_cannot_be_read_is_refused,
        the_map_refuses_what_it_could_not_read,
        a_handle_refuses_it_too,
        values_that_come_back_in_another_form_are_stored,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn set(mut lab: Session<Lab>, what: Body) -> Reply {
        lab.kept += 1;
        lab.set(&what);
        Reply::ok("")
    }

    async fn pack(mut packed: Session<Packed>, what: Body) -> Reply {
        packed.kept += 1;
        match &*what {
            "reading" => packed.reading = f64::NAN,
            "maybe" => packed.maybe = Some(f64::NAN),
            "twice" => packed.twice = Some(None),
            "unit" => packed.unit = Some(()),
            "wide" => packed.wide.push(Wide::Number(i128::MAX)),
            "one_way" => packed.one_way = Some(OneWay { value: 1 }),
            _ => unreachable!("{what}"),
        }
        Reply::ok("")
    }

    async fn rows(mut lab: Session<Lab>, what: Body) -> Reply {
        lab.rows = if what == "null" { vec![None] } else { vec![Some(None)] };
        Reply::ok("")
    }

    async fn merge(mut lab: Session<Lab>, shared: Shared) -> Reply {
        lab.merged += 1.0;
        shared.0.pass("merge").await;
        Reply::ok("")
    }

    async fn merge_now(mut lab: Session<Lab>) -> Reply {
        lab.merged += 2.0;
        Reply::ok("")
    }

    async fn show(lab: SessionView<Lab>) -> Reply {
        Reply::ok(format!("{} {}", lab.kept, lab.merged))
    }

    async fn show_packed(packed: SessionView<Packed>) -> Reply {
        Reply::ok(format!("{} {} {:?}", packed.kept, packed.reading, packed.maybe))
    }

    async fn map(mut session: DynamicSession, what: Body) -> Answered {
        let deep = Deep::of(200);
        match &*what {
            "nan" => session.insert("x", &f64::NAN)?,
            "twice" => session.insert("x", &Some(None::<u8>))?,
            "inner" => session.insert("x", &BTreeMap::from([("a", Some(()))]))?,
            "deep" => session.insert("x", &deep)?,
            "in-place" => {
                session.insert("x", &vec![None::<f64>])?;
                *session.get_mut::<Vec<Option<f64>>>("x")?.expect("it is there") = vec![Some(f64::NAN)];
            }
            "null" => session.insert("x", &None::<u8>)?,
            _ => unreachable!("{what}"),
        }
        Ok(Reply::ok(""))
    }

    async fn later(handle: SessionHandle, shared: Shared) -> Reply {
        tokio::spawn(async move {
            let mut handle = handle;
            handle.checkout::<Lab>().await.expect("it can be read").reading = f64::NAN;
            let refused = handle.commit().await.expect_err("it cannot be read back");
            shared.0.note(if refused.status() == 500 { "refused" } else { "other" });
        });
        Reply::ok("")
    }

    async fn login(auth: Auth, _: Session<Lab>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes = routes![
            "/set" => set, "/show" => show, "/pack" => pack, "/packed" => show_packed, "/rows" => rows,
            "/merge" => merge, "/merge-now" => merge_now, "/map" => map, "/later" => later, "/login" => login,
        ];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        (server, visitor)
    }

    async fn what_json_cannot_read_is_refused_when_it_is_written(bench: Bench) {
        let log = Log::collect();
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/merge-now").await;
        let before = bench.dump();
        for field in FIELDS {
            let answer = visitor.post("/set", field).await;
            assert!(answer.status == 500 && !answer.body.contains(field), "{field}: {answer:?}");
            assert_eq!(bench.dump(), before, "{field}");
            assert_eq!(get(&visitor, "/show").await, "0 2", "{field}");
            let failed = if field == "keys" { "cannot be encoded" } else { "could not be read back" };
            let (text, said) = (log.text(), format!("the value of session field `lab.{field}` {failed}"));
            let line = text.lines().find(|line| line.contains(&said)).unwrap_or_else(|| panic!("{field}: {text}"));
            assert!(field == "secret" || line.contains(": "), "{line}");
        }
        assert!(!log.text().contains(&(i128::MAX - 4711).to_string()), "the value of a sensitive field");
        get(&visitor, "/login").await;
    }

    async fn what_message_pack_cannot_read_is_refused_and_the_rest_comes_back(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        for field in ["reading", "maybe"] {
            assert_eq!(visitor.post("/pack", field).await.status, 200, "{field}");
        }
        for field in ["twice", "unit", "wide", "one_way"] {
            assert_eq!(visitor.post("/pack", field).await.status, 500, "{field}");
        }
        assert_eq!(get(&visitor, "/packed").await, "2 NaN Some(NaN)");
    }

    async fn a_null_that_becomes_a_some_of_nothing_does_not_pass_for_no_change(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        assert_eq!(visitor.post("/rows", "null").await.status, 200);
        assert_eq!(visitor.post("/rows", "some").await.status, 500);
        assert_eq!(visitor.post("/rows", "null").await.status, 200);
    }

    async fn a_merge_that_makes_what_cannot_be_read_is_refused(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/merge-now").await;
        let slow = {
            let visitor = visitor.clone();
            tokio::spawn(async move { visitor.post("/merge", "").await.status })
        };
        bench.gates.arrived("merge", 1).await;
        get(&visitor, "/merge-now").await;
        bench.gates.open("merge", 1);
        assert_eq!(slow.await.expect("it is answered"), 500);
        assert_eq!(get(&visitor, "/show").await, "0 4");
    }

    async fn the_map_refuses_what_it_could_not_read(bench: Bench) {
        let log = Log::collect();
        let (_server, visitor) = start(&bench).await;
        for what in ["nan", "twice", "inner", "deep", "in-place"] {
            assert_eq!(visitor.post("/map", what).await.status, 500, "{what}");
        }
        assert!(visitor.token().is_none(), "nothing was stored");
        assert!(log.text().contains("session field `x` could not be read back"), "{}", log.text());
        assert_eq!(visitor.post("/map", "null").await.status, 200);
    }

    async fn a_handle_refuses_it_too(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/merge-now").await;
        get(&visitor, "/later").await;
        bench.gates.arrived("refused", 1).await;
        assert_eq!(get(&visitor, "/show").await, "0 2");
    }

    /// A trimmed text comes back shorter than it was.
    #[derive(Default, serde::Serialize)]
    struct Trimmed(String);

    impl<'de> serde::Deserialize<'de> for Trimmed {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self(String::deserialize(deserializer)?.trim().into()))
        }
    }

    #[derive(SessionData)]
    struct Forms {
        name: Trimmed,
        /// A `Some(None)` that its type tells from a `None` itself.
        patch: Patch,
    }

    #[derive(Default, serde::Deserialize, serde::Serialize)]
    struct Patch {
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        colour: Option<Option<u8>>,
    }

    fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u8>>, D::Error> {
        Option::<u8>::deserialize(deserializer).map(Some)
    }

    async fn fill(mut forms: Session<Forms>) -> Reply {
        (forms.name, forms.patch) = (Trimmed(" ada ".into()), Patch { colour: Some(None) });
        Reply::ok("")
    }

    async fn filled(forms: SessionView<Forms>) -> Reply {
        Reply::ok(format!("{}{:?}", forms.name.0, forms.patch.colour))
    }

    async fn values_that_come_back_in_another_form_are_stored(bench: Bench) {
        let server = serve(&bench, routes!["/fill" => fill, "/filled" => filled]).await;
        let visitor = server.visitor();
        get(&visitor, "/fill").await;
        assert_eq!(get(&visitor, "/filled").await, "adaSome(None)");
    }
}
