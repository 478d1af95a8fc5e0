//! The costs of guards per request.

use std::process::Command;

use super::in_process::{Cost, FEW, cost};
use crate::candidate::{Backend, Candidate, Route};
use crate::process::{Result, myself, output};
use crate::table::{Table, nothing, whole};

pub fn measure() -> Result<String> {
    let head = ["", "instructions", "more", "allocations", "more", "store calls", "users loaded"];
    let mut table = Table::new(head);
    for candidate in Candidate::guarded() {
        let mut unguarded = None;
        for route in Route::GUARDED {
            let cost = cost(candidate, &Backend::Memory, route, FEW)?;
            if matches!(route, Route::Open | Route::OpenUser) {
                unguarded = None;
            }
            let more = |of: fn(Cost) -> f64| unguarded.map(|unguarded| of(cost) - of(unguarded));
            let [store, users] = calls(candidate, route)?;
            table.row([
                format!("{}: {}", candidate.framework, guard(route)),
                whole(cost.instructions),
                more(|cost| cost.instructions).map_or_else(nothing, whole),
                format!("{:.1}", cost.allocations),
                more(|cost| cost.allocations).map_or_else(nothing, |more| format!("{more:.1}")),
                store,
                users,
            ]);
            unguarded = unguarded.or(Some(cost));
        }
    }
    Ok(table.to_string())
}

/// As the attribute says it; see `apps/axum/guarded.rs`.
fn guard(route: Route) -> &'static str {
    match route {
        Route::Login => "`require_login`",
        Route::Fresh => "`require_fresh`",
        Route::Predicate => "`require_login`, and a predicate over another struct",
        Route::Operators => "`any` of `guest_only` and `all` of `require_login` and `not` of that predicate",
        Route::Same => "`require_login`, and a predicate over the struct that the handler reads",
        Route::OpenUser => "no guard, and the handler asks for the user",
        Route::User => "a predicate over that user",
        Route::Open | Route::Untouched | Route::Read | Route::Write => "no guard",
    }
}

/// The calls to the store, and to the loader of users.
fn calls(candidate: Candidate, route: Route) -> Result<[String; 2]> {
    let (printed, _) = output(Command::new(myself()?).arg("calls").args([candidate.to_string(), route.to_string()]))?;
    let (store, users) = printed.trim().split_once(' ').ok_or_else(|| format!("not two numbers: {printed}"))?;
    Ok([store, users].map(str::to_owned))
}
