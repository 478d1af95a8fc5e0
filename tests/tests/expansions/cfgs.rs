//! Fields and structs that are configured away.

use sessionkit::SessionData;

use crate::visitor::{Visitor, keys};

#[derive(SessionData)]
struct Settings {
    #[cfg(not(any()))]
    theme: String,
    #[cfg(any())]
    gone: Nowhere,
    #[cfg(any())]
    #[session(merge = add)]
    counted: Nowhere,
    #[cfg_attr(all(), session(merge = add))]
    views: u64,
    #[cfg(any())]
    #[session(alias = "theme")]
    renamed: Nowhere,
    #[cfg_attr(all(), session(alias = "simple"))]
    #[cfg_attr(any(), session(nonsense))]
    plain: u8,
}

#[cfg(any())]
#[derive(SessionData)]
struct Gone {
    field: Nowhere,
}

#[tokio::test]
async fn configured_fields() {
    let visitor = Visitor::new();
    visitor.change(|settings: &mut Settings| (settings.views, settings.plain) = (1, 2)).await;
    let settings: Settings = visitor.read().await;
    assert_eq!((settings.theme.as_str(), settings.views, settings.plain), ("", 1, 2));
    assert_eq!(keys::<Settings>(), ["settings.theme", "settings.views", "settings.plain"]);
    assert_eq!(Settings::FIELDS[2].aliases, ["settings.simple"]);
    assert!(matches!(Settings::FIELDS[1].merge, sessionkit_core::derive::Merge::Add { .. }));
}
