//! The map and a field that is stored by entries, in one request.

use std::collections::BTreeMap;

use super::*;

#[derive(Debug, SessionData)]
#[session(name = "stock")]
struct Stock {
    #[session(entries)]
    items: BTreeMap<String, u32>,
}

type Step = fn(&mut DynamicSession, &mut BTreeMap<String, u32>);

/// Makes requests one after the other; the next one sees the stock as its own request did.
async fn stock_after(requests: &[&[Step]]) -> String {
    let (manager, _) = manager();
    let begun = manager.open();
    begun.checkout::<Data>().await.unwrap().value = 1;
    let cookie = set_cookie(manager.close(&begun, 200).await);
    let open = || {
        let session = manager.open();
        session.attach(&RequestHead::new("GET", "/", &Cookie(cookie.clone())));
        session
    };
    for steps in requests {
        let session = open();
        for step in *steps {
            let mut map = session.dynamic().await.unwrap();
            step(&mut map, &mut session.checkout::<Stock>().await.unwrap().items);
        }
        let seen = session.view::<Stock>().await.unwrap().items;
        assert!(manager.close(&session, 200).await.rejection.is_none());
        assert_eq!(open().view::<Stock>().await.unwrap().items, seen);
    }
    format!("{:?}", open().view::<Stock>().await.unwrap().items)
}

const PUT_X: Step = |map, _| map.insert("stock.items", &serde_json::json!({"x": 1})).unwrap();
const PUT_X_AND_Y: Step = |map, _| map.insert("stock.items", &serde_json::json!({"x": 1, "y": 1})).unwrap();
const SET_X: Step = |_, items| items.extend([("x".into(), 2)]);
const SET_Z: Step = |_, items| items.extend([("z".into(), 3)]);
const REMOVE_Y: Step = |_, items| items.retain(|item, _| item != "y");
const REMOVE: Step = |map, _| assert!(map.remove("stock.items") && !map.remove("stock.items"));

#[tokio::test]
async fn entries_that_change_after_the_map_put_the_whole_are_kept() {
    assert_eq!(stock_after(&[&[PUT_X_AND_Y, SET_X, REMOVE_Y]]).await, r#"{"x": 2}"#);
    assert_eq!(stock_after(&[&[PUT_X_AND_Y], &[PUT_X, SET_Z]]).await, r#"{"x": 1, "z": 3}"#);
    assert_eq!(stock_after(&[&[PUT_X_AND_Y], &[REMOVE, SET_Z]]).await, r#"{"z": 3}"#);
}

#[tokio::test]
async fn a_whole_that_the_map_puts_or_removes_takes_the_place_of_the_entries() {
    assert_eq!(stock_after(&[&[SET_X, SET_Z, PUT_X]]).await, r#"{"x": 1}"#);
    assert_eq!(stock_after(&[&[SET_X, SET_Z], &[PUT_X]]).await, r#"{"x": 1}"#);
    assert_eq!(stock_after(&[&[SET_X, SET_Z], &[PUT_X, SET_X]]).await, r#"{"x": 2}"#);
    assert_eq!(stock_after(&[&[SET_X, SET_Z], &[REMOVE]]).await, "{}");
    assert_eq!(stock_after(&[&[SET_X], &[REMOVE, SET_Z]]).await, r#"{"z": 3}"#);
    assert_eq!(stock_after(&[&[SET_X, REMOVE]]).await, "{}");
}

#[tokio::test]
async fn the_map_writes_no_entry_beside_a_whole() {
    const INSERT_ENTRY: Step = |map, _| map.insert("stock.items/\"x\"", &5).unwrap();
    const REFUSED: Step = |map, _| {
        let refused = map.insert("stock.items/\"x\"", &5).unwrap_err().to_string();
        assert!(refused.contains("`stock.items` is stored in one piece"), "{refused}");
    };
    assert_eq!(stock_after(&[&[PUT_X], &[REFUSED]]).await, r#"{"x": 1}"#);
    assert_eq!(stock_after(&[&[PUT_X], &[REFUSED, SET_Z], &[INSERT_ENTRY]]).await, r#"{"x": 5, "z": 3}"#);
    assert_eq!(stock_after(&[&[PUT_X, SET_Z, INSERT_ENTRY]]).await, r#"{"x": 5, "z": 3}"#);
}
