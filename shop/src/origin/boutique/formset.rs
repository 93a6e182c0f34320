//! The lines of the cart as an indexed set of forms: `line-0-quantity`, `line-1-quantity`, and how many
//! there are in `line-TOTAL`.

use super::multipart::Fields;
use crate::origin::cart::{Cart, CartError, LINES_MAX};
use crate::origin::catalogue::ProductId;

/// The field that says how many lines there are.
pub(super) const TOTAL: &str = "line-TOTAL";

/// So many of a product from now on; 0 where the line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    product: ProductId,
    quantity: u32,
}

/// The name of a line's field.
pub(super) fn field(index: usize, name: &str) -> String {
    format!("line-{index}-{name}")
}

/// What the form asks for; none where a line is incomplete.
pub(super) fn read(fields: &Fields) -> Option<Vec<Change>> {
    let total: usize = fields.get(TOTAL)?.parse().ok()?;
    if total > LINES_MAX {
        return None;
    }
    let change = |index: usize| {
        let product = fields.get(&field(index, "product"))?.parse().ok()?;
        let quantity = fields.get(&field(index, "quantity"))?.trim().parse().ok()?;
        let is_removed = fields.get(&field(index, "remove")).is_some();
        Some(Change { product, quantity: if is_removed { 0 } else { quantity } })
    };
    (0..total).map(change).collect()
}

/// The cart as it is after all changes.
pub(super) fn changed(cart: &Cart, changes: &[Change]) -> Result<Cart, CartError> {
    let mut cart = cart.clone();
    changes.iter().try_for_each(|change| cart.set(change.product, change.quantity))?;
    Ok(cart)
}

#[cfg(test)]
mod tests {
    use super::{changed, read};
    use crate::chance::Dice;
    use crate::origin::boutique::multipart::Fields;
    use crate::origin::cart::{Cart, CartError};
    use crate::origin::catalogue::Catalogue;

    fn fields(quantity: &str, total: &str) -> Fields {
        Fields::from([
            ("line-0-product", "3"),
            ("line-0-quantity", quantity),
            ("line-1-product", "4"),
            ("line-1-quantity", "1"),
            ("line-1-remove", "on"),
            ("line-TOTAL", total),
        ])
    }

    #[test]
    fn lines_change_together_or_not_at_all() {
        let catalogue = Catalogue::invent(9, &Dice::new(1));
        let mut cart = Cart::default();
        cart.add(&catalogue, 3, 1).unwrap();
        cart.add(&catalogue, 4, 1).unwrap();
        let after = changed(&cart, &read(&fields("5", "2")).unwrap()).unwrap();
        assert_eq!((after.count(), after.lines().len()), (5, 1));
        let after = changed(&cart, &read(&fields("5", "1")).unwrap()).unwrap();
        assert_eq!((after.count(), after.lines().len()), (6, 2), "only what is counted is looked at");
        assert_eq!(changed(&cart, &read(&fields("100", "2")).unwrap()), Err(CartError::Quantity));
        assert_eq!(
            changed(&Cart::default(), &read(&fields("5", "2")).unwrap()),
            Err(CartError::UnknownProduct)
        );
    }

    #[test]
    fn incomplete_lines_are_refused() {
        for (quantity, total) in [("5", "3"), ("", "2"), ("-1", "2"), ("5", ""), ("5", "51"), ("5", "-1")] {
            assert_eq!(read(&fields(quantity, total)), None, "{quantity} {total}");
        }
        assert_eq!(read(&Fields::default()), None);
    }
}
