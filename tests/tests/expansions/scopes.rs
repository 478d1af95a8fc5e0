//! Scopes that give the usual names another meaning, structs in functions, private types.

use crate::visitor::Visitor;

mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Vec;
    pub(super) struct String;
    pub(super) struct Box;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Self_;
    pub(super) struct Field;
    pub(super) struct SessionData;
    pub(super) struct str;
    pub(super) struct usize;
    pub(super) struct bool;
    pub(super) struct u32;
    pub(super) struct StructMigration;
    pub(super) struct OnError;
    pub(super) trait Default {}
    pub(super) trait Clone {}
    pub(super) trait Into {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod serde {}
    pub(super) mod sessionkit {}

    #[allow(unused_macros)]
    macro_rules! unreachable {
        () => {
            compile_error!("the user's own macro")
        };
    }

    #[derive(::sessionkit::SessionData)]
    #[session(version = 2, migrate = self::upgrade, on_error = default, codec = ::sessionkit::MessagePack)]
    pub(super) struct Cart {
        pub(super) items: ::std::vec::Vec<u8>,
        #[session(merge = add)]
        pub(super) views: u64,
        #[session(merge = append)]
        pub(super) log: ::std::vec::Vec<u8>,
        #[session(entries, alias = "counts")]
        pub(super) entries: ::std::collections::BTreeMap<u8, u8>,
        #[session(flash)]
        pub(super) notice: ::std::option::Option<::std::string::String>,
        #[session(ttl = "1m", sensitive, carry)]
        pub(super) code: u8,
        #[session(skip)]
        pub(super) cache: u8,
        #[session(default = seven)]
        pub(super) seven: u8,
    }

    fn upgrade(
        _: ::core::primitive::u32,
        _: &mut ::sessionkit::StructMigration<'_, Cart>,
    ) -> ::core::result::Result<(), ::sessionkit::FieldError> {
        ::core::result::Result::Ok(())
    }

    fn seven() -> u8 {
        7
    }
}

#[tokio::test]
async fn shadowed_names() {
    let visitor = Visitor::new();
    visitor
        .change(|cart: &mut shadowed::Cart| {
            cart.items.push(1);
            cart.log.push(2);
            (cart.views, cart.code, cart.cache) = (3, 4, 5);
            cart.notice = Some("six".to_owned());
            cart.entries = [(8, 9)].into();
        })
        .await;
    let cart: shadowed::Cart = visitor.read().await;
    assert_eq!((cart.items, cart.log, cart.views, cart.code), (vec![1], vec![2], 3, 4));
    assert_eq!(cart.entries, [(8, 9)].into());
    assert_eq!((cart.cache, cart.notice.as_deref(), cart.seven), (0, Some("six"), 7));
}

#[tokio::test]
async fn structs_in_functions() {
    use sessionkit::{SessionData, SessionScope};

    struct Local;

    impl SessionScope for Local {
        const NAME: &'static str = "Local";
        type Home = sessionkit::OnServer;
    }

    #[derive(SessionData)]
    #[session(scope = Local)]
    struct Cart {
        #[session(default = start)]
        items: u8,
        #[session(merge = sum)]
        total: u8,
    }

    fn start() -> u8 {
        41
    }

    fn sum(base: &u8, mine: u8, theirs: u8) -> u8 {
        mine + theirs - base
    }

    let visitor = Visitor::<Local>::new();
    visitor.change(|cart: &mut Cart| (cart.items, cart.total) = (cart.items + 1, 1)).await;
    let cart: Cart = visitor.read().await;
    assert_eq!((cart.items, cart.total), (42, 1));
}

mod private_types {
    #![deny(private_interfaces, private_bounds)]

    use serde::{Deserialize, Serialize};
    use sessionkit::SessionData;

    #[derive(Default, Deserialize, Serialize)]
    struct Secret(u8);

    #[derive(SessionData)]
    pub struct Cart {
        secret: Secret,
        #[session(flash)]
        secrets: Vec<Secret>,
    }

    #[derive(SessionData)]
    pub struct Generic<T> {
        secret: Option<(Secret, T)>,
    }

    impl Cart {
        pub fn set(&mut self, secret: u8) {
            self.secret.0 = secret;
            self.secrets.push(Secret(secret));
        }

        pub fn get(&self) -> (u8, usize) {
            (self.secret.0, self.secrets.len())
        }
    }

    impl<T> Generic<T> {
        pub fn is_empty(&self) -> bool {
            self.secret.is_none()
        }
    }
}

#[tokio::test]
async fn public_structs_of_private_types() {
    let visitor = Visitor::new();
    visitor.change(|cart: &mut private_types::Cart| cart.set(3)).await;
    assert_eq!(visitor.read::<private_types::Cart>().await.get(), (3, 1));
    assert!(visitor.read::<private_types::Generic<u8>>().await.is_empty());
}

mod glob {
    //! A module that takes everything from both facades.
    #![allow(unused_imports, ambiguous_glob_imports)]

    use ::serde::*;
    use ::sessionkit::store::*;
    use ::sessionkit::*;

    #[derive(SessionData)]
    pub(super) struct Everything {
        pub(super) field: u8,
    }
}

#[tokio::test]
async fn glob_imports() {
    assert_eq!(Visitor::new().read::<glob::Everything>().await.field, 0);
}
