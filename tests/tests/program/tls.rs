//! Databases over TLS.

use sessionkit_tests::servers::postgres::PostgresServer;
use tempfile::TempDir;

use crate::support::run;

#[tokio::test]
async fn a_database_is_reached_over_tls_as_the_url_says() {
    let server = PostgresServer::start();
    let plain = server.url();
    drop(sessionkit::connect(&plain).await.expect("the table is made"));
    let (port, directories) = (server.address().port(), [(); 2].map(|()| TempDir::new().unwrap()));
    let url = |mode: &str, ca: &std::path::Path| {
        format!("postgres://sessionkit@localhost:{port}/postgres?sslmode={mode}&sslrootcert={}", ca.display())
    };
    let refused = run(&["stats"], Some(&format!("{plain}?sslmode=require")));
    assert_eq!(refused.code, Some(3), "the server has no TLS: {}", refused.error);
    let ca = server.offer_tls(directories[0].path());
    // Another authority, which has not signed it.
    let other = PostgresServer::start().offer_tls(directories[1].path());
    for (url, code) in [
        (url("verify-full", &ca), 0),
        (url("verify-full", &ca).replace("localhost", "127.0.0.1"), 3),
        (url("verify-full", &other), 3),
        (format!("{plain}?sslmode=require"), 0),
        (format!("{plain}?sslmode=disable"), 0),
    ] {
        let output = run(&["stats"], Some(&url));
        assert_eq!(output.code, Some(code), "{url}: {}", output.error);
    }
    // That nothing else is taken: the server refuses what is not encrypted.
    let hba = server.sql("SHOW hba_file");
    server.sql(&format!("COPY (SELECT 'hostssl all all 127.0.0.1/32 trust') TO PROGRAM 'cat > \"{hba}\"'"));
    server.sql("SELECT pg_reload_conf()");
    let mut refused = run(&["stats"], Some(&format!("{plain}?sslmode=disable")));
    while refused.code == Some(0) {
        refused = run(&["stats"], Some(&format!("{plain}?sslmode=disable")));
    }
    assert_eq!(run(&["stats"], Some(&plain)).code, Some(0), "without a word it is encrypted if the server offers it");
}
