//! Conditions for many handlers at once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::decide::{Conditions, decide};
use super::frames::{Frames, Operator};
use super::interrupted::Interrupted;
use super::predicate::{Predicate, Verdict};
use super::request::GuardedRequest;
use super::requirement::Requirement;
use super::subject::Findable;
use super::subjects::Subjects;
use crate::engine::denial::Denial;
use crate::engine::guard_options::GuardOptions;
use crate::request::RequestSession;
use crate::scope::{MainScope, SessionScope};
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// The conditions of a whole router or scope, as `#[session(..)]` has them for one handler; all must be met.
///
/// `GuardLayer` of axum and `GuardMiddleware` of actix-web take them. They come before the conditions of a handler, which
/// must be met too. Rules without a condition are a mistake, and let nobody pass: the answer is a 500.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// # use sessionkit_core::{FieldError, Json, MainScope, SessionData};
/// # use sessionkit_core::derive::{Field, FieldReader, FieldWriter};
/// # struct Cart { paid: bool }
/// # impl SessionData for Cart {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { paid: false }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
/// use std::time::Duration;
/// use sessionkit::{Rules, SessionUser};
///
/// struct Account {
///     is_admin: bool,
/// }
///
/// impl SessionUser for Account {}
///
/// let office = Rules::new().require_fresh(Duration::from_secs(15 * 60)).require(|account: &Account| account.is_admin);
/// let shipping = Rules::new()
///     .require_login()
///     .any(|any| any.require(|account: &Account| account.is_admin).require(|cart: &Cart| cart.paid));
/// # let _ = (office, shipping);
/// ```
pub struct Rules<Scope: SessionScope = MainScope> {
    conditions: Vec<Condition<Scope>>,
    is_public: bool,
    pub(super) options: GuardOptions,
    scope: PhantomData<fn() -> Scope>,
}

type Condition<Scope> = Arc<dyn Fn(&mut Subjects<'_, Scope>) -> Result<(), Interrupted> + Send + Sync>;

impl Rules {
    /// Begins with no condition.
    pub fn new() -> Self {
        Self::for_scope()
    }

    /// Lets everybody pass, and says so to a layer that withholds the answers of unguarded routes.
    pub fn public() -> Self {
        Self { is_public: true, ..Self::for_scope() }
    }
}

impl<Scope: SessionScope> Rules<Scope> {
    /// Begins with no condition, in one of several scopes: `Rules::<Office>::for_scope()`.
    pub fn for_scope() -> Self {
        Self { conditions: Vec::new(), is_public: false, options: GuardOptions::new(), scope: PhantomData }
    }

    /// Requires that a user is logged in.
    pub fn require_login(self) -> Self {
        self.with(|subjects| {
            subjects.require_login();
            Ok(())
        })
    }

    /// Requires that nobody is logged in.
    pub fn guest_only(self) -> Self {
        self.with(|subjects| {
            subjects.guest_only();
            Ok(())
        })
    }

    /// Requires that the user proved who they are less than `time` ago. Whole seconds.
    pub fn require_fresh(self, time: Duration) -> Self {
        self.with(move |subjects| {
            subjects.require_fresh(time.as_secs());
            Ok(())
        })
    }

    /// Requires that a predicate holds: a function or closure over one to four session structs or users, as for
    /// `#[session(require = ..)]`.
    pub fn require<P, A, V, K>(self, predicate: P) -> Self
    where
        P: Predicate<A, V> + Send + Sync + 'static,
        A: Findable<Scope, K>,
        V: Verdict,
    {
        self.with(move |subjects| subjects.ask(&predicate))
    }

    /// Requires what a type decides: `.requirement::<OfficeHours>()`.
    pub fn requirement<R: Requirement<Scope>>(self) -> Self {
        self.with(|subjects| subjects.requirement::<R>())
    }

    /// Requires that one of several conditions is met: `.any(|any| any.require(is_admin).require(is_owner))`.
    pub fn any(self, conditions: impl FnOnce(Self) -> Self) -> Self {
        self.operator(Operator::Any, conditions)
    }

    /// Requires that all of several conditions are met, inside of [`any`](Self::any) and [`not`](Self::not).
    pub fn all(self, conditions: impl FnOnce(Self) -> Self) -> Self {
        self.operator(Operator::All, conditions)
    }

    /// Requires that a condition is not met; of several, that not all are met.
    pub fn not(self, conditions: impl FnOnce(Self) -> Self) -> Self {
        self.operator(Operator::Not, conditions)
    }

    /// Sends those who have to log in to this page of the site, in place of the manager's: `.login_path("/office/login")`.
    pub fn login_path(self, path: &'static str) -> Self {
        Self { options: self.options.login_path(path), ..self }
    }

    /// Sends those who have to log in to the page that a function names, as
    /// [`SessionManagerBuilder::login_url`](crate::SessionManagerBuilder::login_url) does.
    pub fn login_url(self, function: fn(&RequestHead<'_>) -> String) -> Self {
        Self { options: self.options.login_url(function), ..self }
    }

    /// Answers those who are refused with what a function says, as
    /// [`SessionManagerBuilder::on_denied`](crate::SessionManagerBuilder::on_denied) does.
    pub fn on_denied(self, function: fn(&Denial<'_>) -> Rejection) -> Self {
        Self { options: self.options.on_denied(function), ..self }
    }

    fn operator(self, operator: Operator, conditions: impl FnOnce(Self) -> Self) -> Self {
        let operands = conditions(Self::for_scope());
        self.with(move |subjects| {
            subjects.begin_operator(operator);
            operands.check(subjects)?;
            subjects.end_operator();
            Ok(())
        })
    }

    fn with(
        mut self,
        condition: impl Fn(&mut Subjects<'_, Scope>) -> Result<(), Interrupted> + Send + Sync + 'static,
    ) -> Self {
        self.conditions.push(Arc::new(condition));
        self
    }

    /// Returns whether there is nothing to decide. A condition that was added to public rules counts.
    pub(super) fn lets_everybody_pass(&self) -> bool {
        self.is_public && self.conditions.is_empty()
    }

    pub(super) fn check(&self, subjects: &mut Subjects<'_, Scope>) -> Result<(), Interrupted> {
        if self.conditions.is_empty() {
            let reason = "`Rules` without a condition let nobody pass: add one, or write `Rules::public()`";
            return Err(Interrupted::Failed(reason.into()));
        }
        self.conditions.iter().try_for_each(|condition| condition(subjects))
    }
}

/// Decides by rules whether a request may go on, and what it gets if not.
///
/// # Errors
/// Refuses the request: a redirect to the login page or 401, 403, or a 5xx where it could not be decided.
pub async fn guard_by<Scope: SessionScope>(
    session: &RequestSession,
    head: &RequestHead<'_>,
    rules: &Rules<Scope>,
) -> Result<(), Rejection> {
    if rules.lets_everybody_pass() {
        return Ok(());
    }
    let check = |request: &GuardedRequest<'_>, frames: &mut Frames| rules.check(&mut Subjects::new(request, frames));
    decide(session, head, &Conditions { handler: "", check: &check, options: rules.options }).await
}

impl<Scope: SessionScope> Clone for Rules<Scope> {
    fn clone(&self) -> Self {
        Self { conditions: self.conditions.clone(), scope: PhantomData, ..*self }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl<Scope: SessionScope> fmt::Debug for Rules<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (conditions, is_public) = (self.conditions.len(), self.is_public);
        f.debug_struct("Rules").field("conditions", &conditions).field("is_public", &is_public).finish()
    }
}
