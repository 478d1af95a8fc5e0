//! Parses the `#[session(..)]` attributes of a struct and of its fields. Whether they go together is checked later.

use syn::{Attribute, ExprPath, FieldsNamed, Ident, Lit, LitStr, Path, Type};

use super::ttl;
use crate::args::{self, Arg, Value};
use crate::errors::Errors;
use crate::keys::{self, Place};
use crate::slot::Slot;

pub(crate) struct StructAttributes {
    pub(crate) name: Slot<LitStr>,
    pub(crate) scope: Slot<Path>,
    pub(crate) root: Slot<Path>,
    pub(crate) codec: Slot<Path>,
    pub(crate) version: Slot<u32>,
    pub(crate) migrate: Slot<ExprPath>,
    pub(crate) on_error: Slot<OnError>,
    pub(crate) on_login: Slot<OnLogin>,
    pub(crate) ignore_serde: Slot<()>,
}

/// The value of `on_error`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnError {
    UseDefault,
    Fail,
}

/// The value of `on_login`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnLogin {
    Keep,
    Discard,
}

impl StructAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut this = Self {
            name: Slot::new(),
            scope: Slot::new(),
            root: Slot::new(),
            codec: Slot::new(),
            version: Slot::new(),
            migrate: Slot::new(),
            on_error: Slot::new(),
            on_login: Slot::new(),
            ignore_serde: Slot::new(),
        };
        for arg in args::of_attributes(attributes, Place::Struct, errors) {
            let key = &arg.key;
            match key.to_string().as_str() {
                "name" => this.name.set(key, arg.string("\"cart\"", errors), errors),
                "scope" => this.scope.set(key, arg.path("Office", errors), errors),
                "crate" => this.root.set(key, arg.path("path::to::sessionkit", errors), errors),
                "codec" => this.codec.set(key, arg.path("path::to::Codec", errors), errors),
                "version" => this.version.set(key, version(&arg, errors), errors),
                "migrate" => this.migrate.set(key, arg.expr_path("path::to::function", errors), errors),
                "on_error" => this.on_error.set(key, on_error(&arg, errors), errors),
                "on_login" => this.on_login.set(key, on_login(&arg, errors), errors),
                "ignore_serde" => this.ignore_serde.set(key, arg.flag(errors), errors),
                _ => errors.push(keys::unknown(key, Place::Struct)),
            }
        }
        this
    }
}

fn version(arg: &Arg, errors: &Errors) -> Option<u32> {
    match &arg.value {
        Value::Literal(Lit::Int(number)) => match number.base10_parse() {
            Ok(0 | 1) => {
                errors.on(
                    number,
                    "what is stored without a version has the version 1: the first to write is `version = 2`",
                );
            }
            Ok(version) => return Some(version),
            Err(_) => errors.on(number, format_args!("a version is a number up to {}", u32::MAX)),
        },
        Value::Absent | Value::Missing(_) => arg.needs_value("2", errors),
        value => errors.on(value, "`version` is a number: write `version = 2`"),
    }
    None
}

fn on_error(arg: &Arg, errors: &Errors) -> Option<OnError> {
    let word = match &arg.value {
        Value::Path(path) => path.path.get_ident().map(Ident::to_string),
        _ => None,
    };
    match (word.as_deref(), &arg.value) {
        (Some("default"), _) => return Some(OnError::UseDefault),
        (Some("fail"), _) => return Some(OnError::Fail),
        (_, Value::Absent | Value::Missing(_)) => arg.needs_value("default", errors),
        (_, value) => errors.on(value, "`on_error` is `default` or `fail`: write `on_error = default`"),
    }
    None
}

