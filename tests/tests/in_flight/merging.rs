//! Changes that are pending when a login or a rotation of the same request meets changes of another.

use std::collections::BTreeSet;

use sessionkit::SessionData;

use super::*;

#[derive(Debug, SessionData)]
struct Shop {
    #[session(merge = append)]
    items: Vec<String>,
    #[session(merge = union)]
    tags: BTreeSet<String>,
    #[session(flash)]
    notice: Option<String>,
}

async fn shop(browser: &Browser, manager: &SessionManager) -> Shop {
    browser.open(manager).view().await.unwrap()
}

async fn change(browser: &mut Browser, manager: &SessionManager, change: impl FnOnce(&mut Shop)) {
    let session = browser.open(manager);
    change(&mut session.checkout::<Shop>().await.unwrap());
    assert_eq!(browser.close(manager, &session, 200).await.0, 200);
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Login,
    Rotate,
    Prove,
}

/// A request changes a struct; another one does, and is acknowledged; then the first one replaces its token, and ends.
async fn overtaken(operation: Operation, mine: impl FnOnce(&mut Shop), theirs: impl FnOnce(&mut Shop)) -> Shop {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, |config| config);
    let mut browser = Browser::default();
    if let Operation::Prove = operation {
        browser.login(&manager, "ada").await;
    }
    change(&mut browser, &manager, |shop| {
        shop.items.push("a".into());
        shop.notice = Some("first".into());
    })
    .await;
    let session = browser.open(&manager);
    mine(&mut session.checkout::<Shop>().await.unwrap());
    let mut tab = browser.clone();
    change(&mut tab, &manager, theirs).await;
    match operation {
        Operation::Login => session.auth().login("ada").await.unwrap(),
        Operation::Rotate => session.auth().rotate().await.unwrap(),
        Operation::Prove => session.auth().elevate("otp").await.unwrap(),
    }
    assert_eq!(browser.close(&manager, &session, 200).await.0, 200);
    shop(&browser, &manager).await
}

const OPERATIONS: [Operation; 3] = [Operation::Login, Operation::Rotate, Operation::Prove];

/// ARCHITECTURE.md: "A conflict is resolved by merging the request's *original* base and value with the newest record"; [P2].
#[tokio::test]
async fn p2_an_acknowledged_append_survives_a_login_of_a_request_that_appended_before() {
    for operation in OPERATIONS {
        let shop =
            overtaken(operation, |shop| shop.items.push("mine".into()), |shop| shop.items.push("theirs".into())).await;
        assert_eq!(shop.items, ["a", "theirs", "mine"], "{operation:?}");
    }
}

#[tokio::test]
async fn p2_an_acknowledged_member_of_a_set_survives_it_too() {
    for operation in OPERATIONS {
        let insert = |tag: &'static str| move |shop: &mut Shop| assert!(shop.tags.insert(tag.into()));
        let shop = overtaken(operation, insert("mine"), insert("theirs")).await;
        assert_eq!(shop.tags.len(), 2, "{operation:?}: {:?}", shop.tags);
    }
}

/// §4: "`flash`: taking it is conditional on the value taken, so one that was set meanwhile survives".
#[tokio::test]
async fn a_notice_that_was_set_meanwhile_survives_a_login_of_a_request_that_took_another() {
    for operation in OPERATIONS {
        let take = |shop: &mut Shop| drop(shop.notice.take());
        let shop = overtaken(operation, take, |shop| shop.notice = Some("second".into())).await;
        assert_eq!(shop.notice.as_deref(), Some("second"), "{operation:?}");
    }
}

/// Each struct is merged from the record that it was checked out of: one that is held over a rotation, and one after it.
#[tokio::test]
async fn what_is_checked_out_after_a_rotation_is_not_appended_twice() {
    for later_is_dropped_first in [false, true] {
        let (store, clock) = (memory(), ManualClock::new());
        let manager = manager(store, &clock, |config| config);
        let mut browser = Browser::default();
        change(&mut browser, &manager, |shop| shop.items.push("a".into())).await;
        let session = browser.open(&manager);
        let mut held = session.checkout::<Shop>().await.unwrap();
        held.items.push("held".into());
        change(&mut browser.clone(), &manager, |shop| shop.items.push("theirs".into())).await;
        session.auth().rotate().await.unwrap();
        let mut later = session.checkout::<Shop>().await.unwrap();
        assert_eq!(later.items, ["a", "theirs"]);
        later.items.push("later".into());
        if later_is_dropped_first {
            drop(later);
            drop(held);
        } else {
            drop(held);
            drop(later);
        }
        assert_eq!(browser.close(&manager, &session, 200).await.0, 200);
        let mut items = shop(&browser, &manager).await.items;
        assert_eq!(items[..2], ["a", "theirs"]);
        items[2..].sort_unstable();
        assert_eq!(items[2..], ["held", "later"], "{later_is_dropped_first}");
    }
}

mod one_piece {
    use super::*;

    #[derive(Debug, SessionData)]
    #[session(name = "cart")]
    pub struct Cart {
        pub items: std::collections::BTreeMap<u32, u32>,
    }
}

mod entries {
    use super::*;

    #[derive(Debug, SessionData)]
    #[session(name = "cart")]
    pub struct Cart {
        #[session(entries)]
        pub items: std::collections::BTreeMap<u32, u32>,
    }
}

/// Removing something from a map that an older release stored in one piece, near `max_record_size`, makes the record larger,
/// since its entries are stored one by one from then on. It must be possible all the same.
#[tokio::test]
async fn a_removal_from_a_map_that_is_taken_apart_does_not_fail_by_size() {
    let (store, clock) = (memory(), ManualClock::new());
    let (old, new) = (manager(store.clone(), &clock, |config| config), manager(store, &clock, |config| config));
    let mut browser = Browser::default();
    let session = browser.open(&old);
    session.checkout::<one_piece::Cart>().await.unwrap().items.extend((0..4000).map(|item| (item, 1)));
    assert_eq!(browser.close(&old, &session, 200).await.0, 200);
    let session = browser.open(&new);
    session.checkout::<entries::Cart>().await.unwrap().items.retain(|item, _| *item < 3900);
    assert_eq!(browser.close(&new, &session, 200).await.0, 200, "a hundred of 4000 items were removed");
}
