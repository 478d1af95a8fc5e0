//! Every guard of a certain size, for every kind of visitor, against the definition of what conditions are worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::check::{GuestOnly, RequireFresh, RequireLogin};
use super::decide::{Verdict, decide_with, guard, login_required};
use super::frames::{Frames, Operator};
use super::interrupted::Interrupted;
use super::request::GuardedRequest;
use super::requirement::Requirement;
use super::subject::Subject;
use super::subjects::Subjects;
use crate::config::SessionConfig;
use crate::error::DenialReason;
use crate::manager::SessionManager;
use crate::record::Record;
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::request::RequestSession;
use crate::scope::{MainScope, SessionScope as _};
use crate::store::Store as _;
use crate::store::entry::Entry;
use crate::store::key::EntryKey;
use crate::store::memory::MemoryStore;
use crate::time::{Clock, SystemClock, Timestamp};
use crate::token::{OsRandom, Token};
use crate::wire::head::{OwnedHead, RequestHead};
use crate::wire::rejection::Rejection;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaf {
    Login,
    Guest,
    Fresh,
    Predicate(bool),
    BrokenPredicate,
    Requirement(bool),
    BrokenRequirement,
}

#[derive(Clone, Debug)]
enum Tree {
    Leaf(Leaf),
    Operator(Operator, Vec<Tree>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Visitor {
    Stranger,
    Fresh,
    Stale,
}

const LEAVES: [Leaf; 9] = [
    Leaf::Login,
    Leaf::Guest,
    Leaf::Fresh,
    Leaf::Predicate(true),
    Leaf::Predicate(false),
    Leaf::BrokenPredicate,
    Leaf::Requirement(true),
    Leaf::Requirement(false),
    Leaf::BrokenRequirement,
];

/// The definition: 0 is unmet, 1 unknown, 2 met.
mod definition {
    use super::{Leaf, Operator, Tree, Visitor};

    type Worth = [u8; 2];

    pub(super) enum Stop {
        Broken,
        Asks(Leaf),
    }

    pub(super) struct Situation<'a> {
        pub(super) visitor: Visitor,
        /// Requirements that have answered.
        pub(super) known: &'a [Leaf],
    }

    impl Situation<'_> {
        /// Returns the worth of a tree, within operators that are `decided`: now, and after a login.
        pub(super) fn worth(&self, tree: &Tree, decided: [bool; 2]) -> Result<Worth, Stop> {
            match tree {
                Tree::Leaf(leaf) => self.worth_of(*leaf, decided),
                Tree::Operator(operator, operands) => {
                    let (neutral, absorbing) = if *operator == Operator::Any { (0, 2) } else { (2, 0) };
                    let mut worth = [neutral; 2];
                    for operand in operands {
                        let inside = [0, 1].map(|part| decided[part] || worth[part] == absorbing);
                        let next = self.worth(operand, inside)?;
                        worth = [0, 1].map(|part| match operator {
                            Operator::Any => worth[part].max(next[part]),
                            Operator::All | Operator::Not => worth[part].min(next[part]),
                        });
                    }
                    Ok(if *operator == Operator::Not { worth.map(|part| 2 - part) } else { worth })
                }
            }
        }

        fn worth_of(&self, leaf: Leaf, [now, after_login]: [bool; 2]) -> Result<Worth, Stop> {
            let is_stranger = self.visitor == Visitor::Stranger;
            let answer = |is_met: bool| if is_stranger { [2 * u8::from(is_met), 1] } else { [2 * u8::from(is_met); 2] };
            let is_asked = !now || (!is_stranger && !after_login);
            match (leaf, self.visitor) {
                (Leaf::Login, Visitor::Stranger) => Ok([0, 2]),
                (Leaf::Login, _) => Ok([2, 2]),
                (Leaf::Guest, Visitor::Stranger) => Ok([2, 0]),
                (Leaf::Guest, _) => Ok([0, 0]),
                (Leaf::Fresh, Visitor::Fresh) => Ok([2, 2]),
                (Leaf::Fresh, _) => Ok([0, 2]),
                (Leaf::Predicate(_) | Leaf::BrokenPredicate, _) if !is_asked => Ok([1, 1]),
                (Leaf::Predicate(is_met), _) => Ok(answer(is_met)),
                (Leaf::BrokenPredicate, _) => Err(Stop::Broken),
                (Leaf::Requirement(is_met), _) if self.known.contains(&leaf) => Ok(answer(is_met)),
                (Leaf::Requirement(_) | Leaf::BrokenRequirement, _) if now => Ok([1, 1]),
                (Leaf::Requirement(_), _) => Err(Stop::Asks(leaf)),
                (Leaf::BrokenRequirement, _) => Err(Stop::Broken),
            }
        }
    }
}

