//! A shopper's cart: what, how many, and what it comes to.

use super::catalogue::{Catalogue, Product, ProductId};

/// Distinct products in one cart.
pub(crate) const LINES_MAX: usize = 50;
/// Units of one product in one cart.
pub(crate) const QUANTITY_MAX: u32 = 99;
/// What a shopper may write to the shop.
pub(crate) const NOTE_CHARS_MAX: usize = 200;

/// So many of one product; the quantity is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product: ProductId,
    pub(crate) quantity: u32,
}

/// What a shopper means to buy, and wrote to the shop. The default is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cart {
    lines: Vec<Line>,
    note: Option<Box<str>>,
}

/// A line with what it needs to be shown.
#[derive(Debug)]
pub(crate) struct PricedLine<'a> {
    pub(crate) product: &'a Product,
    pub(crate) quantity: u32,
    pub(crate) total_cents: u64,
}

/// Why something does not go into a cart; the words are for shoppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CartError {
    #[error("We do not have this product.")]
    UnknownProduct,
    #[error("Choose a quantity of 1 to {QUANTITY_MAX} of one product.")]
    Quantity,
    #[error("A cart holds at most {LINES_MAX} different products.")]
    Full,
    #[error("A note has at most {NOTE_CHARS_MAX} characters.")]
    LongNote,
}

impl Cart {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many units there are in all.
    pub(crate) fn count(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// What the shopper wrote, if anything.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Takes a note; an empty one leaves what was written before.
    pub(crate) fn write(&mut self, note: &str) -> Result<(), CartError> {
        let note = note.trim();
        if note.chars().count() > NOTE_CHARS_MAX {
            return Err(CartError::LongNote);
        }
        if !note.is_empty() {
            self.note = Some(note.into());
        }
        Ok(())
    }

    /// Puts more of a product in.
    pub(crate) fn add(
        &mut self,
        catalogue: &Catalogue,
        product: ProductId,
        quantity: u32,
    ) -> Result<(), CartError> {
        if catalogue.product(product).is_none() {
            return Err(CartError::UnknownProduct);
        }
        let is_full = self.lines.len() >= LINES_MAX;
        let line = self.lines.iter_mut().find(|line| line.product == product);
        let wanted = line.as_ref().map_or(0, |line| line.quantity).saturating_add(quantity);
        if quantity == 0 || wanted > QUANTITY_MAX {
            return Err(CartError::Quantity);
        }
        match line {
            Some(line) => line.quantity = wanted,
            None if is_full => return Err(CartError::Full),
            None => self.lines.push(Line { product, quantity }),
        }
        Ok(())
    }

    /// Sets how many of a product there are; 0 takes it out.
    pub(crate) fn set(&mut self, product: ProductId, quantity: u32) -> Result<(), CartError> {
        if quantity > QUANTITY_MAX {
            return Err(CartError::Quantity);
        }
        match self.lines.iter_mut().find(|line| line.product == product) {
            Some(_) if quantity == 0 => self.lines.retain(|line| line.product != product),
            Some(line) => line.quantity = quantity,
            None if quantity == 0 => {}
            None => return Err(CartError::UnknownProduct),
        }
        Ok(())
    }

    /// The lines with their products and prices.
    pub(crate) fn priced<'a>(&self, catalogue: &'a Catalogue) -> Vec<PricedLine<'a>> {
        let price = |line: &Line| {
            let product = catalogue.product(line.product)?;
            let total_cents = product.price_cents * u64::from(line.quantity);
            Some(PricedLine { product, quantity: line.quantity, total_cents })
        };
        self.lines.iter().filter_map(price).collect()
    }

    /// What everything comes to, in cents.
    pub(crate) fn total_cents(&self, catalogue: &Catalogue) -> u64 {
        self.priced(catalogue).iter().map(|line| line.total_cents).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Cart, CartError, LINES_MAX, QUANTITY_MAX};
    use crate::chance::Dice;
    use crate::origin::catalogue::Catalogue;

    #[test]
    fn quantities_add_up_and_are_bounded() {
        let catalogue = Catalogue::invent(60, &Dice::new(1));
        let mut cart = Cart::default();
        cart.add(&catalogue, 3, 2).unwrap();
        cart.add(&catalogue, 3, 1).unwrap();
        cart.add(&catalogue, 4, 1).unwrap();
        assert_eq!((cart.count(), cart.lines().len()), (4, 2));
        let price = |id| catalogue.product(id).unwrap().price_cents;
        assert_eq!(cart.total_cents(&catalogue), 3 * price(3) + price(4));

        assert_eq!(cart.add(&catalogue, 3, QUANTITY_MAX), Err(CartError::Quantity));
        assert_eq!(cart.add(&catalogue, 3, 0), Err(CartError::Quantity));
        assert_eq!(cart.add(&catalogue, 61, 1), Err(CartError::UnknownProduct));
        assert_eq!(cart.set(3, QUANTITY_MAX + 1), Err(CartError::Quantity));
        assert_eq!(cart.count(), 4);
    }

    #[test]
    fn zero_takes_a_line_out() {
        let catalogue = Catalogue::invent(60, &Dice::new(1));
        let mut cart = Cart::default();
        cart.add(&catalogue, 3, 2).unwrap();
        cart.set(3, 5).unwrap();
        assert_eq!(cart.count(), 5);
        cart.set(3, 0).unwrap();
        cart.set(3, 0).unwrap();
        assert!(cart.is_empty());
        assert_eq!(cart.set(3, 1), Err(CartError::UnknownProduct));
    }

    #[test]
    fn a_note_stays_until_there_is_another() {
        let mut cart = Cart::default();
        assert_eq!((cart.write(" "), cart.note()), (Ok(()), None));
        assert_eq!((cart.write(" ring twice "), cart.write("")), (Ok(()), Ok(())));
        assert_eq!(cart.write(&"x".repeat(201)), Err(CartError::LongNote));
        assert_eq!(cart.note(), Some("ring twice"));
        cart.write(&"ü".repeat(200)).unwrap();
        assert_ne!(cart.note(), Some("ring twice"));
    }

    #[test]
    fn a_cart_has_a_last_line() {
        let catalogue = Catalogue::invent(60, &Dice::new(1));
        let mut cart = Cart::default();
        for product in (1..).take(LINES_MAX) {
            cart.add(&catalogue, product, 1).unwrap();
        }
        assert_eq!(cart.add(&catalogue, 60, 1), Err(CartError::Full));
    }
}
