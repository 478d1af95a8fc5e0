//! What the engine reports through `tracing`, under the target `sessionkit`. No event holds a secret or a value.

use std::fmt::Display;

use crate::token::SessionId;

const TARGET: &str = "sessionkit";

macro_rules! events {
    ($($(#[$doc:meta])* $level:ident $name:ident($($field:ident: $type:ty),*) $message:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($field: $type),*) {
            tracing::$level!(target: TARGET, event = stringify!($name), $($field = %$field,)* $message);
        }
    )*};
}

events! {
    /// A session came into being.
    debug created(layer: &str, id: SessionId) "session created";
    /// A user logged in.
    info login(layer: &str, id: SessionId) "login";
    /// A session was ended by its user.
    info logout(layer: &str, id: SessionId) "logout";
    /// The secret was replaced.
    info rotated(layer: &str, id: SessionId) "token rotated";
    /// The secret was replaced on schedule; the old one opens the session for a while.
    debug renewed(layer: &str, id: SessionId) "token renewed";
    /// A request presented a token that opens nothing.
    debug rejected(layer: &str, reason: &str) "session token rejected";
    /// A request presented tokens of two sessions.
    warn ambiguous(layer: &str) "two valid session tokens in one request: treated as anonymous";
    /// Changes came after the session's end or after a rotation.
    warn write_discarded(layer: &str, id: SessionId, reason: &str) "session changes discarded";
    /// What was checked out before a change of user, or before everything was cleared, was changed after it.
    warn contribution_discarded(layer: &str, key: &str) "session changes discarded: the user changed, or all was cleared, meanwhile";
    /// The session was changed after the response head was sent.
    error late_write(layer: &str, handler: &str, key: &str) "session changes lost: the response was already sent";
    /// A handle was dropped, or read afresh, before its changes were committed.
    warn uncommitted(layer: &str) "session changes discarded: the handle did not commit them";
    /// A commit met the changes of another request and is tried again.
    debug conflict(layer: &str, id: SessionId) "session conflict";
    /// A stored value does not fit its field, which has its default.
    warn unfit(layer: &str, key: &str) "stored session field does not fit its type: the default is used";
    /// A store call that had begun was dropped with its runtime: nobody knows whether it happened.
    error cut_off() "store call cut off: its runtime ended before it";
    /// The session could not be used.
    warn failed(layer: &str, error: &dyn Display) "session unavailable";
    /// A variable looks like a setting and is none.
    info not_a_setting(variable: &dyn Display) "variable ignored: not a session setting";
    /// A guard refused a request.
    info denied(layer: &str, handler: &str, reason: &str) "denied";
}
