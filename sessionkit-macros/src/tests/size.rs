//! Expansions are compiled with every build of a user's, so they stay small.

use quote::quote;

use crate::derive;
use crate::guard::{self, Adapter};

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
    // `cargo xtask bench` reads this.
    println!("a derive on 8 fields: {length} bytes");
    assert!(length <= 3000, "{length} bytes");
}

#[test]
fn a_guarded_handler_expands_to_little_code() {
    let handler = quote!(
        pub async fn checkout(cart: Session<Cart>) -> String {}
    );
    let length = handler.to_string().len();
    let requirement = quote!(require_login, require = |cart: &Cart| !cart.items.is_empty());
    let expansion = guard::expand(&Adapter::axum(), requirement, handler);
    assert!(expansion.error.is_none());
    let length = expansion.code.to_string().len() - length;
    println!("a guarded handler: {length} bytes");
    assert!(length <= 1500, "{length} bytes");
}
