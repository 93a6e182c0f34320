//! The journeys that come with Doorbuster.

/// The names of the built-in journeys.
pub const BUILT_IN: [&str; 3] = ["browse", "cart", "checkout"];

/// The YAML text of a built-in journey; `None` when there is none of that name.
pub fn built_in(name: &str) -> Option<&'static str> {
    match name {
        "browse" => Some(include_str!("../built_in/browse.yaml")),
        "cart" => Some(include_str!("../built_in/cart.yaml")),
        "checkout" => Some(include_str!("../built_in/checkout.yaml")),
        _ => None,
    }
}
