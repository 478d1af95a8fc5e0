//! The stores of others.

use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr as _;

use actix_session::storage::{RedisSessionStore, SessionKey, SessionStore as _};
use actix_web::cookie::time::Duration as Ttl;
use axum_session::DatabasePool;
use axum_session_redispool::SessionRedisPool;
use axum_session_sqlx::{SessionMySqlPool, SessionPgPool, SessionSqlitePool};
use redis_pool::RedisPool;
use tower_sessions_for_stores::SessionStore;
use tower_sessions_for_stores::cookie::time::{Duration, OffsetDateTime};
use tower_sessions_for_stores::session::{Id, Record};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};
use tower_sessions_sqlx_store::{MySqlStore, PostgresStore, SqliteStore};

use super::{Subject, said};
use crate::content::Visit;
use crate::process::Result;

/// A store of tower-sessions.
#[derive(Clone)]
pub struct TowerSessions<S>(pub S);

impl<S: SessionStore + Clone> Subject for TowerSessions<S> {
    type Session = Record;

    async fn insert(&self) -> Result<Record> {
        let data = HashMap::from([("visit".to_owned(), serde_json::to_value(Visit::new()).map_err(said)?)]);
        let expiry_date = OffsetDateTime::now_utc() + Duration::days(1);
        let mut record = Record { id: Id::default(), data, expiry_date };
        self.0.create(&mut record).await.map_err(said)?;
        Ok(record)
    }

    async fn load(&self, record: &mut Record) -> Result {
        self.0.load(&record.id).await.map_err(said)?.map(drop).ok_or_else(|| "a session is gone".to_owned())
    }

    async fn commit(&self, record: &mut Record) -> Result {
        let item = record.data.get_mut("visit").and_then(|visit| visit.pointer_mut("/items/0")).ok_or("no item")?;
        *item = (item.as_u64().ok_or("no number")? + 1).into();
        self.0.save(record).await.map_err(said)
    }

    async fn remove(&self, record: Record) -> Result {
        self.0.delete(&record.id).await.map_err(said)
    }
}

/// A store of axum_session below its memory, in which it keeps sessions as well.
#[derive(Clone)]
pub struct AxumSession<P>(P);

/// The table that it has unless it is told otherwise.
pub const AXUM_SESSION_TABLE: &str = "sessions";

impl<P: DatabasePool> AxumSession<P> {
    pub async fn new(pool: P) -> Result<Self> {
        pool.initiate(AXUM_SESSION_TABLE).await.map_err(said)?;
        Ok(Self(pool))
    }

    async fn store(&self, (id, visit): &(String, Visit)) -> Result {
        let visit = serde_json::to_string(visit).map_err(said)?;
        let session = serde_json::json!({ "data": { "visit": visit }, "longterm": false }).to_string();
        let expires = (OffsetDateTime::now_utc() + Duration::days(1)).unix_timestamp();
        self.0.store(id, &session, expires, AXUM_SESSION_TABLE).await.map_err(said)
    }
}

impl<P: DatabasePool + Clone + 'static> Subject for AxumSession<P> {
    type Session = (String, Visit);

    async fn insert(&self) -> Result<Self::Session> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(said)?;
        // As long as a UUID, which it uses.
        let session = (format!("{:036x}", u128::from_le_bytes(id)), Visit::new());
        self.store(&session).await?;
        Ok(session)
    }

    async fn load(&self, (id, _): &mut Self::Session) -> Result {
        let found = self.0.load(id, AXUM_SESSION_TABLE).await.map_err(said)?;
        found.map(drop).ok_or_else(|| "a session is gone".to_owned())
    }

    async fn commit(&self, session: &mut Self::Session) -> Result {
        session.1.change();
        self.store(session).await
    }

    async fn remove(&self, (id, _): Self::Session) -> Result {
        self.0.delete_one_by_id(&id, AXUM_SESSION_TABLE).await.map_err(said)
    }
}

/// The store of actix-session in Redis.
#[derive(Clone)]
pub struct ActixSession(Rc<RedisSessionStore>);

