//! The pages for those who run the shop.

use super::frame::Frame;
use super::text::row;
use crate::shop::catalog::{PRODUCTS, Product};

/// `/admin`: what only an admin may see.
pub(crate) fn stock(frame: &Frame<'_>) -> String {
    let mut rows = String::new();
    for Product { name, stock, cost, price, .. } in &PRODUCTS {
        let margin = (price.0 - cost.0) * 100 / price.0;
        row(&mut rows, &format!("<td>{name}</td><td>{stock}</td><td>{cost}</td><td>{price}</td><td>{margin} %</td>"));
    }
    let content = format!(
        r#"<h1>Stock room</h1>
<p class="lead">Only admins come in here. The guard on the handler says so, in one line.</p>
<div class="card wide"><table>
<thead><tr><th>Product</th><th>Stock</th><th>Cost</th><th>Price</th><th>Margin</th></tr></thead>
<tbody class="numbers">{rows}</tbody></table></div>"#
    );
    frame.page("Stock room", &content)
}
