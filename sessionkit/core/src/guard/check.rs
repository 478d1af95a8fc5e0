//! The conditions of a guard.

use std::marker::PhantomData;

use super::interrupted::Interrupted;
use super::subjects::Subjects;
use crate::engine::guard_options::GuardOptions;
use crate::scope::{MainScope, SessionScope};

/// The conditions that a request must meet before its handler's arguments are extracted; see `#[session(..)]`.
///
/// It is synchronous, and runs again from the beginning when something was awaited for one of its conditions.
#[diagnostic::on_unimplemented(message = "`{Self}` is not what a guard can check")]
pub trait Check: 'static {
    /// The session that is asked.
    type Scope: SessionScope;

    /// The handler, for logs; empty where it has none, and the route is logged.
    const HANDLER: &'static str = "";

    /// Lets everybody pass, so that the session is not looked at.
    const IS_PUBLIC: bool = false;

    /// States the conditions. Without any nobody passes.
    ///
    /// # Errors
    /// Stops where something has to be awaited first, and where a condition cannot be decided.
    fn check(subjects: &mut Subjects<'_, Self::Scope>) -> Result<(), Interrupted>;

    /// Returns the options for refused requests; those of the manager by default.
    fn options() -> GuardOptions {
        GuardOptions::new()
    }
}

/// Requires that a user is logged in.
#[derive(Debug)]
pub struct RequireLogin<Scope: SessionScope = MainScope>(PhantomData<fn() -> Scope>);

impl<Scope: SessionScope> Check for RequireLogin<Scope> {
    type Scope = Scope;

    fn check(subjects: &mut Subjects<'_, Scope>) -> Result<(), Interrupted> {
        subjects.require_login();
        Ok(())
    }
}

/// Requires that nobody is logged in.
#[derive(Debug)]
pub struct GuestOnly<Scope: SessionScope = MainScope>(PhantomData<fn() -> Scope>);

impl<Scope: SessionScope> Check for GuestOnly<Scope> {
    type Scope = Scope;

    fn check(subjects: &mut Subjects<'_, Scope>) -> Result<(), Interrupted> {
        subjects.guest_only();
        Ok(())
    }
}

/// Requires that the user proved who they are less than `SECONDS` ago.
#[derive(Debug)]
pub struct RequireFresh<const SECONDS: u64, Scope: SessionScope = MainScope>(PhantomData<fn() -> Scope>);

impl<const SECONDS: u64, Scope: SessionScope> Check for RequireFresh<SECONDS, Scope> {
    type Scope = Scope;

    fn check(subjects: &mut Subjects<'_, Scope>) -> Result<(), Interrupted> {
        subjects.require_fresh(SECONDS);
        Ok(())
    }
}

/// Lets everybody pass, and says so.
#[derive(Debug)]
pub struct Public<Scope: SessionScope = MainScope>(PhantomData<fn() -> Scope>);

impl<Scope: SessionScope> Check for Public<Scope> {
    type Scope = Scope;

    const IS_PUBLIC: bool = true;

    fn check(_: &mut Subjects<'_, Scope>) -> Result<(), Interrupted> {
        Ok(())
    }
}
