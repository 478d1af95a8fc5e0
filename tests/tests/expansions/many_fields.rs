//! A struct with thirty fields.

use sessionkit::SessionData;

use crate::visitor::{Visitor, keys};

#[derive(SessionData)]
#[allow(dead_code, reason = "thirty are a lot to look at")]
struct Profile {
    a00: u64,
    a01: u64,
    a02: u64,
    a03: u64,
    a04: u64,
    a05: u64,
    a06: u64,
    a07: u64,
    #[session(merge = add)]
    b00: i64,
    #[session(merge = add)]
    b01: i64,
    #[session(merge = add)]
    b02: i64,
    #[session(merge = add)]
    b03: i64,
    #[session(merge = add)]
    b04: i64,
    #[session(merge = add)]
    b05: i64,
    #[session(flash)]
    c00: Option<String>,
    #[session(flash)]
    c01: Option<String>,
    #[session(flash)]
    c02: Option<String>,
    #[session(flash)]
    c03: Option<String>,
    #[session(flash)]
    c04: Option<String>,
    #[session(merge = append)]
    d00: Vec<u8>,
    #[session(merge = append)]
    d01: Vec<u8>,
    #[session(merge = append)]
    d02: Vec<u8>,
    #[session(merge = append)]
    d03: Vec<u8>,
    #[session(merge = append)]
    d04: Vec<u8>,
    #[session(ttl = "1h", sensitive, carry)]
    e00: String,
    #[session(ttl = "1h", sensitive, carry)]
    e01: String,
    #[session(ttl = "1h", sensitive, carry)]
    e02: String,
    #[session(ttl = "1h", sensitive, carry)]
    e03: String,
    #[session(entries, ttl = "1h", sensitive, carry)]
    e04: std::collections::HashMap<String, u8>,
    #[session(ttl = "1h", sensitive, carry, alias = "f00", alias = "f01")]
    e05: String,
}

#[tokio::test]
async fn thirty_fields() {
    let visitor = Visitor::new();
    visitor
        .change(|profile: &mut Profile| {
            (profile.a00, profile.a07, profile.b05) = (1, 2, -3);
            profile.c04 = Some("four".to_owned());
            profile.d00.push(5);
            profile.e04.insert("seven".to_owned(), 7);
            profile.e05 = "six".to_owned();
        })
        .await;
    let profile: Profile = visitor.read().await;
    assert_eq!((profile.a00, profile.a01, profile.a07), (1, 0, 2));
    assert_eq!((profile.b00, profile.b05, profile.c04.as_deref()), (0, -3, Some("four")));
    assert_eq!((profile.d00, profile.e00.as_str(), profile.e05.as_str()), (vec![5], "", "six"));
    assert_eq!(profile.e04["seven"], 7);
    assert_eq!(keys::<Profile>().len(), 30);
}
