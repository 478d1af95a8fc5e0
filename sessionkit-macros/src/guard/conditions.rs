//! The conditions of `#[session(..)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprPath, Path};

use super::operand;
use super::operator::{self, Operator};
use super::options::Options;
use crate::args::{self, Arg, Value};
use crate::errors::Errors;
use crate::keys::{self, Place};
use crate::slot::Slot;

pub(crate) struct Conditions {
    pub(crate) root: Slot<Path>,
    pub(crate) scope: Slot<Path>,
    pub(crate) public: Slot<()>,
    pub(crate) options: Options,
    /// All of them must hold.
    pub(crate) all: Vec<Condition>,
}

/// One condition, with the key that the user wrote for it.
pub(crate) enum Condition {
    RequireLogin(Ident),
    GuestOnly(Ident),
    RequireFresh(Ident, u32),
    Requirement(Ident, ExprPath),
    /// A predicate; inside of an operator it may have no key.
    Require(Option<Ident>, Expr),
    Operator(Ident, Operator, Vec<Condition>),
}

impl Conditions {
    pub(crate) fn parse(args: TokenStream, errors: &Errors) -> Self {
        let mut this = Self {
            root: Slot::new(),
            scope: Slot::new(),
            public: Slot::new(),
            options: Options::new(),
            all: Vec::new(),
        };
        let mut is_condition_given = false;
        for arg in args::parse(args, Place::Handler, errors) {
            is_condition_given |= !["crate", "scope", "login_url", "on_denied"].contains(&arg.key.to_string().as_str());
            this.set(arg, errors);
        }
        // An arg that is a mistake, and has been reported, may have been meant as the condition.
        if !is_condition_given && !errors.found_any() {
            let message = format_args!(
                "say what to require: `#[session(require_login)]` or `#[session(require = {})]`; or say `#[session(public)]`",
                operand::EXAMPLE
            );
            errors.at(Span::call_site(), message);
        }
        no_flag_is_repeated(&this.all, errors);
        this.public_stands_alone(errors);
        this
    }

    fn set(&mut self, arg: Arg, errors: &Errors) {
        let key = &arg.key;
        match key.to_string().as_str() {
            "crate" => self.root.set(key, arg.path("path::to::sessionkit", errors), errors),
            "scope" => self.scope.set(key, arg.path("Office", errors), errors),
            "public" => self.public.set(key, arg.flag(errors), errors),
            "login_url" => self.options.set_login_url(&arg, errors),
            "on_denied" => self.options.set_on_denied(&arg, errors),
            _ => self.all.extend(Condition::parse(arg, Place::Handler, errors)),
        }
    }

    /// #[session(public, require_login)]
    fn public_stands_alone(&self, errors: &Errors) {
        let Some(public) = self.public.key() else { return };
        if !self.all.is_empty() || self.options.are_given() {
            errors.at(
                public.span(),
                "`public` lets everybody pass, so it stands alone: remove it, or everything beside it",
            );
        }
    }
}

impl Condition {
    /// The condition that an arg is; a mistake is reported.
    pub(crate) fn parse(arg: Arg, place: Place, errors: &Errors) -> Option<Self> {
        let key = arg.key.clone();
        match key.to_string().as_str() {
            "require_login" => arg.flag(errors).map(|()| Self::RequireLogin(key)),
            "guest_only" => arg.flag(errors).map(|()| Self::GuestOnly(key)),
            "require_fresh" => operand::seconds(&arg, errors).map(|seconds| Self::RequireFresh(key, seconds)),
            "require" => operand::of_require(arg, errors).map(|operand| Self::Require(Some(key), operand)),
            "requirement" => operand::of_requirement(&arg, errors).map(|path| Self::Requirement(key, path)),
            "any" => operator::operands(Operator::Any, arg, errors),
            "all" => operator::operands(Operator::All, arg, errors),
            "not" => operator::operands(Operator::Not, arg, errors),
            _ => {
                let is_bare = matches!(arg.value, Value::Absent);
                errors.push(if is_bare {
                    keys::unknown_without_value(&key, place)
                } else {
                    keys::unknown(&key, place)
                });
                None
            }
        }
    }

    /// Returns the tokens with which the user began the condition.
    pub(crate) fn key(&self) -> TokenStream {
        match self {
            Self::RequireLogin(key)
            | Self::GuestOnly(key)
            | Self::RequireFresh(key, _)
            | Self::Requirement(key, _)
            | Self::Require(Some(key), _)
            | Self::Operator(key, ..) => key.to_token_stream(),
            Self::Require(None, operand) => operand.to_token_stream(),
        }
    }

    /// Returns those of the user's tokens that may name something.
    pub(crate) fn names(&self) -> TokenStream {
        match self {
            Self::RequireLogin(_) | Self::GuestOnly(_) | Self::RequireFresh(..) => TokenStream::new(),
            Self::Requirement(_, path) => path.to_token_stream(),
            Self::Require(_, operand) => operand.to_token_stream(),
            Self::Operator(.., operands) => operands.iter().map(Self::names).collect(),
        }
    }
}

/// #[session(require_login, require_login)]
pub(crate) fn no_flag_is_repeated(conditions: &[Condition], errors: &Errors) {
    let mut seen = Vec::new();
    for condition in conditions {
        let (Condition::RequireLogin(key) | Condition::GuestOnly(key) | Condition::RequireFresh(key, _)) = condition
        else {
            continue;
        };
        if seen.contains(&key) {
            errors.at(key.span(), format_args!("`{key}` is given twice; remove one"));
        }
        seen.push(key);
    }
}
