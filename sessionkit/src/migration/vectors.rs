//! Worked examples of records on a server, made by the packages of the other systems.

use serde_json::Value;
use sessionkit_core::{ForeignErrorKind, ForeignSessions};

#[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
use super::CookieKey;
#[cfg(feature = "tower-sessions")]
use super::TowerSessions;
#[cfg(feature = "actix-session")]
use super::actix_session::ActixSession;
#[cfg(feature = "flask-session")]
use super::flask_session::FlaskSession;
use super::testing::{MapRecords, NOW, kind};

/// A worked example.
struct Vector(Value);

impl Vector {
    fn named(format: &str) -> Self {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
        Self(vectors.into_iter().find(|vector| vector["format"] == format).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let digits = self.text(name).as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn records(&self) -> MapRecords {
        MapRecords::of([(self.text("key").to_owned(), self.bytes("record_hex"))])
    }

    #[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
    fn key(&self) -> CookieKey {
        CookieKey::new(&<[u8; 64]>::try_from(self.bytes("key_hex")).unwrap()).unwrap()
    }

    /// Opens the example, ends it, and sees that it has ended.
    async fn check(&self, sessions: impl ForeignSessions) {
        let cookie = self.text("cookie");
        let session = sessions.open(cookie, NOW).await.unwrap();
        assert_eq!(Value::Object(session.values.clone()), self.0["payload"], "{}", self.text("format"));
        sessions.end(&session).await.unwrap();
        assert_eq!(kind(sessions.open(cookie, NOW).await), ForeignErrorKind::Ended);
    }
}

#[cfg(feature = "flask-session")]
#[tokio::test]
async fn flask_session() {
    for (format, is_signed) in [
        ("flask-session-msgpack", false),
        ("flask-session-json", false),
        ("flask-session-msgpack-signed", true),
        ("flask-session-json-signed", true),
    ] {
        let vector = Vector::named(format);
        let sessions = FlaskSession::new(vector.records());
        let secrets = crate::formats::Secrets::new([vector.text("secret")]).unwrap();
        vector.check(if is_signed { sessions.signed(&secrets) } else { sessions }).await;
    }
}

#[cfg(feature = "actix-session")]
#[tokio::test]
async fn actix_session() {
    let (private, signed) = (Vector::named("actix-session-private"), Vector::named("actix-session-signed"));
    private.check(ActixSession::private(private.key(), private.records()).prefix("actix:")).await;
    signed.check(ActixSession::signed(signed.key(), signed.records()).prefix("actix:")).await;
}

#[cfg(feature = "tower-sessions")]
#[tokio::test]
async fn tower_sessions() {
    let [plain, signed, private] =
        ["tower-sessions", "tower-sessions-signed", "tower-sessions-private"].map(Vector::named);
    plain.check(TowerSessions::new(plain.records())).await;
    signed.check(TowerSessions::new(signed.records()).signed(signed.key())).await;
    private.check(TowerSessions::new(private.records()).private(private.key())).await;
}
