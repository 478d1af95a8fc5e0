//! The products that the shop sells.

use std::fmt;

/// A product.
pub(crate) struct Product {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) blurb: &'static str,
    pub(crate) price: Cents,
    /// The price that the shop paid for it, which is nobody's business but the admin's.
    pub(crate) cost: Cents,
    pub(crate) stock: u32,
    /// The shapes of an SVG picture, 48 by 48, drawn with a pen.
    pub(crate) picture: &'static str,
}

pub(crate) static PRODUCTS: [Product; 6] = [
    Product {
        id: "teapot",
        name: "Teapot",
        blurb: "Stoneware, one litre. Pours tea, refuses coffee with status 418.",
        price: Cents(3_400),
        cost: Cents(1_450),
        stock: 12,
        picture: r#"<path d="M13 20h20c3 8 2 15-4 18H17c-6-3-7-10-4-18Z"/>
            <path d="M16 20c1-5 13-5 14 0M23 13v3M33 23c7-2 8 9-1 10M12 27c-4 0-4-6-8-7"/>"#,
    },
    Product {
        id: "notebook",
        name: "Notebook",
        blurb: "Dotted paper, 160 pages, lies flat. Keeps its state between restarts.",
        price: Cents(1_250),
        cost: Cents(420),
        stock: 80,
        picture: r#"<rect x="12" y="8" width="26" height="32" rx="3"/>
            <path d="M18 8v32M8 15h6M8 24h6M8 33h6M24 17h8M24 23h8"/>"#,
    },
    Product {
        id: "lamp",
        name: "Desk lamp",
        blurb: "Warm light on a long arm. Goes off after an idle time, if you set one.",
        price: Cents(5_900),
        cost: Cents(2_700),
        stock: 7,
        picture: r#"<path d="M14 40h16M22 40V29L12 20 20 12M19 13l7-8 12 10-7 8ZM37 24l3 3M31 27v4M41 18h4"/>"#,
    },
    Product {
        id: "plant",
        name: "House plant",
        blurb: "Needs water and little else. Grows only in the fields that changed.",
        price: Cents(1_800),
        cost: Cents(650),
        stock: 23,
        picture: r#"<path d="M15 30h18l-2 11H17ZM24 30V17"/>
            <path d="M24 22c-9 1-12-4-12-10 8-1 12 3 12 10ZM24 18c0-8 5-12 13-12 0 8-5 13-13 12Z"/>"#,
    },
    Product {
        id: "mug",
        name: "Mug",
        blurb: "Enamel, chips with dignity. Two people filling it at once both succeed.",
        price: Cents(950),
        cost: Cents(310),
        stock: 140,
        picture: r#"<path d="M11 17h22v18c0 3-2 5-5 5H16c-3 0-5-2-5-5ZM33 22h3c6 0 6 11 0 11h-3"/>
            <path d="M17 12c-3-3 2-4 0-7M24 12c-3-3 2-4 0-7"/>"#,
    },
    Product {
        id: "cookie",
        name: "Cookies",
        blurb: "A box of twelve. HttpOnly, SameSite, and gone by tomorrow.",
        price: Cents(700),
        cost: Cents(190),
        stock: 55,
        picture: r#"<path d="M24 7a17 17 0 1 0 17 17c-4 1-7-1-7-5-5 0-7-3-6-7-3 0-4-2-4-5Z"/>
            <path d="M17 20h.1M20 32h.1M30 30h.1M26 23h.1M14 27h.1M35 9h.1M40 14h.1" stroke-width="3.5"/>"#,
    },
];

/// Finds a product.
pub(crate) fn find(id: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.id == id)
}

/// An amount of money.
#[derive(Clone, Copy)]
pub(crate) struct Cents(pub(crate) u32);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "€{}.{:02}", self.0 / 100, self.0 % 100)
    }
}
