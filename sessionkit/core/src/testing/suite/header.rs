//! Operations on the header.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{NOW, Session, TTL, after, delta, header, plain, record, secret, set};
use super::seen::{Bytes, Seen, SeenRecord};
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, HeaderOp};
use crate::record::details::LoginDetails;
use crate::record::header::{Generation, Header, PreviousSecret};
use crate::store::{CommitOutcome, Receipt, Store};
use crate::time::Timestamp;

fn rotate(number: u8) -> HeaderOp {
    HeaderOp::Rotate { secret: secret(number) }
}

fn renew(if_current: u8, to: u8, at: Timestamp) -> HeaderOp {
    HeaderOp::Renew { if_current: secret(if_current), secret: secret(to), at }
}

fn end_previous(if_current: u8, until: Timestamp) -> HeaderOp {
    HeaderOp::EndPrevious { if_current: secret(if_current), until }
}

fn bytes(number: u8) -> Bytes {
    Bytes(vec![number; 32])
}

/// A rotation raises the generation, ends the previous secret, and refuses every commit under another generation.
pub async fn a_rotation_refuses_the_old_generation<S: Store>(store: Arc<S>) {
    let mut first = header();
    first.previous = Some(PreviousSecret { secret: secret(7), renewed: NOW, until: None });
    let session = Session::of(&store, &record(first, [("a", plain("1"))])).await;
    let receipt = session.apply_header(0, [rotate(1)]).await;
    assert_eq!(receipt.generation.number(), 1, "[P3] a rotation raises the generation");
    let seen = session.seen().await;
    assert_eq!((seen.secret.clone(), seen.previous.clone()), (bytes(1), None), "[P3] the old secrets are dead at once");

    let change = delta([], [set("a", plain("2"))]);
    for generation in [0, 2, u32::MAX] {
        let outcome = session.commit_at(generation, &change, NOW).await;
        assert!(matches!(outcome, CommitOutcome::Stale), "[P3] generation {generation} is stale, but: {outcome:?}");
        let outcome = session.commit_at(generation, &delta([rotate(3)], []), NOW).await;
        assert!(matches!(outcome, CommitOutcome::Stale), "[P3] so it is for a rotation, but: {outcome:?}");
    }
    assert_eq!(session.seen().await, seen, "[P3] a stale commit changes nothing");
    session.apply_header(1, [rotate(2), rotate(3)]).await;
    let seen = session.seen().await;
    assert_eq!((seen.generation, seen.secret), (3, bytes(3)));

    let mut last = header();
    last.generation = Generation::from_number(u32::MAX);
    let session = Session::of(&store, &record(last, [])).await;
    let receipt = session.apply_header(u32::MAX, [rotate(1)]).await;
    assert_eq!(receipt.generation.number(), 0, "the generation wraps around");
}

fn details(method: &str) -> Option<Arc<LoginDetails>> {
    LoginDetails { methods: vec![method.into()], ..LoginDetails::default() }.shared()
}

/// A login sets user, times, lifetime, label and details, and begins a new lifetime; it may be shorter.
pub async fn a_login_begins_a_new_lifetime<S: Store>(store: Arc<S>) {
    let mut first = header();
    first.absolute_deadline = Some(after(5000));
    first.device_label = Some("old".into());
    first.details = details("old");
    for (ttl, absolute, label) in
        [(10, None, Some("new")), (90_000, Some(after(50)), None), (10, Some(after(900_000)), None)]
    {
        let session = Session::of(&store, &record(first.clone(), [])).await;
        let ttl = Duration::from_secs(ttl);
        let login = HeaderOp::Authenticate(Authenticate {
            user: "ada".into(),
            at: after(3),
            ttl,
            absolute_deadline: absolute,
            device_label: label.map(Into::into),
            details: details("new"),
        });
        let receipt = session.apply_header(0, [login, rotate(1)]).await;
        let mut expected = first.clone();
        expected.user = Some("ada".into());
        expected.authenticated = Some(after(3));
        expected.last_seen = after(3);
        expected.ttl = ttl;
        expected.idle_deadline = after(3).saturating_add(ttl);
        expected.absolute_deadline = absolute;
        expected.device_label = label.map(Into::into);
        expected.details = details("new");
        expected.secret = secret(1);
        expected.generation = Generation::from_number(1);
        assert_eq!(receipt.deadline, expected.deadline(), "the earlier deadline counts");
        assert_eq!(session.seen().await, SeenRecord::of(&record(expected, [])));
    }
}

