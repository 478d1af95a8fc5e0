//! Writes the implementation for a struct without mistakes.
//!
//! Local names have mixed-site hygiene and every other name starts at `__kit`, so nothing that the user's module
//! calls `fields`, `Result` or `Default` gets in between.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::bounds;
use super::model::{Field, Kind, Model, Runtime, Stored};
use crate::span::ours_at;

pub(crate) fn implementation(model: &Model<'_>) -> TokenStream {
    let Runtime { layer, codec, .. } = &model.runtime;
    let (ident, namespace) = (model.ident, &model.namespace);
    let (generics, arguments, _) = model.generics.split_for_impl();
    let where_clause = bounds::where_clause(model);
    let (fields, methods) = (fields(model), [decode(model), encode(model), merge(model)]);
    in_scope(
        &model.runtime,
        quote! {
            impl #generics __kit::SessionData for #ident #arguments #where_clause {
                type Layer = #layer;
                type Codec = #codec;
                const NAMESPACE: &'static __kit::str = #namespace;
                const FIELDS: &'static [__kit::Field] = &[#fields];
                #(#methods)*
            }
        },
    )
}

/// Puts an implementation where the runtime has a short name and lints of the user's do not fire.
pub(crate) fn in_scope(runtime: &Runtime, implementation: TokenStream) -> TokenStream {
    let root = &runtime.root;
    quote! {
        const _: () = {
            use #root::__private as __kit;
            #[automatically_derived]
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            #implementation
        };
    }
}

fn stored<'a>(model: &'a Model<'_>) -> impl Iterator<Item = (&'a Field, &'a Stored)> {
    model.fields.iter().filter_map(|field| Some((field, field.stored.as_ref()?)))
}

fn fields(model: &Model<'_>) -> TokenStream {
    let fields = stored(model).map(|(field, stored)| {
        let (key, ty) = (&stored.key, &field.ty);
        let merge = match &stored.kind {
            Kind::Plain => None,
            Kind::Counter => {
                let counter = handle(field, stored);
                Some(quote_spanned!(ours_at(ty)=> .merge(#counter.rule())))
            }
            Kind::Flash | Kind::Ready(_) | Kind::Function(_) => Some(quote!(.merge(__kit::Merge::ThreeWay))),
        };
        let carry = stored.carry.then(|| quote!(.carry()));
        let ttl = stored.ttl.map(|seconds| {
            let seconds = proc_macro2::Literal::u32_unsuffixed(seconds);
            quote!(.ttl(#seconds))
        });
        let sensitive = stored.sensitive.then(|| quote!(.sensitive()));
        quote!(__kit::Field::new(#key) #merge #carry #ttl #sensitive,)
    });
    quote!(#(#fields)*)
}

fn decode(model: &Model<'_>) -> TokenStream {
    let fields = model.fields.iter().map(|field| {
        let (ident, ty, default) = (&field.ident, &field.ty, default(field));
        let value = match &field.stored {
            None => quote_spanned!(ours_at(ty)=> (#default)()),
            Some(stored) => {
                let (here, handle) = (ours_at(ty), handle(field, stored));
                match stored.kind {
                    Kind::Counter => quote_spanned!(here=> __fields.read_counter(#handle, #default)?),
                    Kind::Flash => quote_spanned!(here=> __fields.read_flash(#handle, #default)?),
                    _ => quote_spanned!(here=> __fields.read(#handle, #default)?),
                }
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
        let handle = handle(field, stored);
        match &stored.kind {
            Kind::Counter => quote_spanned!(here=> __fields.write_counter(&self.#ident, #handle)?;),
            Kind::Flash => quote_spanned!(here=> __fields.write_flash(&self.#ident, #handle)?;),
            Kind::Plain | Kind::Ready(_) | Kind::Function(_) => {
                let default = default(field);
                quote_spanned!(here=> __fields.write(&self.#ident, #handle, #default)?;)
            }
        }
    });
    quote_spanned! {Span::mixed_site()=>
        fn encode(&self, __fields: &mut __kit::FieldWriter) -> __kit::Result<(), __kit::FieldError> {
            #(#fields)*
            __kit::Ok(())
        }
    }
}

/// The method `merge`, where a field needs it.
fn merge(model: &Model<'_>) -> TokenStream {
    let arms: Vec<TokenStream> = stored(model)
        .enumerate()
        .filter_map(|(index, (field, stored))| {
            let index = proc_macro2::Literal::usize_unsuffixed(index);
            merged(field, stored).map(|value| quote!(#index => #value,))
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    quote_spanned! {Span::mixed_site()=>
        fn merge(
            __index: __kit::usize,
            __values: __kit::ThreeWay<'_>,
        ) -> __kit::Result<__kit::Option<__kit::Vec<__kit::u8>>, __kit::FieldError> {
            match __index {
                #(#arms)*
                _ => __kit::Ok(__values.mine()),
            }
        }
    }
}

fn merged(field: &Field, stored: &Stored) -> Option<TokenStream> {
    let (here, handle) = (ours_at(&field.ty), handle(field, stored));
    let function = match &stored.kind {
        Kind::Plain | Kind::Counter => return None,
        Kind::Flash => return Some(quote_spanned!(here=> __values.flash(#handle))),
        // Where a bound is not met, a closure has one error and the function's name would have two.
        Kind::Ready(function) => {
            let call = quote_spanned!(ours_at(function)=> __kit::#function(__base, __mine, __theirs));
            quote_spanned!(ours_at(function)=> |__base, __mine, __theirs| #call)
        }
        Kind::Function(path) => quote!(#path),
    };
    let default = default(field);
    Some(quote_spanned!(here=> __values.merge(#handle, #function, #default)))
}

/// What reads and writes the values of a field. A type that the kind of field cannot have is the same error wherever
/// this stands, so it is shown once.
fn handle(field: &Field, stored: &Stored) -> TokenStream {
    let ty = &field.ty;
    let here = ours_at(ty);
    match &stored.kind {
        Kind::Counter => quote_spanned!(here=> __kit::counter::<#ty>()),
        Kind::Flash => quote_spanned!(here=> __kit::flash::<Self::Codec, #ty>()),
        Kind::Plain | Kind::Ready(_) | Kind::Function(_) => quote_spanned!(here=> __kit::stored::<Self::Codec, #ty>()),
    }
}

/// What makes the value of a field that is not stored.
fn default(field: &Field) -> TokenStream {
    match &field.default {
        // A closure of the wrong type is the same error each time, so it is shown once.
        Some(path) => quote_spanned!(ours_at(path)=> || #path()),
        None => quote_spanned!(ours_at(&field.ty)=> __kit::Default::default),
    }
}
