//! Writes the implementation for a struct without mistakes.
//!
//! Local names have mixed-site hygiene and every other name starts at `__kit`, so nothing that the user's module
//! calls `fields`, `Result` or `Default` gets in between.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::attributes::{OnError, OnLogin};
use super::bounds;
use super::model::{Field, Kind, Model, Runtime, Stored};
use crate::span::ours_at;

pub(crate) fn implementation(model: &Model<'_>) -> TokenStream {
    let Runtime { scope, codec, .. } = &model.runtime;
    let (ident, namespace) = (model.ident, &model.namespace);
    let (generics, arguments, own_where_clause) = model.generics.split_for_impl();
    let where_clause = bounds::where_clause(model);
    let on_error = (model.on_error == OnError::UseDefault).then(|| {
        quote!(
            const ON_ERROR: __kit::OnError = __kit::OnError::UseDefault;
        )
    });
    let version = model.migration.as_ref().map(|(version, _)| {
        let version = Literal::u32_unsuffixed(*version);
        quote!(const VERSION: __kit::u32 = #version;)
    });
    let (fields, methods) = (fields(model), [decode(model), encode(model), migrate(model)]);
    let is_no_user = quote_spanned! {ours_at(ident)=>
        impl #generics __kit::SessionDataOrSessionUser for #ident #arguments #own_where_clause {}
    };
    in_scope(
        &model.runtime,
        quote! {
            impl #generics __kit::SessionData for #ident #arguments #where_clause {
                type Scope = #scope;
                type Codec = #codec;
                const NAMESPACE: &'static __kit::str = #namespace;
                #version
                #on_error
                const FIELDS: &'static [__kit::Field] = &[#fields];
                #(#methods)*
            }
            #[automatically_derived]
            #is_no_user
        },
    )
}

/// Puts an implementation where the runtime has a short name and lints of the user's do not fire.
pub(crate) fn in_scope(runtime: &Runtime, implementation: TokenStream) -> TokenStream {
    let root = &runtime.root;
    quote! {
        #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
        const _: () = {
            use #root::__private as __kit;
            #[automatically_derived]
            #implementation
        };
    }
}

fn stored<'a>(model: &'a Model<'_>) -> impl Iterator<Item = (&'a Field, &'a Stored)> {
    model.fields.iter().filter_map(|field| Some((field, field.stored.as_ref()?)))
}

