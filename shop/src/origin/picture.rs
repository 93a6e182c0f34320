//! Product pictures: drawn as SVG from the product's number, so that no image files are needed.

use std::fmt::Write as _;

use super::catalogue::ProductId;
use crate::chance::Dice;

const PALETTE: [&str; 8] =
    ["#b3412e", "#2c6e49", "#2f5d8a", "#c98b2b", "#6b4a86", "#3b8686", "#8c6d46", "#5b6875"];

/// The nth picture of a product. Sizes vary from some 400 to 1,800 bytes, on both sides of the 1,000
/// from which an edge compresses.
pub(super) fn draw(product: ProductId, number: u32) -> String {
    let dice = Dice::new(u64::from(product) << 8 | u64::from(number));
    let mut svg = String::with_capacity(2048);
    svg.push_str("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 300\">\n");
    svg.push_str("<rect width=\"400\" height=\"300\" fill=\"#f4f1ea\"/>\n");
    for _ in 0..4 + dice.below(16) {
        let (x, y) = (dice.below(340), dice.below(240));
        let (width, height) = (20 + dice.below(160), 20 + dice.below(120));
        let fill = dice.pick(&PALETTE);
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{fill}\" opacity=\"0.8\"/>"
        );
    }
    let _ =
        writeln!(svg, "<text x=\"16\" y=\"284\" font-size=\"20\">No. {product} / {number}</text>\n</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn pictures_differ_and_some_are_large_enough_to_compress() {
        let pictures: Vec<String> = (1..100).map(|product| draw(product, 1)).collect();
        assert!(pictures.iter().any(|picture| picture.len() < 1_000));
        assert!(pictures.iter().any(|picture| picture.len() > 1_000));
        assert_ne!(pictures[0], pictures[1]);
        assert_eq!(pictures[0], draw(1, 1));
    }
}
