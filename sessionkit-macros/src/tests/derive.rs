//! What `#[derive(SessionData)]` expands to.

use expect_test::expect;
use quote::quote;

use super::expands_to;
use crate::derive::expand;

#[test]
fn plain_fields() {
    expands_to(
        expand(quote! {
            struct ShoppingCart {
                items: Vec<Item>,
                owner: Option<String>,
            }
        }),
        expect![[r#"
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
                impl __kit::SessionData for ShoppingCart {
                    type Layer = __kit::Main;
                    type Codec = __kit::Json;
                    const NAMESPACE: &'static __kit::str = "shopping_cart";
                    const FIELDS: &'static [__kit::Field] = &[
                        __kit::Field::new("shopping_cart.items"),
                        __kit::Field::new("shopping_cart.owner"),
                    ];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {
                            items: __fields.read(__kit::stored::<Self::Codec, Vec<Item>>())?,
                            owner: __fields.read(__kit::stored::<Self::Codec, Option<String>>())?,
                        })
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __fields.write(&self.items, __kit::stored::<Self::Codec, Vec<Item>>())?;
                        __fields.write(&self.owner, __kit::stored::<Self::Codec, Option<String>>())?;
                        __kit::Ok(())
                    }
                }
            };
        "#]],
    );
}

#[test]
fn every_attribute_of_a_field() {
    expands_to(
        expand(quote! {
            struct Cart {
                #[session(merge = add, carry)]
                views: u64,
                #[session(flash)]
                notice: Option<String>,
                #[session(ttl = "10m", sensitive)]
                otp: Option<String>,
                #[session(merge = union)]
                tags: BTreeSet<String>,
                #[session(merge = append)]
                log: Vec<String>,
                #[session(merge = text::longer, default = text::initial)]
                text: String,
                #[session(skip)]
                cache: Cache,
                #[session(rename = "kind", default)]
                r#type: u8,
            }
        }),
        expect![[r#"
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
                impl __kit::SessionData for Cart {
                    type Layer = __kit::Main;
                    type Codec = __kit::Json;
                    const NAMESPACE: &'static __kit::str = "cart";
                    const FIELDS: &'static [__kit::Field] = &[
                        __kit::Field::new("cart.views")
                            .merge(__kit::counter::<u64>().rule())
                            .carry(),
                        __kit::Field::new("cart.notice")
                            .merge(__kit::flash::<Self::Codec, Option<String>>().rule()),
                        __kit::Field::new("cart.otp").ttl(600).sensitive(),
                        __kit::Field::new("cart.tags")
                            .merge(
                                __kit::Merge::ThreeWay(|__values| {
                                    __values
                                        .merge(
                                            __kit::stored::<Self::Codec, BTreeSet<String>>(),
                                            |__base, __mine, __theirs| __kit::union(
                                                __base,
                                                __mine,
                                                __theirs,
                                            ),
                                        )
                                }),
                            ),
                        __kit::Field::new("cart.log")
                            .merge(
                                __kit::Merge::ThreeWay(|__values| {
                                    __values
                                        .merge(
                                            __kit::stored::<Self::Codec, Vec<String>>(),
                                            |__base, __mine, __theirs| __kit::append(
                                                __base,
                                                __mine,
                                                __theirs,
                                            ),
                                        )
                                }),
                            ),
                        __kit::Field::new("cart.text")
                            .merge(
                                __kit::Merge::ThreeWay(|__values| {
                                    __values
                                        .merge(
                                            __kit::stored_or::<Self::Codec, String>(|| text::initial()),
                                            text::longer,
                                        )
                                }),
                            ),
                        __kit::Field::new("cart.kind"),
                    ];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {
                            views: __fields.read_counter(__kit::counter::<u64>())?,
                            notice: __fields
                                .read_flash(__kit::flash::<Self::Codec, Option<String>>())?,
                            otp: __fields.read(__kit::stored::<Self::Codec, Option<String>>())?,
                            tags: __fields.read(__kit::stored::<Self::Codec, BTreeSet<String>>())?,
                            log: __fields.read(__kit::stored::<Self::Codec, Vec<String>>())?,
                            text: __fields
                                .read(__kit::stored_or::<Self::Codec, String>(|| text::initial()))?,
                            cache: __kit::Default::default(),
                            r#type: __fields.read(__kit::stored::<Self::Codec, u8>())?,
                        })
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __fields.write_counter(&self.views, __kit::counter::<u64>())?;
                        __fields
                            .write_flash(
                                &self.notice,
                                __kit::flash::<Self::Codec, Option<String>>(),
                            )?;
                        __fields.write(&self.otp, __kit::stored::<Self::Codec, Option<String>>())?;
                        __fields
                            .write(&self.tags, __kit::stored::<Self::Codec, BTreeSet<String>>())?;
                        __fields.write(&self.log, __kit::stored::<Self::Codec, Vec<String>>())?;
                        __fields
                            .write(
                                &self.text,
                                __kit::stored_or::<Self::Codec, String>(|| text::initial()),
                            )?;
                        __fields.write(&self.r#type, __kit::stored::<Self::Codec, u8>())?;
                        __kit::Ok(())
                    }
                }
            };
        "#]],
    );
}

#[test]
fn every_attribute_of_the_struct() {
    expands_to(
        expand(quote! {
            #[session(name = "basket", layer = Office<Eu>, crate = crate::vendor::sessionkit)]
            #[session(codec = codecs::MessagePack)]
            pub struct Cart {}
        }),
        expect![[r#"
            const _: () = {
                use crate::vendor::sessionkit::__private as __kit;
                #[automatically_derived]
                #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
                impl __kit::SessionData for Cart {
                    type Layer = Office<Eu>;
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
            };
        "#]],
    );
}

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
        expect![[r#"
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
                impl<T: Ord, const N: usize> __kit::SessionData for Cart<T, N>
                where
                    T: Clone,
                    T: 'static,
                    [Vec<T>; 2]: __kit::Stored + __kit::Default,
                    Option<T>: __kit::Stored,
                    T: __kit::Counter,
                    Vec<T>: __kit::Flash,
                    BTreeSet<T>: __kit::Stored + __kit::Union + __kit::Default,
                    PhantomData<T>: __kit::Default,
                {
                    type Layer = __kit::Main;
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
                            cache: __kit::Default::default(),
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
            };
        "#]],
    );
}

#[test]
fn a_struct_with_mistakes_still_has_an_implementation() {
    let expansion = expand(quote! {
        #[session(layer = Office)]
        struct Cart<'a, T> {
            #[session(tll = "10m")]
            item: &'a T,
        }
    });
    assert_eq!(expansion.error.into_iter().flatten().count(), 2);
    expect![[r#"
        const _: () = {
            use ::sessionkit::__private as __kit;
            #[automatically_derived]
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            impl<'a, T> __kit::SessionData for Cart<'a, T>
            where
                'a: 'static,
                T: 'static,
            {
                type Layer = Office;
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
    "#]]
    .assert_eq(&super::pretty(expansion.code));
}
