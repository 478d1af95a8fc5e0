//! Generic structs.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sessionkit::SessionData;

use crate::visitor::{Visitor, keys};

#[derive(SessionData)]
#[session(name = "basket")]
struct Basket<Item, Note = String> {
    items: Vec<Item>,
    #[session(merge = append)]
    log: Vec<Item>,
    #[session(flash)]
    note: Option<Note>,
    count: u64,
}

#[tokio::test]
async fn type_parameters() {
    let visitor = Visitor::new();
    visitor
        .change(|basket: &mut Basket<u8>| {
            basket.items.push(7);
            basket.log.push(8);
            basket.note = Some("hello".to_owned());
            basket.count += 1;
        })
        .await;
    let basket: Basket<u8> = visitor.read().await;
    assert_eq!((basket.items, basket.log, basket.note.as_deref(), basket.count), (vec![7], vec![8], Some("hello"), 1));
    assert_eq!(keys::<Basket<u8>>(), ["basket.items", "basket.log", "basket.note", "basket.count"]);
}

#[derive(SessionData)]
struct Counted<K: Ord, V, S: Default + std::hash::BuildHasher = std::hash::RandomState>
where
    K: std::hash::Hash,
{
    #[session(entries)]
    sorted: BTreeMap<K, Vec<V>>,
    #[session(entries, alias = "hashes")]
    hashed: std::collections::HashMap<K, V, S>,
    #[session(entries)]
    names: BTreeSet<String>,
}

#[tokio::test]
async fn entries_of_type_parameters() {
    let visitor = Visitor::new();
    visitor
        .change(|counted: &mut Counted<u8, String>| {
            counted.sorted.insert(1, vec!["one".to_owned()]);
            counted.hashed.insert(2, "two".to_owned());
            counted.names.insert("three".to_owned());
        })
        .await;
    let counted: Counted<u8, String> = visitor.read().await;
    assert_eq!((counted.sorted[&1][0].as_str(), counted.hashed[&2].as_str()), ("one", "two"));
    assert!(counted.names.contains("three"));
}

trait Shop: 'static {
    type Id: Serialize + DeserializeOwned + Ord + Default;
}

struct Books;

impl Shop for Books {
    type Id = u16;
}

#[derive(SessionData)]
struct Wishes<S>
where
    S: Shop,
    S::Id: Ord,
{
    #[session(merge = union)]
    ids: BTreeSet<S::Id>,
    favourite: Option<S::Id>,
    #[session(skip)]
    shop: PhantomData<S>,
}

#[tokio::test]
async fn where_clauses_and_associated_types() {
    let visitor = Visitor::new();
    visitor.change(|wishes: &mut Wishes<Books>| wishes.ids = [3].into()).await;
    visitor.change(|wishes: &mut Wishes<Books>| wishes.favourite = wishes.ids.first().copied()).await;
    let wishes: Wishes<Books> = visitor.read().await;
    assert_eq!((wishes.ids.len(), wishes.favourite, wishes.shop), (1, Some(3), PhantomData));
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Grid<const WIDTH: usize>(usize);

impl<const WIDTH: usize> Default for Grid<WIDTH> {
    fn default() -> Self {
        Self(WIDTH)
    }
}

#[derive(SessionData)]
struct Board<const WIDTH: usize, const OPEN: bool = true> {
    grid: Grid<WIDTH>,
    moves: Vec<[u8; 2]>,
}

#[tokio::test]
async fn const_parameters() {
    let visitor = Visitor::new();
    assert_eq!(visitor.read::<Board<8>>().await.grid, Grid(8));
    visitor.change(|board: &mut Board<8>| board.moves.push([1, 2])).await;
    assert_eq!(visitor.read::<Board<8>>().await.moves, [[1, 2]]);
    assert_eq!(Visitor::new().read::<Board<8, false>>().await.grid, Grid(8));
}

/// A comment and its answers: the type of the field holds itself.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Comment {
    text: String,
    answers: Vec<Comment>,
}

#[derive(SessionData)]
struct Draft {
    comment: Comment,
    by_place: BTreeMap<String, Vec<Option<Box<Comment>>>>,
}

#[tokio::test]
async fn recursive_types() {
    let visitor = Visitor::new();
    visitor
        .change(|draft: &mut Draft| {
            draft.comment.answers.push(Comment { text: "yes".to_owned(), answers: Vec::new() });
            draft.by_place.insert("top".to_owned(), vec![None, Some(Box::default())]);
        })
        .await;
    let draft: Draft = visitor.read().await;
    assert_eq!((draft.comment.answers.len(), draft.by_place["top"].len()), (1, 2));
}

#[derive(SessionData)]
struct Tally<N>
where
    N: Default + Serialize + DeserializeOwned,
{
    last: N,
    #[session(merge = larger)]
    most: N,
    #[session(default = none)]
    maybe: Option<N>,
}

fn larger<N>(_: &N, mine: N, _: N) -> N {
    mine
}

fn none<N>() -> Option<N> {
    None
}

#[tokio::test]
async fn generic_functions_in_attributes() {
    let visitor = Visitor::new();
    visitor.change(|tally: &mut Tally<i32>| (tally.last, tally.most, tally.maybe) = (1, 2, Some(3))).await;
    let tally: Tally<i32> = visitor.read().await;
    assert_eq!((tally.last, tally.most, tally.maybe), (1, 2, Some(3)));
}
