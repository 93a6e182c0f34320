//! What the shop sells: invented once from a seed, never changed.

use crate::chance::Dice;

/// The number in `/p/<id>`, from 1.
pub(crate) type ProductId = u32;

/// Category: slug, title, and the noun of its products, which a search therefore finds.
const CATEGORIES: [(&str, &str, &str); 12] = [
    ("tents", "Tents", "Tent"),
    ("boots", "Boots", "Boots"),
    ("jackets", "Jackets", "Jacket"),
    ("backpacks", "Backpacks", "Backpack"),
    ("lamps", "Lamps", "Lamp"),
    ("kettles", "Kettles", "Kettle"),
    ("headphones", "Headphones", "Headphones"),
    ("keyboards", "Keyboards", "Keyboard"),
    ("watches", "Watches", "Watch"),
    ("chairs", "Chairs", "Chair"),
    ("blankets", "Blankets", "Blanket"),
    ("bicycles", "Bicycles", "Bicycle"),
];
const ADJECTIVES: [&str; 16] = [
    "Quiet", "Bright", "Sturdy", "Light", "Brave", "Swift", "Calm", "Bold", "Clever", "Gentle", "Rugged",
    "Slender", "Sunny", "Wild", "Plain", "Noble",
];
const MATERIALS: [&str; 16] = [
    "Amber", "Birch", "Canvas", "Copper", "Cotton", "Felt", "Granite", "Ivory", "Juniper", "Linen", "Maple",
    "Oak", "Slate", "Steel", "Walnut", "Wool",
];
const PURPOSES: [&str; 8] = [
    "long evenings outdoors",
    "short winter days",
    "small flats and large plans",
    "people who are always late",
    "weekends without a plan",
    "the first day of something new",
    "rainy Tuesdays",
    "journeys that take a detour",
];

/// A thing for sale.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: usize,
    pub(crate) price_cents: u64,
    // Search compares without regard to case; lowering once keeps it cheap.
    name_lowercase: String,
}

/// A shelf of the shop.
#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    pub(crate) products: Vec<ProductId>,
}

/// Everything for sale.
#[derive(Debug)]
pub(crate) struct Catalogue {
    products: Vec<Product>,
    categories: Vec<Category>,
}

impl Catalogue {
    /// Invents `products` products (at least one), spread evenly over the categories.
    pub(crate) fn invent(products: usize, dice: &Dice) -> Catalogue {
        let shelves = CATEGORIES.iter().take(products.max(1));
        let mut categories: Vec<Category> =
            shelves.map(|(slug, title, _)| Category { slug, title, products: Vec::new() }).collect();
        let ids = 1..=ProductId::try_from(products.max(1)).unwrap_or(ProductId::MAX);
        let products: Vec<Product> = ids
            .zip((0..categories.len()).cycle())
            .map(|(id, category)| Product::invent(id, category, dice))
            .collect();
        for product in &products {
            categories[product.category].products.push(product.id);
        }
        Catalogue { products, categories }
    }

    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    pub(crate) fn categories(&self) -> &[Category] {
        &self.categories
    }

    pub(crate) fn product(&self, id: ProductId) -> Option<&Product> {
        self.products.get(index_of(id)?)
    }

    pub(crate) fn category(&self, slug: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.slug == slug)
    }

    pub(crate) fn category_of(&self, product: &Product) -> &Category {
        &self.categories[product.category]
    }

    /// The names of those products, for people.
    pub(crate) fn names(&self, ids: &[ProductId]) -> String {
        let products = ids.iter().filter_map(|id| self.product(*id));
        products.map(|product| product.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Products whose name holds every word of the query, whatever the case; none for an empty query.
    pub(crate) fn search(&self, query: &str) -> Vec<&Product> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        if words.is_empty() {
            return Vec::new();
        }
        let matches = |product: &&Product| words.iter().all(|word| product.name_lowercase.contains(word));
        self.products.iter().filter(matches).collect()
    }
}

impl Product {
    fn invent(id: ProductId, category: usize, dice: &Dice) -> Product {
        let (adjective, material) = (dice.pick(&ADJECTIVES), dice.pick(&MATERIALS));
        let (_, _, noun) = CATEGORIES[category];
        let name = format!("{adjective} {material} {noun}");
        let description = format!(
            "The {name} is made for {} and, as it turns out, for {}. Ours is number {id} of its kind.",
            dice.pick(&PURPOSES),
            dice.pick(&PURPOSES)
        );
        let price_cents = 900 + u64::from(dice.below(290)) * 100 + 95;
        Product { id, name_lowercase: name.to_lowercase(), name, description, category, price_cents }
    }

    /// How many pictures the product's page shows, 1 to 3: with style sheet, script and logo that makes
    /// the 4 to 6 assets of a real product page.
    pub(crate) fn pictures(&self) -> u32 {
        1 + self.id % 3
    }
}

/// Where the product of that number stands in a list of all products.
pub(crate) fn index_of(id: ProductId) -> Option<usize> {
    usize::try_from(id.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::Catalogue;
    use crate::chance::Dice;

    fn catalogue(products: usize) -> Catalogue {
        Catalogue::invent(products, &Dice::new(1))
    }

    #[test]
    fn every_category_has_products_and_every_product_a_category() {
        for products in [1, 5, 12, 300] {
            let catalogue = catalogue(products);
            assert!(catalogue.categories().iter().all(|category| !category.products.is_empty()));
            let shelved: usize = catalogue.categories().iter().map(|category| category.products.len()).sum();
            assert_eq!(shelved, products);
        }
    }

    #[test]
    fn products_are_found_by_number_and_word() {
        let catalogue = catalogue(300);
        assert_eq!(catalogue.product(1).map(|product| product.id), Some(1));
        assert_eq!(catalogue.product(300).map(|product| product.id), Some(300));
        assert!(catalogue.product(0).is_none() && catalogue.product(301).is_none());
        for word in ["tent", "TENT", "headphones", "bicycle"] {
            assert_eq!(catalogue.search(word).len(), 25, "{word}");
        }
        let product = &catalogue.products()[7];
        assert!(catalogue.search(&product.name).iter().any(|found| found.id == product.id));
        assert!(catalogue.search("  ").is_empty() && catalogue.search("tent zeppelin").is_empty());
    }

    #[test]
    fn the_seed_fixes_the_catalogue() {
        let names = |seed| -> Vec<String> {
            let catalogue = Catalogue::invent(20, &Dice::new(seed));
            catalogue.products().iter().map(|product| product.name.clone()).collect()
        };
        assert_eq!(names(3), names(3));
        assert_ne!(names(3), names(4));
    }
}