fn on_login(arg: &Arg, errors: &Errors) -> Option<OnLogin> {
    let word = match &arg.value {
        Value::Path(path) => path.path.get_ident().map(Ident::to_string),
        _ => None,
    };
    match (word.as_deref(), &arg.value) {
        (Some("keep"), _) => return Some(OnLogin::Keep),
        (Some("discard"), _) => return Some(OnLogin::Discard),
        (_, Value::Absent | Value::Missing(_)) => arg.needs_value("discard", errors),
        (_, value) => errors.on(value, "`on_login` is `keep` or `discard`: write `on_login = discard`"),
    }
    None
}

/// A field with the attributes that were understood.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) rename: Slot<LitStr>,
    pub(crate) aliases: Vec<(Ident, LitStr)>,
    pub(crate) default: Slot<DefaultValue>,
    pub(crate) skip: Slot<()>,
    pub(crate) merge: Slot<MergeRule>,
    pub(crate) entries: Slot<()>,
    pub(crate) flash: Slot<()>,
    pub(crate) ttl: Slot<u32>,
    pub(crate) carry: Slot<()>,
    pub(crate) sensitive: Slot<()>,
}

/// `default`, or `default = path`.
pub(crate) enum DefaultValue {
    Trait,
    Function(ExprPath),
}

/// The value of `merge`.
pub(crate) enum MergeRule {
    Add,
    /// A function of ours: `union` or `append`.
    Ready(Ident),
    Function(ExprPath),
}

pub(crate) fn fields(fields: &FieldsNamed, errors: &Errors) -> Vec<Field> {
    let named = fields.named.iter().filter_map(|field| Some((field.ident.clone()?, field)));
    named.map(|(ident, field)| Field::parse(ident, field, errors)).collect()
}

impl Field {
    fn parse(ident: Ident, field: &syn::Field, errors: &Errors) -> Self {
        let mut this = Self {
            ident,
            ty: field.ty.clone(),
            rename: Slot::new(),
            aliases: Vec::new(),
            default: Slot::new(),
            skip: Slot::new(),
            merge: Slot::new(),
            entries: Slot::new(),
            flash: Slot::new(),
            ttl: Slot::new(),
            carry: Slot::new(),
            sensitive: Slot::new(),
        };
        for arg in args::of_attributes(&field.attrs, Place::Field, errors) {
            this.set(&arg, errors);
        }
        this
    }

    fn set(&mut self, arg: &Arg, errors: &Errors) {
        let key = &arg.key;
        match key.to_string().as_str() {
            "rename" => self.rename.set(key, arg.string("\"name\"", errors), errors),
            "alias" => self.aliases.extend(arg.string("\"old_name\"", errors).map(|name| (key.clone(), name))),
            "default" => self.default.set(key, default_value(arg, errors), errors),
            "skip" => self.skip.set(key, arg.flag(errors), errors),
            "merge" => self.merge.set(key, merge_rule(arg, errors), errors),
            "entries" => self.entries.set(key, arg.flag(errors), errors),
            "flash" => self.flash.set(key, arg.flag(errors), errors),
            "ttl" => self.ttl.set(key, ttl::seconds(arg, errors), errors),
            "carry" => self.carry.set(key, arg.flag(errors), errors),
            "sensitive" => self.sensitive.set(key, arg.flag(errors), errors),
            _ => errors.push(keys::unknown(key, Place::Field)),
        }
    }
}

fn default_value(arg: &Arg, errors: &Errors) -> Option<DefaultValue> {
    match arg.value {
        Value::Absent => Some(DefaultValue::Trait),
        _ => arg.expr_path("path::to::function", errors).map(DefaultValue::Function),
    }
}

fn merge_rule(arg: &Arg, errors: &Errors) -> Option<MergeRule> {
    let is_missing = matches!(arg.value, Value::Absent | Value::Missing(_));
    let example = if is_missing { "add" } else { "path::to::function" };
    let path = arg.expr_path(example, errors)?;
    Some(match path.path.get_ident() {
        Some(ident) if ident == "add" => MergeRule::Add,
        Some(ident) if ident == "union" || ident == "append" => MergeRule::Ready(ident.clone()),
        _ => MergeRule::Function(path),
    })
}
