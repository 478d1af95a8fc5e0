//! A struct without mistakes.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{ExprPath, Generics, Path, Type, parse_quote};

use super::attributes::{self, DefaultValue, MergeRule, OnError, OnLogin, StructAttributes};
use super::shape::Head;
use super::{check, name};

pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) runtime: Runtime,
    pub(crate) namespace: String,
    pub(crate) migration: Option<(u32, ExprPath)>,
    pub(crate) on_error: OnError,
    pub(crate) on_login: Option<OnLogin>,
    pub(crate) fields: Vec<Field>,
}

/// The path of the runtime, and the scope and the codec that the struct chose.
pub(crate) struct Runtime {
    pub(crate) root: Path,
    pub(crate) scope: Path,
    pub(crate) codec: Path,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) default: Option<ExprPath>,
    /// Absent for a field that is not stored.
    pub(crate) stored: Option<Stored>,
}

pub(crate) struct Stored {
    pub(crate) key: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) carry: bool,
    pub(crate) ttl: Option<u32>,
    pub(crate) sensitive: bool,
}

pub(crate) enum Kind {
    Plain,
    Counter,
    Flash,
    Entries,
    /// Merged by a function of ours, `union` or `append`.
    Ready(Ident),
    /// Merged by a function of the user's.
    Function(ExprPath),
}

impl Runtime {
    pub(crate) fn new(attributes: &StructAttributes) -> Self {
        Self {
            root: attributes.root.value().cloned().unwrap_or_else(|| parse_quote!(::sessionkit)),
            scope: attributes.scope.value().cloned().unwrap_or_else(|| parse_quote!(__kit::MainScope)),
            codec: attributes.codec.value().cloned().unwrap_or_else(|| parse_quote!(__kit::Json)),
        }
    }
}

pub(crate) fn build<'a>(head: &Head<'a>, attributes: StructAttributes, fields: Vec<attributes::Field>) -> Model<'a> {
    let namespace = match attributes.name.value() {
        Some(name) => name.value(),
        None => name::snake_case(&head.ident.unraw().to_string()),
    };
    Model {
        ident: head.ident,
        generics: head.generics,
        runtime: Runtime::new(&attributes),
        migration: attributes.version.value().copied().zip(attributes.migrate.value().cloned()),
        on_login: attributes.on_login.value().copied(),
        on_error: attributes.on_error.value().copied().unwrap_or(OnError::Fail),
        fields: fields.into_iter().map(|field| build_field(&namespace, field)).collect(),
        namespace,
    }
}

fn build_field(namespace: &str, field: attributes::Field) -> Field {
    let stored = field.skip.key().is_none().then(|| Stored {
        key: format!("{namespace}.{}", check::stored_as(&field).0),
        aliases: field.aliases.iter().map(|(_, name)| format!("{namespace}.{}", name.value())).collect(),
        kind: kind(&field),
        carry: field.carry.key().is_some(),
        ttl: field.ttl.value().copied(),
        sensitive: field.sensitive.key().is_some(),
    });
    let default = match field.default.value() {
        Some(DefaultValue::Function(path)) => Some(path.clone()),
        Some(DefaultValue::Trait) | None => None,
    };
    Field { ident: field.ident, ty: field.ty, default, stored }
}

fn kind(field: &attributes::Field) -> Kind {
    match field.merge.value() {
        Some(MergeRule::Add) => Kind::Counter,
        Some(MergeRule::Ready(function)) => Kind::Ready(function.clone()),
        Some(MergeRule::Function(path)) => Kind::Function(path.clone()),
        None if field.flash.key().is_some() => Kind::Flash,
        None if field.entries.key().is_some() => Kind::Entries,
        None => Kind::Plain,
    }
}