fn fields(model: &Model<'_>) -> TokenStream {
    let on_login = model.on_login.map(|on_login| match on_login {
        OnLogin::Keep => quote!(.on_login(__kit::OnLogin::Keep)),
        OnLogin::Discard => quote!(.on_login(__kit::OnLogin::Discard)),
    });
    let fields = stored(model).map(|(field, stored)| {
        let (key, aliases) = (&stored.key, &stored.aliases);
        let aliases = (!aliases.is_empty()).then(|| quote!(.aliases(&[#(#aliases),*])));
        let merge = rule(field, stored).map(|rule| quote_spanned!(ours_at(&field.ty)=> .merge(#rule)));
        let carry = stored.carry.then(|| quote!(.carry()));
        let ttl = stored.ttl.map(|seconds| {
            let seconds = Literal::u32_unsuffixed(seconds);
            quote!(.ttl(#seconds))
        });
        let sensitive = stored.sensitive.then(|| quote!(.sensitive()));
        quote!(__kit::Field::new(#key) #aliases #merge #carry #ttl #sensitive #on_login,)
    });
    quote!(#(#fields)*)
}

/// Returns the rule for two requests that change a field; `None` if the last one wins.
fn rule(field: &Field, stored: &Stored) -> Option<TokenStream> {
    let (here, handle) = (ours_at(&field.ty), handle(field, stored));
    let function = match &stored.kind {
        Kind::Plain => return None,
        Kind::Counter | Kind::Flash | Kind::Entries => return Some(quote_spanned!(here=> #handle.rule())),
        // Where a bound is not met, a closure has one error and the function's name would have two.
        Kind::Ready(function) => {
            let call = quote_spanned!(ours_at(function)=> __kit::#function(__base, __mine, __theirs));
            quote_spanned!(ours_at(function)=> |__base, __mine, __theirs| #call)
        }
        Kind::Function(path) => quote!(#path),
    };
    Some(quote_spanned!(here=> __kit::Merge::ThreeWay(|__values| __values.merge(#handle, #function))))
}

fn decode(model: &Model<'_>) -> TokenStream {
    let fields = model.fields.iter().map(|field| {
        let (ident, here) = (&field.ident, ours_at(&field.ty));
        let value = match &field.stored {
            None => default(field),
            Some(stored) => {
                let (method, handle) = (method("read", stored), handle(field, stored));
                quote_spanned!(here=> __fields.#method(#handle)?)
            }
        };
        quote!(#ident: #value,)
    });
    quote_spanned! {Span::mixed_site()=>
        fn decode(__fields: &mut __kit::FieldReader<'_>) -> __kit::Result<Self, __kit::FieldError> {
            __kit::Ok(Self { #(#fields)* })
        }
    }
}

fn encode(model: &Model<'_>) -> TokenStream {
    let fields = stored(model).map(|(field, stored)| {
        let (ident, here) = (&field.ident, ours_at(&field.ty));
        let (method, handle) = (method("write", stored), handle(field, stored));
        quote_spanned!(here=> __fields.#method(&self.#ident, #handle)?;)
    });
    quote_spanned! {Span::mixed_site()=>
        fn encode(&self, __fields: &mut __kit::FieldWriter) -> __kit::Result<(), __kit::FieldError> {
            #(#fields)*
            __kit::Ok(())
        }
    }
}

/// The method `migrate`, where the struct has a version.
fn migrate(model: &Model<'_>) -> TokenStream {
    let Some((_, path)) = &model.migration else { return TokenStream::new() };
    // As a function pointer it has one type that can be wrong, rather than arguments and a result.
    let call = quote_spanned!(ours_at(path)=> __kit::migrate(#path, __from, __stored));
    quote_spanned! {Span::mixed_site()=>
        fn migrate(
            __from: __kit::u32,
            __stored: &mut __kit::StructMigration<'_, Self>,
        ) -> __kit::Result<(), __kit::FieldError> {
            #call
        }
    }
}

/// The method that reads or writes a field of this kind.
fn method(verb: &str, stored: &Stored) -> Ident {
    match &stored.kind {
        Kind::Counter => format_ident!("{verb}_counter"),
        Kind::Flash => format_ident!("{verb}_flash"),
        Kind::Entries => format_ident!("{verb}_entries"),
        Kind::Plain | Kind::Ready(_) | Kind::Function(_) => format_ident!("{verb}"),
    }
}

/// Returns the expression that reads and writes the values of a field. A type that the kind of field cannot have is the same
/// error wherever this stands, so it is shown once.
fn handle(field: &Field, stored: &Stored) -> TokenStream {
    let ty = &field.ty;
    let here = ours_at(ty);
    match (&stored.kind, &field.default) {
        (Kind::Counter, _) => quote_spanned!(here=> __kit::counter::<#ty>()),
        (Kind::Flash, _) => quote_spanned!(here=> __kit::flash::<Self::Codec, #ty>()),
        (Kind::Entries, _) => quote_spanned!(here=> __kit::entries::<Self::Codec, #ty>()),
        (_, None) => quote_spanned!(here=> __kit::stored::<Self::Codec, #ty>()),
        (_, Some(path)) => {
            // A closure of the wrong type is the same error each time, so it is shown once.
            let default = quote_spanned!(ours_at(path)=> || #path());
            quote_spanned!(here=> __kit::stored_or::<Self::Codec, #ty>(#default))
        }
    }
}

/// The value of a field that is never stored.
fn default(field: &Field) -> TokenStream {
    match &field.default {
        Some(path) => quote_spanned!(ours_at(path)=> #path()),
        None => quote_spanned!(ours_at(&field.ty)=> __kit::defaulted()),
    }
}
