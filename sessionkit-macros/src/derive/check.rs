//! Do the attributes go together? One function per rule.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use syn::LitStr;
use syn::ext::IdentExt;

use super::attributes::{DefaultValue, Field, MergeRule, StructAttributes};
use super::name;
use crate::errors::Errors;

/// #[session(name = "my cart")]
pub(crate) fn name(attributes: &StructAttributes, errors: &Errors) {
    stored_name(attributes.name.value(), errors);
}

/// #[session(version = 2)], #[session(migrate = split_name)]
pub(crate) fn version(attributes: &StructAttributes, errors: &Errors) {
    match (attributes.version.key(), attributes.migrate.key()) {
        (Some(version), None) => errors.at(
            version.span(),
            "`version` needs a function that brings older values to it: write \
             `version = 2, migrate = path::to::function`, a \
             `fn(from: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError>`",
        ),
        (None, Some(migrate)) => errors.at(
            migrate.span(),
            "`migrate` needs the version that it leads to: write `version = 2, migrate = ..`, and a greater version with \
             every further change",
        ),
        _ => {}
    }
}

pub(crate) fn fields(fields: &[Field], errors: &Errors) {
    for field in fields {
        for name in field.rename.value().into_iter().chain(field.aliases.iter().map(|(_, name)| name)) {
            stored_name(Some(name), errors);
        }
        skipped_field_is_nothing_else(field, errors);
        if field.skip.key().is_none() {
            flash_has_its_own_merge(field, errors);
            ttl_excludes_merge(field, errors);
            added_field_begins_at_zero(field, errors);
            flash_begins_empty(field, errors);
            entries_have_their_own_merge(field, errors);
            entries_begin_empty(field, errors);
        }
    }
    stored_once(fields, errors);
}

/// #[session(rename = "a.b")]
fn stored_name(name: Option<&LitStr>, errors: &Errors) {
    if let Some(name) = name
        && let Some(problem) = name::problem(&name.value())
    {
        errors.on(name, problem);
    }
}

/// #[session(skip, carry)]
fn skipped_field_is_nothing_else(field: &Field, errors: &Errors) {
    if field.skip.key().is_none() {
        return;
    }
    let others = [
        field.rename.key(),
        field.aliases.first().map(|(key, _)| key),
        field.merge.key(),
        field.entries.key(),
        field.flash.key(),
        field.ttl.key(),
        field.carry.key(),
        field.sensitive.key(),
    ];
    for key in others.into_iter().flatten() {
        errors.at(
            key.span(),
            format_args!("a `skip` field is not stored, so `{key}` has no meaning; remove one of them"),
        );
    }
}

/// #[session(flash, merge = union)]
fn flash_has_its_own_merge(field: &Field, errors: &Errors) {
    if let (Some(_), Some(merge)) = (field.flash.key(), field.merge.key()) {
        errors.at(merge.span(), "`flash` has a merge rule of its own; remove `merge`");
    }
}

/// #[session(ttl = "10m", merge = add)]
fn ttl_excludes_merge(field: &Field, errors: &Errors) {
    if let (Some(ttl), Some(_)) = (field.ttl.key(), field.merge.key()) {
        let message =
            "a merged field cannot have a `ttl`: it would be unclear which change it counts from; remove one of them";
        errors.at(ttl.span(), message);
    }
}

/// #[session(merge = add, default = forty_two)]
fn added_field_begins_at_zero(field: &Field, errors: &Errors) {
    if let (Some(MergeRule::Add), Some(key)) = (field.merge.value(), default_function(field)) {
        errors
            .at(key.span(), "a `merge = add` field begins at 0, because stores add to what is there; remove `default`");
    }
}

/// #[session(flash, default = greeting)]
fn flash_begins_empty(field: &Field, errors: &Errors) {
    if let (Some(_), Some(key)) = (field.flash.key(), default_function(field)) {
        errors.at(key.span(), "a `flash` field begins empty, or it would be shown again and again; remove `default`");
    }
}

/// #[session(entries, merge = union)], #[session(entries, flash)]
fn entries_have_their_own_merge(field: &Field, errors: &Errors) {
    let Some(entries) = field.entries.key() else { return };
    if let Some(merge) = field.merge.key() {
        errors.at(merge.span(), "`entries` merges by itself: each entry is stored on its own; remove `merge`");
    }
    if field.flash.key().is_some() {
        errors
            .at(entries.span(), "a `flash` field is taken as a whole, so it cannot be stored by `entries`; remove one");
    }
}

/// #[session(entries, default = first_items)]
fn entries_begin_empty(field: &Field, errors: &Errors) {
    if let (Some(_), Some(key)) = (field.entries.key(), default_function(field)) {
        let message = "an `entries` field begins empty, or entries that were removed would come back; remove `default`";
        errors.at(key.span(), message);
    }
}

/// items: Items, #[session(rename = "items")] more: Items
fn stored_once(fields: &[Field], errors: &Errors) {
    let mut names = HashSet::new();
    let stored = || fields.iter().filter(|field| field.skip.key().is_none());
    for (name, span) in stored().map(stored_as) {
        if !names.insert(name.clone()) {
            errors.at(span, format_args!("two fields are stored as `{name}`; give one another `rename`"));
        }
    }
    for (_, alias) in stored().flat_map(|field| &field.aliases) {
        let name = alias.value();
        if !names.insert(name.clone()) {
            errors.on(alias, format_args!("`{name}` is the name or an alias of a field already; remove this alias"));
        }
    }
}

/// The `default` of a field that names a function.
fn default_function(field: &Field) -> Option<&Ident> {
    match field.default.value() {
        Some(DefaultValue::Function(_)) => field.default.key(),
        _ => None,
    }
}

/// The name under which a field is stored, and the tokens that say so.
pub(crate) fn stored_as(field: &Field) -> (String, Span) {
    match field.rename.value() {
        Some(rename) => (rename.value(), rename.span()),
        None => (field.ident.unraw().to_string(), field.ident.span()),
    }
}
