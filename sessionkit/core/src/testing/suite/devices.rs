//! The index of the sessions of each user.

use std::sync::Arc;

use super::fixture::{NOW, after, random_id};
use crate::devices::{DeviceEntry, DeviceIndex, DeviceSelection, EntryState, Registered, Registration};
use crate::store::Store;
use crate::time::Timestamp;
use crate::token::SessionId;

/// A user of a name that nobody else has.
struct User<S> {
    store: Arc<S>,
    name: String,
}

impl<S: Store> User<S> {
    fn new(store: &Arc<S>) -> Self {
        Self::named(store, &format!("suite/{}", random_id()))
    }

    fn named(store: &Arc<S>, name: &str) -> Self {
        Self { store: store.clone(), name: name.to_owned() }
    }

    fn index(&self) -> &dyn DeviceIndex {
        self.store.device_index().expect("the store has an index")
    }

    async fn register(&self, id: SessionId, most: Option<usize>, evict: bool) -> Registered {
        self.register_at(id, most, evict, NOW, after(1000)).await
    }

    async fn register_at(
        &self,
        id: SessionId,
        most: Option<usize>,
        evict: bool,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Registered {
        let login = Registration { id, deadline, most, evict, stored: false, now };
        self.index().register(&self.name, login).await.expect("the store answers")
    }

    async fn confirm(&self, id: SessionId, ended: &[SessionId]) -> bool {
        self.index().confirm(&self.name, id, ended, NOW).await.expect("the store answers")
    }

    async fn end(&self, meant: DeviceSelection) -> Vec<SessionId> {
        self.index().end(&self.name, meant, NOW).await.expect("the store answers")
    }

    async fn forget(&self, ids: &[SessionId]) {
        self.index().forget(&self.name, ids).await.expect("the store answers");
    }

    async fn prune(&self, seen: &[DeviceEntry]) {
        self.index().prune(&self.name, seen).await.expect("the store answers");
    }

    /// The users whose names begin like this one's.
    async fn users(&self) -> Vec<String> {
        self.index().users(&self.name).await.expect("the store answers")
    }

    async fn entries(&self, now: Timestamp) -> Vec<DeviceEntry> {
        self.index().entries(&self.name, now).await.expect("the store answers")
    }

    async fn states(&self) -> Vec<(SessionId, EntryState)> {
        self.entries(NOW).await.iter().map(|entry| (entry.id, entry.state)).collect()
    }

    /// Registers and confirms so many sessions, one after the other.
    async fn logged_in(&self, sessions: usize) -> Vec<SessionId> {
        let ids: Vec<_> = (0..sessions).map(|_| random_id()).collect();
        for id in &ids {
            assert_eq!(self.register(*id, None, false).await, Registered::Entered(vec![]));
            assert!(self.confirm(*id, &[]).await);
        }
        ids
    }
}

/// An entry is begun, then confirmed, then forgotten; entries come in the order of their registration.
pub async fn an_entry_lives_from_its_registration_until_it_is_forgotten<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let [one, two] = [random_id(), random_id()];
    assert_eq!(user.register_at(one, None, false, after(1), after(500)).await, Registered::Entered(vec![]));
    user.register(two, None, false).await;
    assert_eq!(user.users().await, std::slice::from_ref(&user.name));
    let first = DeviceEntry { id: one, state: EntryState::Begun, registered: after(1), deadline: after(500) };
    let second = DeviceEntry { id: two, state: EntryState::Begun, registered: NOW, deadline: after(1000) };
    assert_eq!(user.entries(NOW).await, [first, second]);
    assert!(user.confirm(two, &[]).await);
    assert_eq!(user.states().await, [(one, EntryState::Begun), (two, EntryState::Confirmed)]);
    user.register_at(one, None, false, after(5), after(500)).await;
    user.register(two, None, false).await;
    assert_eq!(user.entries(NOW).await[0], DeviceEntry { registered: after(5), ..first });
    assert_eq!(user.states().await, [(one, EntryState::Begun), (two, EntryState::Confirmed)], "each stays what it was");
    user.forget(&[one]).await;
    assert!(!user.confirm(one, &[]).await, "nothing is confirmed that is not there");
    user.forget(&[two, one]).await;
    user.forget(&[]).await;
    assert_eq!(user.states().await, []);
    assert!(user.users().await.is_empty(), "nothing is left of whoever has no entries");
}

