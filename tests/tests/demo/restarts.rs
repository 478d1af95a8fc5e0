//! The shops are killed and opened again: on stores that outlive them, nobody notices.

use serde_json::{Value, json};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::redis::RedisServer;
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
use tempfile::TempDir;

use crate::client::Browser;
use crate::shop::Shop;

#[tokio::test]
async fn the_shops_survive_a_restart_on_files() {
    let directory = TempDir::new().unwrap();
    survive(&format!("file:{}", directory.path().join("sessions").display())).await;
}

#[tokio::test]
async fn the_shops_survive_a_restart_on_sqlite() {
    let directory = TempDir::new().unwrap();
    survive(&format!("sqlite:{}", directory.path().join("sessions.db").display())).await;
}

#[tokio::test]
async fn the_shops_survive_a_restart_on_postgres() {
    let server = PostgresServer::start();
    survive(&server.url()).await;
}

#[tokio::test]
async fn the_shops_survive_a_restart_on_mariadb() {
    let server = MariaDbServer::start();
    survive(&server.url()).await;
}

#[tokio::test]
async fn the_shops_survive_a_restart_on_redis() {
    let server = RedisServer::start();
    survive(&server.url()).await;
}

/// The shops run on any store by their setting alone.
#[tokio::test]
async fn row_02_the_shops_run_on_a_redis_cluster() {
    survive(&RedisCluster::shared().url()).await;
}

#[tokio::test]
async fn row_02_the_shops_run_behind_redis_sentinels() {
    survive(&RedisSentinels::shared().url()).await;
}

async fn survive(store: &str) {
    for example in ["shop", "shop-actix"] {
        let shop = Shop::open(example, Some(store));
        let visitor = Browser::at(&shop);
        visitor.log_in("ada").await;
        visitor.add("teapot").await;
        shop.kill();
        let shop = Shop::open(example, Some(store));
        let visitor = visitor.walk_to(&shop);
        let session = visitor.session().await;
        assert_eq!((session.user, session.cart), (json!("ada"), json!({ "teapot": 1 })), "{example}");
        let cookie = visitor.cookie();
        assert_eq!(Browser::with_cookie(&cookie, &shop).session().await.user, json!("ada"));
        visitor.post("/logout", &[]).await;
        shop.kill();
        // A logout survives too.
        let shop = Shop::open(example, Some(store));
        let session = Browser::with_cookie(&cookie, &shop).session().await;
        assert_eq!((session.user, session.cart), (Value::Null, json!({})), "{example}");
        shop.close();
    }
}
