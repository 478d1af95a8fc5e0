//! A struct with mistakes.

use expect_test::expect;
use quote::quote;

use crate::derive::expand;
use crate::tests::pretty;

#[test]
fn a_struct_with_mistakes_still_has_an_implementation() {
    let expansion = expand(quote! {
        #[session(scope = Office)]
        struct Cart<'a, T> {
            #[session(tll = "10m")]
            item: &'a T,
        }
    });
    assert_eq!(expansion.error.into_iter().flatten().count(), 2);
    expect![[r##"
        #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
        const _: () = {
            use ::sessionkit::__private as __kit;
            #[automatically_derived]
            impl<'a, T> __kit::SessionData for Cart<'a, T>
            where
                'a: 'static,
                T: 'static,
            {
                type Scope = Office;
                type Codec = __kit::Json;
                const NAMESPACE: &'static __kit::str = "";
                const FIELDS: &'static [__kit::Field] = &[];
                fn decode(
                    _: &mut __kit::FieldReader<'_>,
                ) -> __kit::Result<Self, __kit::FieldError> {
                    ::core::unreachable!()
                }
                fn encode(
                    &self,
                    _: &mut __kit::FieldWriter,
                ) -> __kit::Result<(), __kit::FieldError> {
                    ::core::unreachable!()
                }
            }
        };
    "##]]
    .assert_eq(&pretty(expansion.code));
}
