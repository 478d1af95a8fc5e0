//! Expansions are compiled with every build of a user's, so they stay small.

use quote::quote;

use crate::derive;

#[test]
fn eight_fields_expand_to_little_code() {
    let expansion = derive::expand(quote! {
        #[session(name = "profile")]
        struct Profile {
            username: String,
            items: BTreeMap<ProductId, u32>,
            #[session(merge = add)]
            views: u64,
            #[session(flash)]
            notice: Option<String>,
            #[session(ttl = "10m", sensitive)]
            otp: Option<String>,
            #[session(merge = union)]
            tags: BTreeSet<String>,
            #[session(carry)]
            locale: Locale,
            #[session(default = default_theme)]
            theme: Theme,
        }
    });
    assert!(expansion.error.is_none());
    let length = expansion.code.to_string().len();
    assert!(length <= 3000, "{length} bytes");
}