/// Users have nothing to do with each other, whatever they are called.
pub async fn users_are_kept_apart<S: Store>(store: Arc<S>) {
    let prefix = format!("suite*?[a]\\{}/", random_id());
    let mut all = Vec::new();
    for name in ["", "a", "aa", "A", "*", "Ада 🍪", "a b", "@", "a/b"] {
        let user = User::named(&store, &format!("{prefix}{name}"));
        let id = random_id();
        user.register(id, Some(1), false).await;
        all.push((user, id));
    }
    for (user, id) in &all {
        assert_eq!(user.states().await, [(*id, EntryState::Begun)], "{}", user.name);
    }
    // Beside them, in whatever order the store keeps them.
    for other in ["suit", "suite~", "~"] {
        User::named(&store, &format!("{other}{}", random_id())).register(random_id(), None, false).await;
    }
    let mut names: Vec<_> = all.iter().map(|(user, _)| user.name.clone()).collect();
    names.sort_unstable();
    let mut found = all[0].0.users().await;
    found.sort_unstable();
    assert_eq!(found, names);
    assert_eq!(all[1].0.end(DeviceSelection::All).await, [all[1].1]);
    assert_eq!(all[2].0.states().await, [(all[2].1, EntryState::Begun)]);
}

/// What has ended is never confirmed, and never registered again, until it is forgotten; it is told every time.
pub async fn what_has_ended_stays_so<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let ids = user.logged_in(3).await;
    assert_eq!(user.end(DeviceSelection::One(random_id())).await, []);
    assert_eq!(user.end(DeviceSelection::One(ids[1])).await, [ids[1]]);
    assert_eq!(user.end(DeviceSelection::One(ids[1])).await, [ids[1]], "whose session may not be destroyed yet");
    assert_eq!(user.end(DeviceSelection::One(random_id())).await, [], "nobody else is told of it");
    assert_eq!(user.register(ids[1], None, false).await, Registered::Ended);
    assert!(!user.confirm(ids[1], &[]).await, "[P9] a login that was revoked is not confirmed");
    assert_eq!(user.register(ids[0], None, false).await, Registered::Entered(vec![ids[1]]));
    assert_eq!(user.end(DeviceSelection::Others(ids[0])).await, [ids[1], ids[2]]);
    assert!(user.confirm(ids[0], &[ids[0]]).await, "what has not ended is not removed");
    assert!(!user.confirm(random_id(), &[ids[1]]).await, "what is destroyed goes, whoever says so");
    assert_eq!(user.states().await, [(ids[2], EntryState::Ended), (ids[0], EntryState::Confirmed)]);
    assert_eq!(user.end(DeviceSelection::All).await, [ids[2], ids[0]]);
    user.forget(&ids).await;
    assert_eq!(user.register(ids[1], None, false).await, Registered::Entered(vec![]));
}

/// What was registered, confirmed or ended since it was seen is not pruned, and nothing else is touched.
pub async fn only_what_is_as_it_was_seen_is_pruned<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let ids = user.logged_in(2).await;
    let begun = random_id();
    user.register(begun, None, false).await;
    let seen = user.entries(NOW).await;
    user.register_at(ids[1], None, false, after(1), after(1000)).await;
    user.confirm(begun, &[]).await;
    user.prune(&seen).await;
    let left = user.states().await;
    assert_eq!(left, [(begun, EntryState::Confirmed), (ids[1], EntryState::Confirmed)], "they are another login's");
    let seen = user.entries(NOW).await;
    user.end(DeviceSelection::One(begun)).await;
    user.prune(&seen).await;
    assert_eq!(user.states().await, [(begun, EntryState::Ended)], "[P9] that it ends has to be learnt");
    let (id, now) = (random_id(), NOW);
    let stored = Registration { id, deadline: after(1000), most: None, evict: false, stored: true, now };
    user.index().register(&user.name, stored).await.expect("the store answers");
    assert_eq!(user.states().await[1], (id, EntryState::Confirmed), "what is stored waits for nothing");
    user.prune(&[]).await;
    user.prune(&user.entries(NOW).await).await;
    assert!(user.users().await.is_empty(), "nothing is left of whoever has no entries");
}

/// Whoever registers again is the newest, in whatever order they came first.
pub async fn the_latest_registration_is_the_newest<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let ids = user.logged_in(4).await;
    for id in [ids[2], ids[0], ids[3], ids[1], ids[0]] {
        user.register(id, None, false).await;
    }
    let order: Vec<_> = user.states().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, [ids[2], ids[3], ids[1], ids[0]]);
    assert_eq!(user.register(random_id(), Some(2), true).await, Registered::Entered(order[..3].to_vec()));
}