impl ActixSession {
    pub async fn new(url: &str) -> Result<Self> {
        Ok(Self(Rc::new(RedisSessionStore::new(url).await.map_err(said)?)))
    }
}

const A_DAY: Ttl = Ttl::days(1);

/// Returns the state of a session, for the one call that takes it.
fn state(visit: &Visit) -> Result<HashMap<String, String>> {
    Ok(HashMap::from([("visit".to_owned(), serde_json::to_string(visit).map_err(said)?)]))
}

impl Subject for ActixSession {
    type Session = (Option<SessionKey>, Visit);

    async fn insert(&self) -> Result<Self::Session> {
        let visit = Visit::new();
        let key = self.0.save(state(&visit)?, &A_DAY).await.map_err(said)?;
        Ok((Some(key), visit))
    }

    async fn load(&self, (key, _): &mut Self::Session) -> Result {
        let found = self.0.load(key.as_ref().ok_or("no session")?).await.map_err(said)?;
        found.map(drop).ok_or_else(|| "a session is gone".to_owned())
    }

    async fn commit(&self, (key, visit): &mut Self::Session) -> Result {
        visit.change();
        let held = key.take().ok_or("no session")?;
        *key = Some(self.0.update(held, state(visit)?, &A_DAY).await.map_err(said)?);
        Ok(())
    }

    async fn remove(&self, (key, _): Self::Session) -> Result {
        self.0.delete(key.as_ref().ok_or("no session")?).await.map_err(said)
    }
}

/// Opens the store of tower-sessions, as its README sets it up.
pub async fn tower_redis(url: &str) -> Result<RedisStore<Pool>> {
    let pool = Pool::new(Config::from_url(url).map_err(said)?, None, None, None, 6).map_err(said)?;
    pool.connect();
    pool.wait_for_connect().await.map_err(said)?;
    Ok(RedisStore::new(pool))
}

/// Opens the store of tower-sessions, as its README sets it up.
pub async fn tower_postgres(url: &str) -> Result<PostgresStore> {
    let pool = tower_sessions_sqlx_store::sqlx::PgPool::connect(url).await.map_err(said)?;
    let store = PostgresStore::new(pool);
    store.migrate().await.map_err(said)?;
    Ok(store)
}

/// Opens the store of tower-sessions, as its README sets it up.
pub async fn tower_mysql(url: &str) -> Result<MySqlStore> {
    let pool = tower_sessions_sqlx_store::sqlx::MySqlPool::connect(url).await.map_err(said)?;
    let store = MySqlStore::new(pool);
    store.migrate().await.map_err(said)?;
    Ok(store)
}

/// Opens the store of tower-sessions on a database with the settings that SessionKit gives it.
pub async fn tower_sqlite(url: &str) -> Result<SqliteStore> {
    use tower_sessions_sqlx_store::sqlx::SqlitePool;
    use tower_sessions_sqlx_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
    let options = SqliteConnectOptions::from_str(url).map_err(said)?.create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await.map_err(said)?);
    store.migrate().await.map_err(said)?;
    Ok(store)
}

/// Opens a pool of axum_session.
pub fn axum_redis(url: &str) -> Result<SessionRedisPool> {
    Ok(RedisPool::from(redis::Client::open(url).map_err(said)?).into())
}

/// Opens a pool of axum_session.
pub async fn axum_postgres(url: &str) -> Result<SessionPgPool> {
    Ok(sqlx::PgPool::connect(url).await.map_err(said)?.into())
}

/// Opens a pool of axum_session.
pub async fn axum_mysql(url: &str) -> Result<SessionMySqlPool> {
    Ok(sqlx::MySqlPool::connect(url).await.map_err(said)?.into())
}

/// Opens a pool of axum_session on a database with the settings that SessionKit gives it.
pub async fn axum_sqlite(url: &str) -> Result<SessionSqlitePool> {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
    let options = SqliteConnectOptions::from_str(url).map_err(said)?.create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    Ok(sqlx::SqlitePool::connect_with(options).await.map_err(said)?.into())
}
