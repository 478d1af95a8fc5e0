//! Type parameters.

use expect_test::expect;
use quote::quote;

use crate::derive::expand;
use crate::tests::expands_to;

#[test]
fn bounds_only_where_a_type_parameter_is_mentioned() {
    expands_to(
        expand(quote! {
            struct Cart<T: Ord = u8, const N: usize = 4>
            where
                T: Clone,
            {
                plain: [Vec<T>; 2],
                #[session(default = none)]
                defaulted: Option<T>,
                #[session(merge = add)]
                total: T,
                #[session(flash)]
                notices: Vec<T>,
                #[session(merge = union)]
                set: BTreeSet<T>,
                #[session(skip)]
                cache: PhantomData<T>,
                #[session(skip, default = none)]
                nothing: Option<T>,
                concrete: Buffer<N>,
            }
        }),
        expect![[r##"
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                impl<T: Ord, const N: usize> __kit::SessionData for Cart<T, N>
                where
                    T: Clone,
                    T: 'static,
                    [Vec<T>; 2]: __kit::Stored + __kit::Default,
                    Option<T>: __kit::Stored,
                    T: __kit::CountedField,
                    Vec<T>: __kit::Flash,
                    BTreeSet<T>: __kit::Stored + __kit::Union + __kit::Default,
                    PhantomData<T>: __kit::Default,
                {
                    type Scope = __kit::MainScope;
                    type Codec = __kit::Json;
                    const NAMESPACE: &'static __kit::str = "cart";
                    const FIELDS: &'static [__kit::Field] = &[
                        __kit::Field::new("cart.plain"),
                        __kit::Field::new("cart.defaulted"),
                        __kit::Field::new("cart.total").merge(__kit::counter::<T>().rule()),
                        __kit::Field::new("cart.notices")
                            .merge(__kit::flash::<Self::Codec, Vec<T>>().rule()),
                        __kit::Field::new("cart.set")
                            .merge(
                                __kit::Merge::ThreeWay(|__values| {
                                    __values
                                        .merge(
                                            __kit::stored::<Self::Codec, BTreeSet<T>>(),
                                            |__base, __mine, __theirs| __kit::union(
                                                __base,
                                                __mine,
                                                __theirs,
                                            ),
                                        )
                                }),
                            ),
                        __kit::Field::new("cart.concrete"),
                    ];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {
                            plain: __fields.read(__kit::stored::<Self::Codec, [Vec<T>; 2]>())?,
                            defaulted: __fields
                                .read(__kit::stored_or::<Self::Codec, Option<T>>(|| none()))?,
                            total: __fields.read_counter(__kit::counter::<T>())?,
                            notices: __fields.read_flash(__kit::flash::<Self::Codec, Vec<T>>())?,
                            set: __fields.read(__kit::stored::<Self::Codec, BTreeSet<T>>())?,
                            cache: __kit::defaulted(),
                            nothing: none(),
                            concrete: __fields.read(__kit::stored::<Self::Codec, Buffer<N>>())?,
                        })
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __fields.write(&self.plain, __kit::stored::<Self::Codec, [Vec<T>; 2]>())?;
                        __fields
                            .write(
                                &self.defaulted,
                                __kit::stored_or::<Self::Codec, Option<T>>(|| none()),
                            )?;
                        __fields.write_counter(&self.total, __kit::counter::<T>())?;
                        __fields.write_flash(&self.notices, __kit::flash::<Self::Codec, Vec<T>>())?;
                        __fields.write(&self.set, __kit::stored::<Self::Codec, BTreeSet<T>>())?;
                        __fields.write(&self.concrete, __kit::stored::<Self::Codec, Buffer<N>>())?;
                        __kit::Ok(())
                    }
                }
                #[automatically_derived]
                impl<T: Ord, const N: usize> __kit::SessionDataOrSessionUser for Cart<T, N>
                where
                    T: Clone,
                {}
            };
        "##]],
    );
}
