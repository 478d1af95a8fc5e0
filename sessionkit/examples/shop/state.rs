//! The data that the shop keeps in a session.

use std::collections::{BTreeMap, BTreeSet};

use sessionkit::SessionData;

use super::catalog::Product;

/// The products that the visitor wants to buy. They are there before a login, and still there after.
#[derive(SessionData)]
#[session(name = "cart")]
pub(crate) struct Cart {
    /// The number of pieces of each product. Two requests at the same time both count.
    #[session(merge = add_up)]
    pub(crate) items: BTreeMap<String, u32>,
}

/// The other things to remember about a visit.
#[derive(SessionData)]
#[session(name = "visit")]
pub(crate) struct Visit {
    /// Differences are added inside the store, so none is lost.
    #[session(merge = add)]
    pub(crate) views: u64,
    /// Shown once: the page that shows it takes it.
    #[session(flash)]
    pub(crate) notice: Option<String>,
}

impl Cart {
    /// Nobody needs more of a product.
    pub(crate) const MOST: u32 = 99;

    pub(crate) fn add(&mut self, product: &Product) {
        self.set(product, self.count_of(product) + 1);
    }

    pub(crate) fn set(&mut self, product: &Product, quantity: u32) {
        match quantity.min(Self::MOST) {
            0 => self.items.remove(product.id),
            quantity => self.items.insert(product.id.to_owned(), quantity),
        };
    }

    pub(crate) fn count(&self) -> u32 {
        self.items.values().sum()
    }

    pub(crate) fn count_of(&self, product: &Product) -> u32 {
        self.items.get(product.id).copied().unwrap_or(0)
    }
}

/// Merges what two requests made of one cart: for each product, what either added or took away.
fn add_up(base: &Items, mine: Items, theirs: Items) -> Items {
    let count = |items: &Items, id: &str| items.get(id).copied().unwrap_or(0);
    let ids: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
    let merged = ids.into_iter().map(|id| {
        let both = count(&mine, id) + count(&theirs, id);
        (id.clone(), both.saturating_sub(count(base, id)).min(Cart::MOST))
    });
    merged.filter(|(_, quantity)| *quantity > 0).collect()
}

type Items = BTreeMap<String, u32>;