/// At the limit a registration is refused, or ends the oldest ones. What has begun counts, what has ended does not.
pub async fn a_limit_counts_what_has_not_ended<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let ids = user.logged_in(2).await;
    let [third, fourth] = [random_id(), random_id()];
    assert_eq!(user.register(third, Some(3), false).await, Registered::Entered(vec![]));
    assert_eq!(user.register(fourth, Some(3), false).await, Registered::Full);
    assert_eq!(user.entries(NOW).await.len(), 3, "a refusal registers nothing");
    for evict in [false, true] {
        assert_eq!(user.register(ids[0], Some(3), evict).await, Registered::Entered(vec![]), "it is one of them");
    }
    assert_eq!(user.register(fourth, Some(3), true).await, Registered::Entered(vec![ids[1]]), "now the oldest");
    assert!(!user.confirm(ids[1], &[]).await);
    assert_eq!(user.register(ids[1], Some(9), true).await, Registered::Ended);
    // Where the limit was higher before, nobody is sent away who is there, and what has ended leaves room.
    assert_eq!(user.register(third, Some(1), false).await, Registered::Entered(vec![ids[1]]));
    user.end(DeviceSelection::One(fourth)).await;
    let sixth = random_id();
    assert_eq!(user.register(sixth, Some(3), false).await, Registered::Entered(vec![ids[1], fourth]));
    user.forget(&[sixth, fourth]).await;
    let fifth = random_id();
    let Registered::Entered(ended) = user.register(fifth, Some(1), true).await else { panic!("there is room") };
    assert_eq!(ended, [ids[1], ids[0], third]);
    assert!(user.confirm(fifth, &ended).await);
    assert_eq!(user.states().await, [(fifth, EntryState::Confirmed)]);
}

/// An entry is gone at its deadline. Another registration moves it later, never earlier.
pub async fn an_entry_is_gone_at_its_deadline<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let id = random_id();
    user.register_at(id, Some(1), false, NOW, after(100)).await;
    user.register_at(id, Some(1), false, after(1), after(50)).await;
    assert_eq!((user.entries(after(99)).await.len(), user.entries(after(100)).await.len()), (1, 0));
    user.register_at(id, Some(1), false, after(2), after(200)).await;
    let (name, index) = (&user.name, user.index());
    assert!(!index.confirm(name, id, &[], after(200)).await.expect("the store answers"));
    user.register_at(id, Some(1), false, after(2), after(200)).await;
    assert_eq!(index.end(name, DeviceSelection::All, after(200)).await.expect("the store answers"), []);
    user.register_at(id, Some(1), false, after(2), after(200)).await;
    let other = random_id();
    assert_eq!(user.register_at(other, Some(1), false, after(199), after(900)).await, Registered::Full);
    let entered = user.register_at(other, Some(1), false, after(200), after(900)).await;
    assert_eq!(entered, Registered::Entered(vec![]));
    assert_eq!(user.entries(NOW).await.len(), 1, "and it is removed");
    user.end(DeviceSelection::All).await;
    assert_eq!(user.register_at(other, None, false, after(900), after(950)).await, Registered::Entered(vec![]));
}

/// An entry may be there for ever, and is ended like any other.
pub async fn an_entry_without_an_end_can_be_ended<S: Store>(store: Arc<S>) {
    let user = User::new(&store);
    let (id, never) = (random_id(), Timestamp::from_unix_seconds(u64::MAX));
    assert_eq!(user.register_at(id, Some(1), true, NOW, never).await, Registered::Entered(vec![]));
    assert!(user.confirm(id, &[]).await);
    let other = random_id();
    assert_eq!(user.register_at(other, Some(1), true, after(1), never).await, Registered::Entered(vec![id]));
    assert_eq!(user.end(DeviceSelection::All).await, [id, other]);
    assert_eq!(user.entries(after(u64::from(u32::MAX))).await.len(), 2);
}

/// Of many registrations at once exactly as many hold as may.
pub async fn a_limit_is_exact_however_many_come_at_once<S: Store>(store: Arc<S>) {
    for evict in [false, true] {
        let user = Arc::new(User::new(&store));
        let logins: Vec<_> = (0..50)
            .map(|_| {
                let user = user.clone();
                tokio::spawn(async move {
                    let id = random_id();
                    match user.register(id, Some(3), evict).await {
                        Registered::Entered(ended) => user.confirm(id, &ended).await,
                        _ => false,
                    }
                })
            })
            .collect();
        let mut confirmed = 0;
        for login in logins {
            confirmed += usize::from(login.await.expect("a login does not panic"));
        }
        let alive = user.states().await.iter().filter(|(_, state)| *state != EntryState::Ended).count();
        assert_eq!(alive, 3);
        assert!(if evict { confirmed >= 3 } else { confirmed == 3 }, "{confirmed}");
    }
}
