//! Neither release knows all that the other stores.

use std::time::Duration;

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

/// The structs as the release before declares them.
mod old {
    use sessionkit::SessionData;

    #[derive(SessionData)]
    #[session(name = "profile")]
    pub(super) struct Profile {
        pub(super) name: String,
        #[session(default = light)]
        pub(super) theme: String,
        /// The new release does without it.
        #[session(carry)]
        pub(super) campaign: Option<String>,
        /// And without this, which ends by itself.
        #[session(ttl = "10m")]
        pub(super) code: Option<u32>,
    }

    /// The new release does without the whole struct.
    #[derive(SessionData)]
    #[session(name = "survey")]
    pub(super) struct Survey {
        pub(super) answers: Vec<u32>,
    }

    fn light() -> String {
        "light".into()
    }
}

/// The structs as the release after it declares them.
mod new {
    use sessionkit::SessionData;

    #[derive(SessionData)]
    #[session(name = "profile")]
    pub(super) struct Profile {
        pub(super) name: String,
        #[session(default = dark)]
        pub(super) theme: String,
        #[session(carry)]
        pub(super) language: Option<String>,
        #[session(ttl = "10m", sensitive)]
        pub(super) otp: Option<u32>,
        #[session(merge = add)]
        pub(super) visits: u64,
    }

    #[derive(SessionData)]
    #[session(name = "wishes")]
    pub(super) struct Wishes {
        pub(super) list: Vec<String>,
        #[session(carry)]
        pub(super) currency: String,
        #[session(flash)]
        pub(super) notice: Option<String>,
    }

    fn dark() -> String {
        "dark".into()
    }
}

const OLD: &str = "ada light Some(\"spring\") Some(1) [1, 2]";
const NEW: &str = "ada dark Some(\"en\") Some(2) 1 [\"bike\"] EUR Some(\"saved\")";

