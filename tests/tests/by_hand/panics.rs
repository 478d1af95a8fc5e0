//! Merge functions that panic.

use sessionkit::{Rejection, SessionErrorKind};

use super::*;

#[derive(Debug, SessionData)]
struct Fragile {
    #[session(merge = panic_on_purpose)]
    value: u32,
}

fn panic_on_purpose(_: &u32, _: u32, _: u32) -> u32 {
    panic!("a merge function panics on purpose")
}

/// A 500 of which the client learns nothing, and the application what panicked.
fn assert_panicked(rejection: &Rejection) {
    assert_eq!((rejection.status(), rejection.kind()), (500, SessionErrorKind::Panic));
    assert!(!rejection.body().contains("panicked"), "{rejection}");
    assert_eq!(rejection.error().map(ToString::to_string).as_deref(), Some("a merge function panicked"));
}

#[tokio::test]
async fn a_merge_function_that_panics_is_a_500_that_says_so() {
    let (manager, _) = manager();
    let begun = manager.open();
    begun.checkout::<Fragile>().await.unwrap().value = 1;
    let cookie = set_cookie(manager.close(&begun, 200).await);
    let open = || {
        let session = manager.open();
        session.attach(&RequestHead::new("POST", "/", &Cookie(cookie.clone())));
        session
    };
    let (one, other) = (open(), open());
    for (session, value) in [(&one, 2), (&other, 3)] {
        session.checkout::<Fragile>().await.unwrap().value = value;
    }
    assert!(manager.close(&one, 200).await.rejection.is_none());
    let rejection = manager.close(&other, 200).await.rejection.expect("the changes met a conflict");
    assert_panicked(&rejection);
    assert_eq!(open().view::<Fragile>().await.unwrap().value, 2);
}

#[tokio::test]
async fn of_a_struct_whose_merge_panics_nothing_is_stored() {
    #[derive(Debug, SessionData)]
    struct Half {
        value: u32,
        #[session(merge = panic_on_purpose)]
        merged: u32,
    }
    let (manager, store) = manager();
    let session = manager.open();
    let (mut one, mut other) = (session.checkout::<Half>().await.unwrap(), session.checkout::<Half>().await.unwrap());
    one.merged = 1;
    (other.value, other.merged) = (2, 2);
    drop(one);
    let held = tokio::spawn(async move { drop(other) });
    // Nobody looks at how the task ended.
    let _ = held.await;
    let rejection = manager.close(&session, 200).await.rejection.expect("half of a change is none");
    assert_panicked(&rejection);
    assert_eq!(store.take().total(), 0);
}

#[tokio::test]
async fn a_handle_does_not_wait_for_a_request_whose_merge_panicked() {
    let (manager, _) = manager();
    let begun = manager.open();
    begun.checkout::<Fragile>().await.unwrap().value = 1;
    let cookie = set_cookie(manager.close(&begun, 200).await);
    let sessions = [manager.open(), manager.open()];
    for (session, value) in sessions.iter().zip(2..) {
        session.attach(&RequestHead::new("POST", "/", &Cookie(cookie.clone())));
        session.checkout::<Fragile>().await.unwrap().value = value;
    }
    let [one, other] = sessions;
    let (mut handle, auth) = (other.handle().await.unwrap(), other.auth());
    let task = tokio::spawn(async move {
        let there = handle.reload().await.unwrap();
        (there, auth)
    });
    assert!(manager.close(&one, 200).await.rejection.is_none());
    assert_eq!(manager.close(&other, 200).await.rejection.unwrap().status(), 500);
    let (there, _) = tokio::time::timeout(std::time::Duration::from_secs(10), task).await.unwrap().unwrap();
    assert!(there);
}
