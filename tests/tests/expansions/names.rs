//! Names: raw identifiers, renamed fields and namespaces, names that the expansion uses itself.

use sessionkit::{FieldError, SessionData, StructMigration};

use crate::visitor::{Visitor, keys};

#[derive(SessionData)]
struct r#Match {
    r#type: String,
    #[session(merge = add)]
    r#loop: u32,
    #[session(rename = "where")]
    r#fn: Option<r#struct>,
}

#[allow(non_camel_case_types)]
type r#struct = u8;

#[tokio::test]
async fn raw_identifiers() {
    let visitor = Visitor::new();
    visitor.change(|data: &mut r#Match| (data.r#loop, data.r#fn) = (1, Some(2))).await;
    let data: r#Match = visitor.read().await;
    assert_eq!((data.r#type.as_str(), data.r#loop, data.r#fn), ("", 1, Some(2)));
    assert_eq!(keys::<r#Match>(), ["match.type", "match.loop", "match.where"]);
}

/// The expansion's own names.
#[derive(SessionData)]
#[session(version = 2, migrate = migrate)]
struct Hygiene {
    __fields: u8,
    __kit: u8,
    __values: Vec<u8>,
    #[session(merge = append)]
    __index: Vec<u8>,
    #[session(merge = union)]
    __base: std::collections::BTreeSet<u8>,
    #[session(merge = __mine)]
    __theirs: u8,
    #[session(entries)]
    __stored: std::collections::BTreeMap<String, u8>,
    #[session(alias = "__old")]
    __from: u8,
    fields: u8,
    encode: u8,
    decode: u8,
}

/// Beside the trait's method of that name.
fn migrate(__from: u32, __stored: &mut StructMigration<'_, Hygiene>) -> Result<(), FieldError> {
    __stored.insert("__from", &__from)
}

fn __mine(_: &u8, __mine: u8, _: u8) -> u8 {
    __mine
}

#[tokio::test]
async fn names_of_the_expansion() {
    let visitor = Visitor::new();
    visitor.change(|data: &mut Hygiene| (data.__fields, data.__kit, data.__theirs) = (1, 2, 3)).await;
    visitor.change(|data: &mut Hygiene| (data.fields, data.encode, data.decode) = (4, 5, 6)).await;
    visitor.change(|data: &mut Hygiene| data.__values.push(7)).await;
    visitor.change(|data: &mut Hygiene| data.__index.push(8)).await;
    visitor.change(|data: &mut Hygiene| data.__base = [9].into()).await;
    visitor.change(|data: &mut Hygiene| (data.__from, data.__stored) = (10, [("a".to_owned(), 11)].into())).await;
    let data: Hygiene = visitor.read().await;
    assert_eq!((data.__fields, data.__kit, data.__theirs), (1, 2, 3));
    assert_eq!((data.fields, data.encode, data.decode), (4, 5, 6));
    assert_eq!((data.__from, &data.__stored["a"]), (10, &11));
    assert_eq!((data.__values, data.__index, data.__base.len()), (vec![7], vec![8], 1));
}

#[derive(SessionData)]
struct HTTPCache2 {
    a: u8,
}

#[derive(SessionData)]
#[session(name = "Übersicht")]
struct Übersicht {
    größe: u8,
}

#[tokio::test]
async fn namespaces() {
    let visitor = Visitor::new();
    visitor.change(|data: &mut Übersicht| data.größe = 1).await;
    visitor.change(|data: &mut HTTPCache2| data.a = 2).await;
    assert_eq!((visitor.read::<Übersicht>().await.größe, visitor.read::<HTTPCache2>().await.a), (1, 2));
    assert_eq!((keys::<HTTPCache2>(), keys::<Übersicht>()), (vec!["http_cache2.a"], vec!["Übersicht.größe"]));
}

/// The crate under another name, as after `kit = { package = "sessionkit", .. }`.
mod renamed {
    pub(super) mod vendor {
        pub(crate) use ::sessionkit as kit;
    }
    /// Hides the crate from paths that do not begin with `::`.
    pub(super) mod sessionkit {}

    #[derive(vendor::kit::SessionData)]
    #[session(crate = vendor::kit, scope = Office)]
    pub(super) struct Desk {
        pub(super) drawers: u8,
    }

    pub(super) struct Office;

    impl vendor::kit::SessionScope for Office {
        const NAME: &'static str = "Office";
        type Home = vendor::kit::OnServer;
    }
}

#[tokio::test]
async fn renamed_crate_and_another_scope() {
    let visitor = Visitor::<renamed::Office>::new();
    visitor.change(|desk: &mut renamed::Desk| desk.drawers = 3).await;
    assert_eq!(visitor.read::<renamed::Desk>().await.drawers, 3);
}

macro_rules! session_struct {
    ($name:ident { $($field:ident: $type:ty = $merge:path,)* } $ttl:literal) => {
        #[derive(SessionData)]
        struct $name {
            $(#[session(merge = $merge)] $field: $type,)*
            #[session(ttl = $ttl)]
            code: Option<String>,
        }
    };
}

session_struct!(FromMacro { views: u64 = add, tags: Vec<String> = append, } "10m");

#[tokio::test]
async fn struct_that_a_macro_writes() {
    let visitor = Visitor::new();
    visitor.change(|data: &mut FromMacro| (data.views, data.code) = (2, Some("x".to_owned()))).await;
    let data: FromMacro = visitor.read().await;
    assert_eq!((data.views, data.tags.len(), data.code.as_deref()), (2, 0, Some("x")));
}
