//! The sink for `metrics`, with a real recorder.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use sessionkit::{MetricsSink, SessionConfig, SessionManager, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore};

static RECORDER: LazyLock<Snapshotter> = LazyLock::new(|| {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().expect("nobody else records");
    snapshotter
});

/// Every metric of a scope, with its labels: how often it was counted, or timed.
pub fn metrics(scope: &str) -> BTreeMap<String, u64> {
    let mut metrics = BTreeMap::new();
    for (key, unit, description, value) in RECORDER.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key.labels().filter(|label| label.key() != "scope").map(|label| label.value()).collect();
        if !key.labels().any(|label| label.key() == "scope" && label.value() == scope) {
            continue;
        }
        assert!(description.is_some(), "{key} is described");
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => {
                assert_eq!(unit.map(|unit| unit.as_str()), Some("seconds"));
                assert!(values.iter().all(|value| (0.0..10.0).contains(&value.into_inner())), "seconds: {values:?}");
                values.len() as u64
            }
            DebugValue::Gauge(_) => panic!("{key} is a gauge"),
        };
        metrics.insert(format!("{} {}", key.name(), labels.join(" ").trim()), count);
    }
    metrics
}

/// Makes sure that there is a recorder.
pub fn record() {
    LazyLock::force(&RECORDER);
}

behaviour! {
    tests: [
        events_are_counted_and_store_calls_are_timed,
        calls_that_nobody_waits_for_are_timed_too,
        calls_on_lists_are_timed_too,
    ];

    type Answered = Result<Reply, SessionRejection>;

    struct Metered;

    impl SessionScope for Metered {
        const NAME: &'static str = concat!(module_path!(), "::Metered");
        type Home = sessionkit::OnServer;
    }

    async fn write(mut session: DynamicSession<Metered>) -> Reply {
        let written = session.get::<u32>("a").expect("a number").unwrap_or(0);
        session.insert("a", &(written + 1)).expect("a number");
        Reply::ok("written")
    }

    async fn login(auth: Auth<Metered>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth<Metered>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(require_login, scope = Metered)]
    async fn guarded() -> Reply {
        Reply::ok("secret")
    }

    async fn submit(token: CsrfToken<Metered>, body: Body) -> Answered {
        token.verify(&body)?;
        Ok(Reply::ok("done"))
    }

    fn metered(bench: &Bench) -> SessionManager<Metered> {
        record();
        let bench = bench.clone().with_config(|config| config.track_devices(true).max_devices(1).cookie_name("__Host-metered"));
        bench.builder().for_scope::<Metered>().event_sink(MetricsSink::new()).build()
    }

    async fn events_are_counted_and_store_calls_are_timed(bench: Bench) {
        let manager = metered(&bench);
        let routes = routes![
            "/write" => write, "/login" => login, "/logout" => logout, "/guarded" => guarded, "/submit" => submit
        ];
        let server = serve_scopes(&bench, manager, routes).await;
        let visitor = server.visitor();
        for path in ["/guarded", "/write", "/write", "/login", "/guarded", "/login", "/logout", "/login"] {
            visitor.get(path).await;
        }
        visitor.post("/submit", "nonsense").await;
        let metrics = metrics(Metered::NAME);
        let count = |metric: &str| metrics.get(metric).copied().unwrap_or_default();
        assert_eq!(count("sessionkit_events_total created"), 1, "{metrics:#?}");
        assert_eq!(count("sessionkit_events_total login"), 3);
        assert_eq!(count("sessionkit_events_total logout"), 1);
        assert_eq!(count("sessionkit_events_total csrf wrong token"), 1);
        let denied = metrics.iter().find(|(metric, _)| metric.starts_with("sessionkit_events_total denied "));
        assert_eq!(denied.map(|(_, count)| *count), Some(1), "{metrics:#?}");
        let calls = bench.store.take();
        let timed = |operation: &str| {
            let name = format!("sessionkit_store_call_seconds {operation} ");
            metrics.iter().filter(|(metric, _)| metric.starts_with(&name)).map(|(_, count)| *count as usize).sum::<usize>()
        };
        let of_sessions = [calls.load, calls.insert, calls.replace, calls.remove];
        let all = ["load", "insert", "replace", "remove"].map(timed);
        assert_eq!(all.iter().sum::<usize>(), calls.total(), "{metrics:#?}");
        assert!(of_sessions.iter().zip(&all).all(|(one, all)| one <= all), "{calls:?} {metrics:#?}");
        assert_eq!((calls.insert, calls.remove, timed("remove")), (2, 1, 1), "{calls:?}");
        let named = |names: [&str; 2]| names.map(|name| count(&format!("sessionkit_store_call_seconds {name}"))).iter().sum::<u64>();
        assert_eq!(named(["load found", "load none"]), timed("load") as u64, "{metrics:#?}");
        assert_eq!(named(["insert inserted", "replace replaced"]), (timed("insert") + timed("replace")) as u64);
    }

    async fn calls_on_lists_are_timed_too(bench: Bench) {
        let manager = metered(&bench);
        let server = serve_scopes(&bench, manager.clone(), routes!["/login" => login, "/logout" => logout]).await;
        let (one, two) = (server.visitor(), server.visitor());
        one.get("/login").await;
        two.get("/login").await;
        manager.devices_of("ada").list().await.expect("the store answers");
        two.get("/logout").await;
        manager.devices_of("ada").end_all().await.expect("the store answers");
        two.get("/login").await;
        manager.end_everyone().await.expect("the store answers");
        let metrics = metrics(Metered::NAME);
        let index = |operation: &str, outcome: &str| {
            metrics.get(&format!("sessionkit_store_call_seconds {operation} {outcome}")).copied().unwrap_or_default()
        };
        // Each login, the list and each revocation looks at the list of the user; the second login meets the limit.
        assert_eq!(index("load_many", "found"), 2, "{metrics:#?}");
        assert_eq!((index("scan", "found"), index("scan", "none")), (2, 0), "{metrics:#?}");
        let timed: u64 = ["load", "insert", "replace", "remove", "scan", "load_many"]
            .iter()
            .map(|operation| {
                let name = format!("sessionkit_store_call_seconds {operation} ");
                metrics.iter().filter(|(metric, _)| metric.starts_with(&name)).map(|(_, count)| count).sum::<u64>()
            })
            .sum();
        assert_eq!(timed, bench.store.take().total() as u64);
    }

    async fn calls_that_nobody_waits_for_are_timed_too(bench: Bench) {
        record();
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let config = SessionConfig::builder().load_deadline(Duration::from_millis(100)).cookie_name("__Host-metered");
        let config = config.build().expect("the settings agree");
        let builder = SessionManager::builder(store.clone()).for_scope::<Metered>().config(config);
        let manager = builder.event_sink(MetricsSink::new()).build();
        let server = serve_scopes(&bench, manager, routes!["/login" => login, "/write" => write]).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        store.hold("before load");
        assert_eq!(visitor.get("/write").await.status, 503);
        let metrics = metrics(Metered::NAME);
        assert_eq!(metrics.get("sessionkit_store_call_seconds load abandoned"), Some(&1), "{metrics:#?}");
        assert_eq!(metrics.get("sessionkit_events_total store_unavailable"), Some(&1), "{metrics:#?}");
    }
}
