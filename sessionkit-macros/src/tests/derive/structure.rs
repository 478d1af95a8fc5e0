//! Attributes of the struct.

use expect_test::expect;
use quote::quote;

use crate::derive::expand;
use crate::tests::expands_to;

#[test]
fn every_attribute_of_the_struct() {
    expands_to(
        expand(quote! {
            #[session(name = "basket", scope = Office<Eu>, crate = crate::vendor::sessionkit)]
            #[session(codec = codecs::MessagePack)]
            pub struct Cart {}
        }),
        expect![[r##"
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use crate::vendor::sessionkit::__private as __kit;
                #[automatically_derived]
                impl __kit::SessionData for Cart {
                    type Scope = Office<Eu>;
                    type Codec = codecs::MessagePack;
                    const NAMESPACE: &'static __kit::str = "basket";
                    const FIELDS: &'static [__kit::Field] = &[];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {})
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __kit::Ok(())
                    }
                }
                #[automatically_derived]
                impl __kit::SessionDataOrSessionUser for Cart {}
            };
        "##]],
    );
}

#[test]
fn versions() {
    expands_to(
        expand(quote! {
            #[session(version = 3, migrate = Self::migrate, on_error = default)]
            struct Cart {}
        }),
        expect![[r##"
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                impl __kit::SessionData for Cart {
                    type Scope = __kit::MainScope;
                    type Codec = __kit::Json;
                    const NAMESPACE: &'static __kit::str = "cart";
                    const VERSION: __kit::u32 = 3;
                    const ON_ERROR: __kit::OnError = __kit::OnError::UseDefault;
                    const FIELDS: &'static [__kit::Field] = &[];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {})
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __kit::Ok(())
                    }
                    fn migrate(
                        __from: __kit::u32,
                        __stored: &mut __kit::StructMigration<'_, Self>,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __kit::migrate(Self::migrate, __from, __stored)
                    }
                }
                #[automatically_derived]
                impl __kit::SessionDataOrSessionUser for Cart {}
            };
        "##]],
    );
}