behaviour! {
    tests: [
        each_keeps_what_it_does_not_know_through_its_writes,
        each_keeps_what_it_does_not_know_when_somebody_logs_in,
        each_keeps_what_it_does_not_know_when_the_token_is_rotated,
        a_change_of_user_keeps_what_the_other_release_carries_and_nothing_else,
        a_field_ends_in_its_time_though_the_release_does_not_know_it,
        a_default_is_each_release_s_own_until_a_value_is_stored,
        a_logout_ends_all_of_it_and_nobody_else_s,
        both_releases_write_at_once,
    ];

    async fn fill_old(mut profile: Session<old::Profile>, mut survey: Session<old::Survey>) -> Reply {
        profile.name = "ada".into();
        profile.campaign = Some("spring".into());
        profile.code = Some(1);
        survey.answers = vec![1, 2];
        Reply::ok("filled")
    }

    async fn fill_new(mut profile: Session<new::Profile>, mut wishes: Session<new::Wishes>) -> Reply {
        profile.name = "ada".into();
        profile.language = Some("en".into());
        profile.otp = Some(2);
        profile.visits += 1;
        wishes.list = vec!["bike".into()];
        wishes.currency = "EUR".into();
        wishes.notice = Some("saved".into());
        Reply::ok("filled")
    }

    async fn read_old(profile: SessionView<old::Profile>, survey: SessionView<old::Survey>) -> Reply {
        let old::Profile { name, theme, campaign, code } = &*profile;
        Reply::ok(format!("{name} {theme} {campaign:?} {code:?} {:?}", survey.answers))
    }

    async fn read_new(profile: SessionView<new::Profile>, wishes: SessionView<new::Wishes>) -> Reply {
        let new::Profile { name, theme, language, otp, visits } = &*profile;
        let new::Wishes { list, currency, notice } = &*wishes;
        Reply::ok(format!("{name} {theme} {language:?} {otp:?} {visits} {list:?} {currency} {notice:?}"))
    }

    async fn rename_old(mut profile: Session<old::Profile>) -> Reply {
        profile.name.push('!');
        Reply::ok(&profile.name)
    }

    async fn rename_new(mut profile: Session<new::Profile>) -> Reply {
        profile.name.push('!');
        Reply::ok(&profile.name)
    }

    async fn paint_old(mut profile: Session<old::Profile>) -> Reply {
        profile.theme = "blue".into();
        Reply::ok("painted")
    }

    async fn slow_old(mut profile: Session<old::Profile>, shared: Shared) -> Reply {
        profile.theme = "red".into();
        shared.0.pass("slow").await;
        Reply::ok("done")
    }

    async fn login_ada(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn login_bob(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("bob").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    /// Both releases, each a manager of its own.
    struct Releases {
        old: Server,
        new: Server,
    }

    impl Releases {
        async fn start(bench: &Bench) -> Self {
            let old = routes![
                "/fill" => fill_old, "/read" => read_old, "/rename" => rename_old, "/paint" => paint_old,
                "/slow" => slow_old,
                "/ada" => login_ada, "/bob" => login_bob, "/rotate" => rotate, "/logout" => logout,
            ];
            let new = routes![
                "/fill" => fill_new, "/read" => read_new, "/rename" => rename_new,
                "/ada" => login_ada, "/bob" => login_bob, "/rotate" => rotate, "/logout" => logout,
            ];
            Self { old: serve(bench, old).await, new: serve(bench, new).await }
        }

        /// One browser, at the old and at the new release. Each has stored something.
        async fn visitor(&self) -> (Visitor, Visitor) {
            let visitor = self.old.visitor();
            let (old, new) = (visitor.at(&self.old), visitor.at(&self.new));
            for visitor in [&old, &new] {
                assert_eq!(visitor.get("/fill").await.status, 200);
            }
            (old, new)
        }
    }

    async fn assert_read(old: &Visitor, new: &Visitor, expected: (&str, &str)) {
        let (old, new) = (old.get("/read").await.body, new.get("/read").await.body);
        assert_eq!((&*old, &*new), expected);
    }

    async fn each_keeps_what_it_does_not_know_through_its_writes(bench: Bench) {
        let releases = Releases::start(&bench).await;
        let (old, new) = releases.visitor().await;
        assert_read(&old, &new, (OLD, NEW)).await;
        old.get("/rename").await;
        new.get("/rename").await;
        let (named_old, named_new) = (OLD.replace("ada", "ada!!"), NEW.replace("ada", "ada!!"));
        assert_read(&old, &new, (&named_old, &named_new)).await;
        for visitor in [&old, &new, &old] {
            assert_eq!(visitor.get("/fill").await.status, 200);
        }
        assert_read(&old, &new, (OLD, &NEW.replace(" 1 ", " 2 "))).await;
    }

    async fn each_keeps_what_it_does_not_know_when_somebody_logs_in(bench: Bench) {
        let releases = Releases::start(&bench).await;
        for at_old in [true, false] {
            let (old, new) = releases.visitor().await;
            // From nobody to somebody, and the same person once more.
            for _ in 0..2 {
                assert_eq!(if at_old { &old } else { &new }.get("/ada").await.status, 200);
                assert_read(&old, &new, (OLD, NEW)).await;
            }
        }
    }

    async fn each_keeps_what_it_does_not_know_when_the_token_is_rotated(bench: Bench) {
        let releases = Releases::start(&bench).await;
        let (old, new) = releases.visitor().await;
        for visitor in [&old, &new] {
            let before = visitor.token();
            assert_eq!(visitor.get("/rotate").await.status, 200);
            assert_ne!(visitor.token(), before);
            assert_read(&old, &new, (OLD, NEW)).await;
        }
    }

    async fn a_change_of_user_keeps_what_the_other_release_carries_and_nothing_else(bench: Bench) {
        let releases = Releases::start(&bench).await;
        for at_old in [true, false] {
            let (old, new) = releases.visitor().await;
            old.get("/ada").await;
            assert_eq!(if at_old { &old } else { &new }.get("/bob").await.status, 200);
            let carried = (" light Some(\"spring\") None []", " dark Some(\"en\") None 0 [] EUR None");
            assert_read(&old, &new, carried).await;
            // Carried once is carried again.
            assert_eq!(if at_old { &new } else { &old }.get("/ada").await.status, 200);
            assert_read(&old, &new, carried).await;
            old.get("/logout").await;
        }
        assert!(!bench.dump().contains("bike"));
    }

    async fn a_field_ends_in_its_time_though_the_release_does_not_know_it(bench: Bench) {
        let releases = Releases::start(&bench).await;
        let (old, new) = releases.visitor().await;
        // A write of the one release does not make the other's field live longer.
        bench.clock.advance(Duration::from_secs(599));
        old.get("/rename").await;
        new.get("/rename").await;
        let (named_old, named_new) = (OLD.replace("ada", "ada!!"), NEW.replace("ada", "ada!!"));
        assert_read(&old, &new, (&named_old, &named_new)).await;
        bench.clock.advance(Duration::from_secs(1));
        let ended = (named_old.replace("Some(1)", "None"), named_new.replace("Some(2)", "None"));
        assert_read(&old, &new, (&ended.0, &ended.1)).await;
        // The next commit sweeps both, whoever makes it.
        for visitor in [&old, &new] {
            visitor.get("/fill").await;
            visitor.get("/rename").await;
        }
        assert!(bench.dump().contains("profile.code") && bench.dump().contains("profile.otp"));
        bench.clock.advance(Duration::from_secs(600));
        old.get("/rename").await;
        assert!(!bench.dump().contains("profile.code") && !bench.dump().contains("profile.otp"));
    }

    async fn a_default_is_each_release_s_own_until_a_value_is_stored(bench: Bench) {
        let releases = Releases::start(&bench).await;
        let (old, new) = releases.visitor().await;
        // What the new release writes beside it does not store its default.
        new.get("/rename").await;
        assert!(!bench.dump().contains("profile.theme"));
        assert!(old.get("/read").await.body.contains(" light "));
        assert!(new.get("/read").await.body.contains(" dark "));
        old.get("/paint").await;
        assert!(old.get("/read").await.body.contains(" blue "));
        assert!(new.get("/read").await.body.contains(" blue "));
    }

    async fn a_logout_ends_all_of_it_and_nobody_else_s(bench: Bench) {
        let releases = Releases::start(&bench).await;
        for at_old in [true, false] {
            let (old, new) = releases.visitor().await;
            let (other_old, other_new) = releases.visitor().await;
            let (thief_old, thief_new) = (old.fork(), new.fork());
            assert_eq!(if at_old { &old } else { &new }.get("/logout").await.status, 200);
            assert_eq!((old.token(), new.token()), (None, None));
            let nothing = (" light None None []", " dark None None 0 []  None");
            assert_read(&thief_old, &thief_new, nothing).await;
            assert_read(&other_old, &other_new, (OLD, NEW)).await;
            assert_eq!(bench.sessions(), 1, "nothing is left of the one, all of the other");
            other_new.get("/logout").await;
            assert_eq!(bench.sessions(), 0);
        }
    }

    async fn both_releases_write_at_once(bench: Bench) {
        let releases = Releases::start(&bench).await;
        let (old, new) = releases.visitor().await;
        let slow = old.clone();
        let slow = tokio::spawn(async move { slow.get("/slow").await });
        bench.gates.arrived("slow", 1).await;
        new.get("/rename").await;
        new.get("/fill").await;
        bench.gates.open("slow", 1);
        assert_eq!(slow.await.expect("it is answered").status, 200);
        let (read_old, read_new) = (OLD.replace("light", "red"), NEW.replace("dark", "red").replace(" 1 ", " 2 "));
        assert_read(&old, &new, (&read_old, &read_new)).await;
    }
}
