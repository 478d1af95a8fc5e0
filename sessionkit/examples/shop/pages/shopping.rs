//! The pages that everybody sees.

use super::frame::Frame;
use crate::shop::catalog::{self, Cents, PRODUCTS, Product};
use crate::shop::state::Cart;

/// `/`: everything there is to buy.
pub(crate) fn browse(frame: &Frame<'_>) -> String {
    let products: String = PRODUCTS.iter().map(|product| product_card(product, frame.cart)).collect();
    let content = format!(
        r#"<header class="intro"><h1>Six good things</h1><p>A small shop that remembers what you want, who you are, and
nothing else.</p></header><ul class="products">{products}</ul>"#
    );
    frame.page("Corner Shop", &content)
}

fn product_card(product: &Product, cart: &Cart) -> String {
    let Product { id, name, blurb, price, .. } = product;
    let picture = picture(product);
    let count = match cart.count_of(product) {
        0 => String::new(),
        count => format!(r#"<span class="count">{count} in cart</span>"#),
    };
    format!(
        r#"<li class="card product">{picture}<h2>{name}</h2><p>{blurb}</p>
<div class="buy"><span class="price">{price}</span>{count}
<form method="post" action="/cart">
<button name="item" value="{id}" aria-label="Add {name} to the cart">Add</button></form>
</div></li>"#
    )
}

fn picture(product: &Product) -> String {
    let Product { id, picture, .. } = product;
    format!(r#"<div class="picture {id}"><svg viewBox="0 0 48 48" aria-hidden="true">{picture}</svg></div>"#)
}

/// `/cart`.
pub(crate) fn cart(frame: &Frame<'_>) -> String {
    // What the shop no longer sells is not shown.
    let items = || frame.cart.items.iter().filter_map(|(id, quantity)| Some((catalog::find(id)?, *quantity)));
    if items().next().is_none() {
        return frame.page(
            "Your cart",
            r#"<h1>Your cart</h1><p class="card empty">It is empty. <a href="/">Find something nice</a></p>"#,
        );
    }
    let rows: String = items().map(|(product, quantity)| cart_row(product, quantity)).collect();
    let total = Cents(items().map(|(product, quantity)| product.price.0 * quantity).sum());
    let login = match frame.person {
        Some(_) => "",
        None => r#"<p class="hint">Your cart stays when you <a href="/login?next=/cart">log in</a>.</p>"#,
    };
    let content = format!(
        r#"<h1>Your cart</h1><div class="card"><ul class="rows">{rows}</ul>
<p class="total"><span>Total</span><strong>{total}</strong></p></div>{login}"#
    );
    frame.page("Your cart", &content)
}

fn cart_row(product: &Product, quantity: u32) -> String {
    let Product { id, name, price, .. } = product;
    let (picture, sum) = (picture(product), Cents(price.0 * quantity));
    let (less, more) = (quantity - 1, quantity + 1);
    let full = if quantity < Cart::MOST { "" } else { " disabled" };
    format!(
        r#"<li>{picture}<div class="what"><strong>{name}</strong><span class="hint">{price} each</span></div>
<form method="post" action="/cart" class="stepper"><input type="hidden" name="item" value="{id}">
<button name="quantity" value="{less}" aria-label="One {name} less">−</button><output>{quantity}</output>
<button name="quantity" value="{more}" aria-label="One {name} more"{full}>+</button>
<button name="quantity" value="0" class="quiet" aria-label="Remove {name}">Remove</button></form>
<span class="sum">{sum}</span></li>"#
    )
}
