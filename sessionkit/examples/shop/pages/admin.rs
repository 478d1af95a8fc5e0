//! The pages for those who run the shop.

use super::frame::Frame;
use super::text::{Text, entry, row};
use crate::shop::accounts::Person;
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

/// `/admin/people`: who is logged in how often.
pub(crate) fn people(frame: &Frame<'_>, people: &[(Person, usize)], token: &str) -> String {
    let mut entries = String::new();
    for (person, sessions) in people {
        let role = if person.is_admin { "Admin" } else { "Customer" };
        let about = match sessions {
            0 => format!("{role}, not logged in"),
            1 => format!("{role}, logged in on 1 device"),
            _ => format!("{role}, logged in on {sessions} devices"),
        };
        entry(&mut entries, &Text(person.name).to_string(), &about, &log_out(person, *sessions, token));
    }
    let content = format!(
        r#"<h1>People</h1>
<p class="lead">A user who is logged out here is logged out at once, on all devices. This page wants to know for sure who you
are: it asks for your password again after five minutes.</p>
<ul class="card rows">{entries}</ul>"#
    );
    frame.page("People", &content)
}

fn log_out(person: &Person, sessions: usize, token: &str) -> String {
    let (id, name) = (Text(person.id), Text(person.name));
    let disabled = if sessions == 0 { " disabled" } else { "" };
    format!(
        r#"<form method="post" action="/admin/people">{token}
<button name="person" value="{id}" class="quiet" aria-label="Log out {name}"{disabled}>Log out</button></form>"#
    )
}