/// A login under a clock that is behind the one that began the session moves its beginning, and its lifetime with it.
pub async fn a_login_moves_a_beginning_that_is_to_come<S: Store>(store: Arc<S>) {
    let first = Header::new(secret(0), after(1_000_000), TTL, Some(TTL));
    let session = Session::of(&store, &record(first.clone(), [])).await;
    let login = HeaderOp::Authenticate(Authenticate {
        user: "ada".into(),
        at: after(3),
        ttl: TTL,
        absolute_deadline: Some(after(5000)),
        device_label: None,
        details: None,
    });
    let receipt = session.apply_header(0, [login, rotate(1)]).await;
    let mut expected = Header::new(secret(1), after(3), TTL, None);
    (expected.user, expected.authenticated) = (Some("ada".into()), Some(after(3)));
    expected.absolute_deadline = Some(after(5000));
    expected.generation = Generation::from_number(1);
    assert_eq!(receipt.deadline, expected.deadline());
    assert_eq!(session.seen().await, SeenRecord::of(&record(expected, [])));
}

/// A renewal happens if the secret is still the one that it replaces, keeps that as the previous one, and raises no
/// generation. The loser of two changes nothing.
pub async fn a_renewal_is_conditional_and_keeps_the_previous_secret<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, []).await;
    let receipt = session.apply_header(0, [renew(0, 1, after(1))]).await;
    assert_eq!((receipt.secret == secret(1), receipt.generation.number()), (true, 0));
    let seen = session.seen().await;
    assert_eq!((seen.secret.clone(), seen.previous.clone()), (bytes(1), Some((bytes(0), after(1), None))));

    let receipt = session.apply_header(0, [renew(0, 2, after(2))]).await;
    assert!(receipt.secret == secret(1), "the loser of two renewals learns who won");
    assert_eq!(session.seen().await, seen, "the loser of two renewals changes nothing");
}

/// A secret that was never used is replaced without a trace: the client has the one before it. One that was used becomes
/// the previous secret, but not before the one before it has ended.
pub async fn a_renewal_drops_no_secret_that_is_in_use<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, []).await;
    session.apply_header(0, [renew(0, 1, after(1))]).await;
    session.apply_header(0, [renew(1, 2, after(2))]).await;
    let seen = session.seen().await;
    assert_eq!((seen.secret, seen.previous), (bytes(2), Some((bytes(0), after(2), None))), "1 was never used");

    session.apply_header(0, [end_previous(2, after(30))]).await;
    session.apply_header(0, [renew(2, 3, after(29))]).await;
    let seen = session.seen().await;
    assert_eq!((seen.secret, seen.previous), (bytes(2), Some((bytes(0), after(2), Some(after(30))))), "0 is in use");

    session.apply_header(0, [renew(2, 3, after(30))]).await;
    let seen = session.seen().await;
    assert_eq!((seen.secret, seen.previous), (bytes(3), Some((bytes(2), after(30), None))), "0 has ended");
}

/// `EndPrevious` sets the end of the previous secret, moves it earlier, and never later. Without one, and if another
/// secret is current, it does nothing.
pub async fn the_end_of_the_previous_secret_only_moves_earlier<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, []).await;
    session.apply_header(0, [end_previous(0, after(9))]).await;
    assert_eq!(session.seen().await.previous, None);
    session.apply_header(0, [renew(0, 1, NOW)]).await;
    session.apply_header(0, [end_previous(0, after(9))]).await;
    assert_eq!(session.seen().await.previous, Some((bytes(0), NOW, None)), "it is 1 that must be used");
    for (until, expected) in [(30, 30), (40, 30), (20, 20), (20, 20), (0, 0), (5, 0)] {
        session.apply_header(0, [end_previous(1, after(until))]).await;
        assert_eq!(session.seen().await.previous, Some((bytes(0), NOW, Some(after(expected)))));
    }
}

/// Any text is a user or a label, the empty one included.
pub async fn user_and_label_may_be_any_text<S: Store>(store: Arc<S>) {
    let long = "u".repeat(5000);
    for text in ["", " ", "ada", "0", "!c 1", "@user", "a\0b", "Ада 🍪", "\r\n", &long] {
        let mut given = header();
        given.user = Some(text.into());
        given.device_label = Some(text.into());
        let session = Session::of(&store, &record(given, [])).await;
        let seen = session.seen().await;
        assert_eq!((seen.user.as_deref(), seen.label.as_deref()), (Some(text), Some(text)), "created");

        let session = Session::with(&store, []).await;
        let login = |label: Option<&str>| {
            let label = label.map(Into::into);
            HeaderOp::Authenticate(Authenticate {
                user: text.into(),
                at: NOW,
                ttl: TTL,
                absolute_deadline: None,
                device_label: label,
                details: None,
            })
        };
        session.apply_header(0, [login(Some(text))]).await;
        let seen = session.seen().await;
        assert_eq!((seen.user.as_deref(), seen.label.as_deref()), (Some(text), Some(text)), "logged in");
        session.apply_header(0, [login(None)]).await;
        assert_eq!(session.seen().await.label, None, "logged in without a label");
    }
}

