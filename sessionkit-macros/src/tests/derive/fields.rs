//! Fields and their attributes.

use expect_test::expect;
use quote::quote;

use crate::derive::expand;
use crate::tests::expands_to;

#[test]
fn plain_fields() {
    expands_to(
        expand(quote! {
            struct ShoppingCart {
                items: Vec<Item>,
                owner: Option<String>,
            }
        }),
        expect![[r##"
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                impl __kit::SessionData for ShoppingCart {
                    type Scope = __kit::MainScope;
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
                #[automatically_derived]
                impl __kit::SessionDataOrSessionUser for ShoppingCart {}
            };
        "##]],
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
        expect![[r##"
            #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use ::sessionkit::__private as __kit;
                #[automatically_derived]
                impl __kit::SessionData for Cart {
                    type Scope = __kit::MainScope;
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
                            cache: __kit::defaulted(),
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
                #[automatically_derived]
                impl __kit::SessionDataOrSessionUser for Cart {}
            };
        "##]],
    );
}

#[test]
fn entries_and_aliases() {
    expands_to(
        expand(quote! {
            struct Cart {
                #[session(entries, ttl = "1d")]
                items: BTreeMap<ProductId, u32>,
                #[session(rename = "hits", alias = "views", alias = "visits", merge = add)]
                views: u64,
            }
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
                    const FIELDS: &'static [__kit::Field] = &[
                        __kit::Field::new("cart.items")
                            .merge(__kit::entries::<Self::Codec, BTreeMap<ProductId, u32>>().rule())
                            .ttl(86400),
                        __kit::Field::new("cart.hits")
                            .aliases(&["cart.views", "cart.visits"])
                            .merge(__kit::counter::<u64>().rule()),
                    ];
                    fn decode(
                        __fields: &mut __kit::FieldReader<'_>,
                    ) -> __kit::Result<Self, __kit::FieldError> {
                        __kit::Ok(Self {
                            items: __fields
                                .read_entries(
                                    __kit::entries::<Self::Codec, BTreeMap<ProductId, u32>>(),
                                )?,
                            views: __fields.read_counter(__kit::counter::<u64>())?,
                        })
                    }
                    fn encode(
                        &self,
                        __fields: &mut __kit::FieldWriter,
                    ) -> __kit::Result<(), __kit::FieldError> {
                        __fields
                            .write_entries(
                                &self.items,
                                __kit::entries::<Self::Codec, BTreeMap<ProductId, u32>>(),
                            )?;
                        __fields.write_counter(&self.views, __kit::counter::<u64>())?;
                        __kit::Ok(())
                    }
                }
                #[automatically_derived]
                impl __kit::SessionDataOrSessionUser for Cart {}
            };
        "##]],
    );
}
