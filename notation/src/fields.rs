//! The fields of a mapping, asked for by name; whatever nobody asked for is a fault with the nearest known name.

use crate::{Fault, Faults, Key, Node, Place, did_you_mean};

/// A mapping being read field by field.
#[derive(Debug)]
pub struct Fields<'a> {
    what: &'static str,
    place: Place,
    entries: &'a [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of `node`, which is `what` (`the plan`, `a step`) to people.
    ///
    /// # Errors
    /// A fault when `node` is not a mapping.
    pub fn of(node: &'a Node, what: &'static str) -> Result<Self, Fault> {
        let entries = node.map(&format!("{what} as a mapping of keys to values"))?;
        Ok(Self { what, place: node.place, entries, known: Vec::new() })
    }

    /// Where the mapping begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The value of `name`, when it is there. From now on `name` is a known key.
    pub fn optional(&mut self, name: &'static str) -> Option<&'a Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// Key and value of `name`, when it is there. From now on `name` is a known key.
    pub fn entry(&mut self, name: &'static str) -> Option<(&'a Key, &'a Node)> {
        self.known.push(name);
        self.entries.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// A fault at the mapping's place when it is not there.
    pub fn required(&mut self, name: &'static str) -> Result<&'a Node, Fault> {
        let (place, what) = (self.place, self.what);
        self.optional(name).ok_or_else(|| Fault::new(place, format!("{what} needs the key \"{name}\"")))
    }

    /// Ends the reading: every key that nobody asked for is a fault.
    pub fn finish(self, faults: &mut Faults) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.name.as_str()) {
                let near = did_you_mean(&key.name, self.known.iter().copied());
                faults.add(key.place, format!("unknown key \"{}\" in {}{near}", key.name, self.what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use crate::{Faults, parse};

    #[test]
    fn unknown_keys_are_named_with_place_and_nearest() {
        let node = parse("name: x\narivals: 3\n").unwrap();
        let mut faults = Faults::none("plan.yaml");
        let mut fields = Fields::of(&node, "the plan").unwrap();
        assert!(fields.required("name").is_ok());
        assert!(fields.optional("arrivals").is_none());
        fields.finish(&mut faults);
        assert_eq!(
            faults.to_string(),
            "plan.yaml:2:1: unknown key \"arivals\" in the plan; did you mean \"arrivals\"?"
        );
    }
}
