//! Stock and orders. Stock is taken when an order is placed, all lines or none, and never below zero.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::cart::Line;
use super::catalogue::{ProductId, index_of};
use super::sessions::{Address, Delivery};
use crate::bounded::BoundedMap;
use crate::chance::Token;

/// Orders whose details are kept, for their confirmation page; all are counted.
const ORDERS_KEPT_MAX: usize = 100_000;

/// The number of an order, shown as `DB-000123`; other faces of the shop have a letter of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderNumber(u64);

/// A placed order.
#[derive(Debug)]
pub(super) struct Order {
    /// The session that placed it, and which alone may see it.
    pub(super) sid: Token,
    pub(super) lines: Vec<Line>,
    pub(super) total_cents: u64,
    pub(super) address: Address,
    pub(super) delivery: Delivery,
}

/// What is in stock, what was sold, and to whom.
#[derive(Debug)]
pub(super) struct Warehouse {
    shelves: Vec<Shelf>,
    orders: BoundedMap<OrderNumber, Order>,
    orders_placed: u64,
    units_oversold: u64,
}

#[derive(Clone, Copy, Debug)]
struct Shelf {
    stock: u32,
    sold: u64,
}

impl Warehouse {
    pub(super) fn new(products: usize, stock: u32) -> Warehouse {
        Warehouse {
            shelves: vec![Shelf { stock, sold: 0 }; products],
            orders: BoundedMap::new(ORDERS_KEPT_MAX),
            orders_placed: 0,
            units_oversold: 0,
        }
    }

    /// Units of a product that can still be sold.
    pub(super) fn stock(&self, product: ProductId) -> u32 {
        index_of(product).and_then(|index| self.shelves.get(index)).map_or(0, |shelf| shelf.stock)
    }

    /// Places an order, or says of which products there is not enough; then nothing is taken. Stock is
    /// not looked at where more may be sold than is there.
    pub(super) fn sell(&mut self, order: Order, oversell: bool) -> Result<OrderNumber, Vec<ProductId>> {
        let lacking = self.lacking(&order.lines);
        if lacking.is_empty() || oversell { Ok(self.place(order)) } else { Err(lacking) }
    }

    /// The products of which there is not enough.
    fn lacking(&self, lines: &[Line]) -> Vec<ProductId> {
        let lacking = lines.iter().filter(|line| self.stock(line.product) < line.quantity);
        lacking.map(|line| line.product).collect()
    }

    /// Takes the goods and keeps the order.
    fn place(&mut self, order: Order) -> OrderNumber {
        for line in &order.lines {
            if let Some(shelf) = index_of(line.product).and_then(|index| self.shelves.get_mut(index)) {
                self.units_oversold += u64::from(line.quantity.saturating_sub(shelf.stock));
                shelf.stock = shelf.stock.saturating_sub(line.quantity);
                shelf.sold += u64::from(line.quantity);
            }
        }
        self.orders_placed += 1;
        let number = OrderNumber(self.orders_placed);
        self.orders.insert(number, order);
        number
    }

    /// The order of that number, if it is (still) known.
    pub(super) fn order(&self, number: OrderNumber) -> Option<&Order> {
        self.orders.get(&number)
    }

    pub(super) fn orders_placed(&self) -> u64 {
        self.orders_placed
    }

    pub(super) fn units_oversold(&self) -> u64 {
        self.units_oversold
    }

    /// Product → units sold, for products that sold at all.
    pub(super) fn units_sold(&self) -> BTreeMap<ProductId, u64> {
        let sold = (1..).zip(&self.shelves).filter(|(_, shelf)| shelf.sold > 0);
        sold.map(|(product, shelf)| (product, shelf.sold)).collect()
    }

    /// Units that can still be sold, and products that are sold out.
    pub(super) fn stock_taking(&self) -> (u64, usize) {
        let units = self.shelves.iter().map(|shelf| u64::from(shelf.stock)).sum();
        (units, self.shelves.iter().filter(|shelf| shelf.stock == 0).count())
    }
}

impl OrderNumber {
    /// The number behind the letter of a face, as `B-123`.
    pub(super) fn lettered(self, letter: char) -> String {
        format!("{letter}-{}", self.0)
    }

    /// Reads exactly what `lettered` writes.
    pub(super) fn parse_lettered(text: &str, letter: char) -> Option<OrderNumber> {
        let number = OrderNumber(text.strip_prefix(letter)?.strip_prefix('-')?.parse().ok()?);
        (number.lettered(letter) == text).then_some(number)
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DB-{:06}", self.0)
    }
}

impl FromStr for OrderNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<OrderNumber, ()> {
        let number = OrderNumber(text.strip_prefix("DB-").ok_or(())?.parse().map_err(|_| ())?);
        // One number, one address.
        if number.to_string() == text { Ok(number) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, OrderNumber, Warehouse};
    use crate::chance::{Dice, Token};
    use crate::origin::cart::{Cart, Line};
    use crate::origin::catalogue::Catalogue;
    use crate::origin::sessions::{Address, Delivery};

    fn order(lines: &[Line]) -> Order {
        let [name, email, street, city, postcode, country] = ["a"; 6].map(str::to_owned);
        Order {
            sid: Token::parse("00000000000000000000000000000001").unwrap(),
            lines: lines.to_vec(),
            total_cents: 1,
            address: Address { name, email, street, city, postcode, country },
            delivery: Delivery::Standard,
        }
    }

    #[test]
    fn stock_goes_down_to_zero_and_never_below() {
        let catalogue = Catalogue::invent(2, &Dice::new(1));
        let mut warehouse = Warehouse::new(2, 3);
        let mut cart = Cart::default();
        cart.add(&catalogue, 1, 2).unwrap();
        cart.add(&catalogue, 2, 1).unwrap();
        let number = warehouse.sell(order(cart.lines()), false).unwrap();
        assert_eq!(number.to_string(), "DB-000001");
        assert_eq!((warehouse.stock(1), warehouse.stock(2), warehouse.stock(3)), (1, 2, 0));
        assert_eq!(warehouse.sell(order(cart.lines()), false), Err(vec![1]));
        assert_eq!((warehouse.stock(1), warehouse.orders_placed(), warehouse.units_oversold()), (1, 1, 0));

        warehouse.sell(order(cart.lines()), true).unwrap();
        assert_eq!((warehouse.stock(1), warehouse.units_oversold()), (0, 1));
        assert_eq!(warehouse.units_sold(), [(1, 4), (2, 2)].into());
        assert_eq!(warehouse.stock_taking(), (1, 1));
        assert_eq!(warehouse.orders_placed(), 2);
    }

    #[test]
    fn an_order_has_one_way_to_be_written() {
        let number: OrderNumber = "DB-000123".parse().unwrap();
        assert_eq!(number.to_string(), "DB-000123");
        assert_eq!("DB-1234567".parse::<OrderNumber>().unwrap().to_string(), "DB-1234567");
        for text in ["DB-123", "DB-+00123", "000123", "DB-", "db-000123", "DB-99999999999999999999"] {
            assert!(text.parse::<OrderNumber>().is_err(), "{text}");
        }
        assert_eq!(number.lettered('B'), "B-123");
        assert_eq!(OrderNumber::parse_lettered("B-123", 'B'), Some(number));
        for text in ["G-123", "B-0123", "B-+123", "B123", "B-", ""] {
            assert_eq!(OrderNumber::parse_lettered(text, 'B'), None, "{text}");
        }
    }
}
