//! The sessions of a user: listed, ended, and limited in number.
//!
//! # The protocol
//!
//! The record of a session and the entries of its user lie under different keys, on different machines perhaps, and no
//! call of a store changes both. So each operation makes several calls, in an order in which nothing can come between
//! them that leaves a session behind. With the setting `track_devices` a login makes these, where `*` marks those that it makes
//! anyway:
//!
//! 1. *load* the session that the cookie names, if there is one `*`;
//! 2. *register*: the entry is **begun**. At the limit either the login is refused here, or the entries of the oldest
//!    sessions are **ended**, and then
//! 3. *destroy* each session whose entry has ended;
//! 4. *create* or *commit* the record, which belongs to the user from now on `*`;
//! 5. *confirm*: the entry is **confirmed**, unless it has ended meanwhile; entries of sessions that were destroyed go.
//!    If it has ended, the login *destroys* its session and fails. Nobody was given its token.
//!
//! Ending sessions makes these: *end* their entries; *destroy* the sessions; *forget* the entries.
//!
//! **No login outlives a revocation that began before its end.** A login whose entry is there when entries are ended finds
//! out at step 5, because an entry that has ended never becomes another one. A login that registers later begins after
//! the revocation. A session that was stored before is destroyed. So it is if a server stops half-way: the entries that
//! have ended are still there, and the next login or revocation destroys their sessions.
//!
//! **The limit is exact.** Only *register* adds entries, and it counts those that have begun. No session of an entry that
//! has made room is alive when the new one is stored. From a limit of a thousand, the default, the
//! oldest makes room without a look at the others.
//!
//! **A session that has expired keeps its entry** until its latest deadline, or until it is met: where a list or a login
//! at the limit loads it in vain, and *prunes* it. That leaves alone what a login has registered since. A login that has
//! registered and not stored its session has a minute for that. If it stored the session and never learned so, because the
//! answer was lost, nobody has the token: that session is ended when it is met after the minute.
//!
//! **A session of another user.** A login that finds at step 4 that the session is another one's by now, or nobody's,
//! *prunes* its entry, and begins a session of its own. A login as another user registers with the new user first, and
//! *forgets* the entry of the user before after step 5. Whoever acts as another user stays in the list of their own
//! devices.
//!
//! # What it costs
//!
//! | operation | store calls besides those without the index |
//! |---|---|
//! | a login | 2: register, confirm |
//! | a login whose session another one has by now | 4, and a load: register, prune, and those of the login that it begins |
//! | a login as another user | 3: register, confirm, forget |
//! | a login at the limit | 2, and: entries, a load for each, register; a destroy for each that makes room; prune if any had expired |
//! | a login that is refused | entries, a load for each, 2 register; prune if any had expired |
//! | a re-authentication, an elevation | 1: register, which moves the deadline |
//! | a logout | 1: forget |
//! | a rotation, an impersonation, a renewal, a touch, a commit | 0 |
//! | a list | 1, and a load for each session; prune if any had expired |
//! | ending sessions | 2: end, forget; a destroy for each |
//! | ending everyone's | as ending all of a user's, for each user; and the list of users |

mod entries;
mod index;
mod list;
mod memory;
mod protocol;

pub use index::{DeviceEntry, DeviceIndex, DeviceSelection, EntryState, Registered, Registration, StoreFuture};
pub use list::{Device, Devices};
pub(crate) use memory::MemoryIndex;
pub(crate) use protocol::Entering;