/// Returns the verdict of the definition on a guard: passed, or refused for a reason; `None` if it is broken.
fn expected(guard: &[Tree], visitor: Visitor) -> Option<Verdict> {
    use definition::{Situation, Stop};
    let mut known = Vec::new();
    let tree = Tree::Operator(Operator::All, guard.to_vec());
    let [now, after_login] = loop {
        match (Situation { visitor, known: &known }).worth(&tree, [false; 2]) {
            Ok(worth) => break worth,
            Err(Stop::Broken) => return None,
            Err(Stop::Asks(leaf)) => known.push(leaf),
        }
    };
    let is_for_guests = guard.iter().any(|tree| matches!(tree, Tree::Leaf(Leaf::Guest)));
    Some(match (now, after_login, visitor) {
        (2, ..) => Ok(()),
        (_, 0, Visitor::Fresh | Visitor::Stale) if is_for_guests => Err(DenialReason::GuestOnly),
        (_, 0, _) => Err(DenialReason::NotAllowed),
        (_, _, Visitor::Stranger) => Err(DenialReason::LoginRequired),
        (_, _, Visitor::Fresh | Visitor::Stale) => Err(DenialReason::FreshLoginRequired),
    })
}

struct Anything;

enum OfAnything {}

impl<Scope> Subject<Scope, OfAnything> for Anything {
    type Holder = Self;

    fn find(_: &Subjects<'_, Scope>) -> Result<Option<Self>, Interrupted> {
        Ok(Some(Self))
    }
}

struct Answers<const MET: bool>;

impl<const MET: bool> Requirement for Answers<MET> {
    type Error = &'static str;

    async fn is_met(_: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        Ok(MET)
    }
}

struct Broken;

impl Requirement for Broken {
    type Error = &'static str;

    async fn is_met(_: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        Err("broken")
    }
}

fn check_trees(trees: &[Tree], subjects: &mut Subjects<'_, MainScope>) -> Result<(), Interrupted> {
    for tree in trees {
        match tree {
            Tree::Leaf(Leaf::Login) => subjects.require_login(),
            Tree::Leaf(Leaf::Guest) => subjects.guest_only(),
            Tree::Leaf(Leaf::Fresh) => subjects.require_fresh(300),
            Tree::Leaf(Leaf::Predicate(is_met)) => subjects.require(|_: &Anything| *is_met)?,
            Tree::Leaf(Leaf::BrokenPredicate) => subjects.require(|_: &Anything| Err::<bool, _>("broken"))?,
            Tree::Leaf(Leaf::Requirement(true)) => subjects.requirement::<Answers<true>>()?,
            Tree::Leaf(Leaf::Requirement(false)) => subjects.requirement::<Answers<false>>()?,
            Tree::Leaf(Leaf::BrokenRequirement) => subjects.requirement::<Broken>()?,
            Tree::Operator(operator, operands) => {
                subjects.begin_operator(*operator);
                check_trees(operands, subjects)?;
                subjects.end_operator();
            }
        }
    }
    Ok(())
}

#[derive(Clone)]
struct MovedClock(Arc<AtomicU64>);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// One of each kind of visitor, loaded.
async fn visitors() -> Vec<(Visitor, RequestSession)> {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let clock = MovedClock(time.clone());
    let manager = SessionManager::builder(MemoryStore::new()).clock(clock).build();
    let log_in = async || {
        let session = manager.open();
        session.auth().login("ada").await.expect("the store works");
        session
    };
    let stale = log_in().await;
    time.fetch_add(300, Ordering::SeqCst);
    vec![(Visitor::Stranger, manager.open()), (Visitor::Stale, stale), (Visitor::Fresh, log_in().await)]
}

async fn compare(guard: &[Tree], visitors: &[(Visitor, RequestSession)]) {
    let nothing = OwnedHead::new(&RequestHead::new("GET", "/", &NoHeaders));
    for (visitor, session) in visitors {
        let request = GuardedRequest::new(session, nothing.as_head());
        let check = |request: &GuardedRequest<'_>, frames: &mut Frames| check_guard(guard, request, frames);
        let verdict = decide_with(&request, &check).await.ok();
        assert_eq!(verdict, expected(guard, *visitor), "{guard:?} for {visitor:?}");
    }
}

fn check_guard(guard: &[Tree], request: &GuardedRequest<'_>, frames: &mut Frames) -> Result<(), Interrupted> {
    check_trees(guard, &mut Subjects::new(request, frames))
}

struct NoHeaders;

impl crate::wire::head::Headers for NoHeaders {
    fn each<'a>(&'a self, _: &mut dyn FnMut(&'a str, &'a [u8])) {}
}