/// A login replaces all that was known of the one before, and leaves nothing of it.
pub async fn every_detail_of_a_login_comes_back<S: Store>(store: Arc<S>) {
    let (stamp, long) = (CredentialStamp::from_bytes([0, 255, b' ', b'!', b'@', b'\r', b'\n', 9]), "a".repeat(5000));
    let (none, one, two) = (vec![], vec!["pwd".to_owned()], vec!["pwd".to_owned(), "otp".to_owned()]);
    let all = [
        LoginDetails { methods: none.clone(), actor: None, stamp: None },
        LoginDetails { methods: one.clone(), actor: Some("".into()), stamp: Some(stamp) },
        LoginDetails { methods: two, actor: Some("!c 1 Ада 🍪".into()), stamp: None },
        LoginDetails { methods: none, actor: Some(long.into()), stamp: Some(stamp) },
        LoginDetails { methods: one, actor: None, stamp: None },
        LoginDetails::default(),
    ];
    let session = Session::with(&store, []).await;
    for details in all.map(LoginDetails::shared) {
        let mut given = header();
        (given.user, given.details) = (Some("ada".into()), details.clone());
        let given = record(given, []);
        let created = Session::of(&store, &given).await;
        assert_eq!(created.seen().await, SeenRecord::of(&given), "created");

        let (user, at, ttl) = ("ada".into(), NOW, TTL);
        let login = Authenticate { user, at, ttl, absolute_deadline: None, device_label: None, details };
        session.apply_header(0, [HeaderOp::Authenticate(login)]).await;
        assert_eq!(session.seen().await.details, SeenRecord::of(&given).details, "logged in");
    }
}

/// Acting as somebody changes the user and the details, and nothing else.
pub async fn acting_as_somebody_changes_no_time_and_no_label<S: Store>(store: Arc<S>) {
    let mut given = header();
    (given.user, given.device_label, given.details) = (Some("grace".into()), Some("laptop".into()), details("pwd"));
    (given.authenticated, given.absolute_deadline) = (Some(NOW), Some(after(9000)));
    let session = Session::of(&store, &record(given.clone(), [("a", plain("1"))])).await;
    let acting = LoginDetails { methods: vec!["pwd".into()], actor: Some("grace".into()), stamp: None }.shared();
    session.apply_header(0, [HeaderOp::ActAs { user: "ada".into(), details: acting.clone() }, rotate(1)]).await;
    let mut expected = given;
    (expected.user, expected.details) = (Some("ada".into()), acting);
    (expected.secret, expected.generation) = (secret(1), Generation::from_number(1));
    assert_eq!(session.seen().await, SeenRecord::of(&record(expected.clone(), [("a", plain("1"))])));

    session.apply_header(1, [HeaderOp::ActAs { user: "grace".into(), details: None }, rotate(2)]).await;
    (expected.user, expected.details) = (Some("grace".into()), None);
    (expected.secret, expected.generation) = (secret(2), Generation::from_number(2));
    assert_eq!(session.seen().await, SeenRecord::of(&record(expected, [("a", plain("1"))])));
}

/// What a commit returns is what the next load shows.
pub async fn the_receipt_is_the_stored_header<S: Store>(store: Arc<S>) {
    let mut first = header();
    first.absolute_deadline = Some(after(4000));
    let session = Session::of(&store, &record(first, [])).await;
    let touch = |seconds| HeaderOp::Touch { last_seen: after(1), idle_deadline: after(seconds) };
    let steps = [
        (0, vec![]),
        (0, vec![touch(3900)]),
        (0, vec![touch(9000)]),
        (0, vec![renew(0, 4, NOW), renew(4, 5, NOW)]),
        (0, vec![rotate(6)]),
        (1, vec![touch(3800)]),
    ];
    for (generation, ops) in steps {
        let receipt = session.apply_header(generation, ops.clone()).await;
        let stored = Receipt::of(session.record().await.header());
        assert_eq!(Seen::receipt(&receipt), Seen::receipt(&stored), "{ops:?}");
    }
}
