//! Settings from wherever an application keeps them: what is written down is what visitors get.

use std::process::Command;

use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

/// The variables that an application of Ravyn's sets, and deadlines for a busy machine.
const VARIABLES: [(&str, &str); 7] = [
    ("SESSION_COOKIE_NAME", "__Secure-shop"),
    ("SESSION_COOKIE_MAX_AGE", "4h"),
    ("SESSION_COOKIE_SAME_SITE", "Strict"),
    ("SESSION_COOKIE_SECURE", "true"),
    ("SESSION_COOKIE_PATH", "/shop"),
    ("SESSION_LOAD_DEADLINE", "10s"),
    ("SESSION_COMMIT_DEADLINE", "10s"),
];

const ATTRIBUTES: &str = "Max-Age=14400; Path=/shop; SameSite=Strict; Secure; HttpOnly";

/// The variable that tells the test's own process, started again, that it is to read its environment.
const READER: &str = "READS_SESSION_VARIABLES";

fn manager(bench: &Bench, config: SessionConfig) -> SessionManager {
    bench.builder().config(config).build()
}

behaviour! {
    tests: [
        row_13_settings_come_from_a_file_or_from_variables,
        row_14_name_max_age_same_site_and_https_are_settings_and_secure_by_default,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench, config: SessionConfig) -> Server {
        serve_with(bench, manager(bench, config), routes!["/login" => login, "/me" => me]).await
    }

    /// Returns the cookie that a login sets, without its token.
    async fn set_cookie(server: &Server) -> String {
        let visitor = server.visitor();
        let answer = visitor.get("/login").await;
        let [cookie] = answer.cookies()[..] else { panic!("not one Set-Cookie: {answer:?}") };
        let (name, rest) = cookie.split_once('=').unwrap();
        let attributes = rest.split_once("; ").unwrap().1.to_owned();
        assert_eq!(visitor.get("/me").await.body, "ada");
        format!("{name}; {attributes}")
    }

    async fn row_13_settings_come_from_a_file_or_from_variables(bench: Bench) {
        let from_variables = SessionConfig::from_variables(VARIABLES).unwrap();
        let file: serde_json::Map<_, _> = VARIABLES
            .iter()
            .map(|(name, value)| (name.trim_start_matches("SESSION_").to_lowercase(), (*value).into()))
            .collect();
        let from_file: SessionConfig = serde_json::from_value(file.into()).unwrap();
        for config in [from_variables, from_file] {
            assert_eq!(set_cookie(&start(&bench, config).await).await, format!("__Secure-shop; {ATTRIBUTES}"));
        }
    }

    async fn row_14_name_max_age_same_site_and_https_are_settings_and_secure_by_default(bench: Bench) {
        let read = |variables: &[(&str, &str)]| {
            let patient = [("SESSION_LOAD_DEADLINE", "10s"), ("SESSION_COMMIT_DEADLINE", "10s")];
            SessionConfig::from_variables(patient.iter().chain(variables).copied()).unwrap()
        };
        let default = "Path=/; SameSite=Lax; Secure; HttpOnly";
        let cases = [
            (&[][..], format!("__Host-session; Max-Age=86400; {default}")),
            (&[("SESSION_TTL", "4h")], format!("__Host-session; Max-Age=14400; {default}")),
            (&[("SESSION_DEV", "true")], "session; Max-Age=86400; Path=/; SameSite=Lax; HttpOnly".to_owned()),
            (
                &[("SESSION_DEV", "true"), ("SESSION_COOKIE_NAME", "shop")],
                "shop; Max-Age=86400; Path=/; SameSite=Lax; HttpOnly".to_owned(),
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(set_cookie(&start(&bench, read(variables)).await).await, expected, "{variables:?}");
        }
    }
}

#[test]
fn row_13_from_env_reads_the_variables_of_the_process() {
    if std::env::var_os(READER).is_some() {
        let (read, given) = (SessionConfig::from_env(), SessionConfig::from_variables(VARIABLES));
        return assert_eq!(format!("{:?}", read.unwrap()), format!("{:?}", given.unwrap()));
    }
    let run = |variables: &[(&str, &str)]| {
        let name = "row_13_from_env_reads_the_variables_of_the_process";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args([name, "--exact", "--nocapture"]).env(READER, "1").envs(variables.iter().copied());
        let output = again.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    // An application may have variables of its own.
    let (read, output) = run(&[&VARIABLES[..], &[("SESSION_STORE", "redis://localhost")]].concat());
    assert!(read, "{output}");
    let (read, output) = run(&[&VARIABLES[..], &[("SESSION_TTL", "soon")]].concat());
    assert!(!read && output.contains("SESSION_TTL: expected a duration"), "{output}");
    let (read, output) = run(&[&VARIABLES[..], &[("SESSION_TLL", "1h")]].concat());
    assert!(!read && output.contains("did you mean SESSION_TTL?"), "{output}");
}