/// Leaves, and operators over one or two of them.
fn small_trees() -> Vec<Tree> {
    let leaves = LEAVES.map(Tree::Leaf);
    let mut trees = leaves.to_vec();
    for first in &leaves {
        trees.push(Tree::Operator(Operator::Not, vec![first.clone()]));
        for operator in [Operator::Any, Operator::All] {
            trees.push(Tree::Operator(operator, vec![first.clone()]));
            trees.extend(leaves.iter().map(|second| Tree::Operator(operator, vec![first.clone(), second.clone()])));
        }
    }
    trees
}

#[tokio::test]
async fn every_small_guard_does_what_its_conditions_mean() {
    let (visitors, trees) = (visitors().await, small_trees());
    for first in &trees {
        compare(std::slice::from_ref(first), &visitors).await;
        compare(&[Tree::Operator(Operator::Not, vec![first.clone()])], &visitors).await;
        for second in &trees {
            let both = vec![first.clone(), second.clone()];
            compare(&both, &visitors).await;
            for operator in [Operator::Any, Operator::Not] {
                compare(&[Tree::Operator(operator, both.clone())], &visitors).await;
            }
        }
    }
}

/// A stored record may say anything.
#[tokio::test]
async fn a_proof_of_identity_that_is_nobodys_is_none() {
    let (store, config) = (Arc::new(MemoryStore::new()), SessionConfig::default());
    let manager = SessionManager::new(store.clone(), config);
    let (token, now) = (Token::new(&OsRandom), SystemClock.now());
    for user in [None, Some("ada".into())] {
        let mut header = Header::new(token.secret_hash(MainScope::NAME), now, Duration::from_secs(60), None);
        (header.user_id, header.authenticated) = (user.clone(), Some(now));
        let (key, entry) = (EntryKey::session(token.id()), Entry::of_record(&Record::new(header), now));
        store.insert(&key, &entry).await.expect("the store works");
        let cookie = OneCookie(format!("__Host-session={}", token.expose()));
        let session = manager.open();
        let passed = guard::<RequireFresh<300>>(&session, &RequestHead::new("GET", "/", &cookie)).await.is_ok();
        assert_eq!((passed, session.state().current.is_some()), (user.is_some(), true));
        store.remove(&key, Generation::default()).await.expect("the store works");
    }
}

struct OneCookie(String);

impl crate::wire::head::Headers for OneCookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

#[tokio::test]
async fn a_denial_is_not_for_caches_whatever_becomes_of_the_answer() {
    let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    let headers = async |session: &RequestSession| {
        let changes = manager.close(session, 200).await;
        changes.headers.into_iter().filter(|change| format!("{change:?}").contains("cache-control")).count()
    };
    let head = RequestHead::new("GET", "/", &NoHeaders);
    let (stranger, user) = (manager.open(), manager.open());
    assert!(guard::<RequireLogin>(&stranger, &head).await.is_err());
    assert!(guard::<GuestOnly>(&user, &head).await.is_ok());
    assert_eq!((headers(&stranger).await, headers(&user).await), (1, 0));
    // That of an extractor is one where it is given, once.
    let refused = manager.open();
    let rejection = login_required(&refused, &head);
    let copy = rejection.clone();
    assert!(!refused.state().denied && rejection == copy);
    [&rejection, &copy].into_iter().for_each(Rejection::give);
    assert_eq!(headers(&refused).await, 1);
}

#[tokio::test]
async fn nobody_passes_where_nothing_is_asked() {
    let visitors = visitors().await;
    let empty = |operator| Tree::Operator(operator, Vec::new());
    for guard in [vec![], vec![empty(Operator::All)], vec![empty(Operator::Any)], vec![empty(Operator::Not)]] {
        for (visitor, session) in &visitors {
            let head = RequestHead::new("GET", "/", &NoHeaders);
            let request = GuardedRequest::new(session, head);
            let check = |request: &GuardedRequest<'_>, frames: &mut Frames| check_guard(&guard, request, frames);
            assert!(decide_with(&request, &check).await.is_ok_and(|verdict| verdict.is_err()), "{guard:?} {visitor:?}");
        }
    }
    for unfinished in [|frames: &mut Frames| frames.begin_operator(Operator::Any), Frames::end_operator] {
        let mut frames = Frames::new();
        unfinished(&mut frames);
        assert_eq!(frames.value(), super::condition::Condition::UNKNOWN);
    }
    let mut frames = Frames::new();
    frames.push(super::condition::Condition::MET);
    frames.begin_operator(Operator::Any);
    assert_eq!(frames.value(), super::condition::Condition::UNKNOWN, "before the end of an operator nobody knows");
}
