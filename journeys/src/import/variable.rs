//! The variables of an imported journey: what each holds at which step.

use super::name::unique;

/// The most variables; a journey may have some more, among them one for each form.
const VARIABLES_MAX: usize = 500;

/// The variables set so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    bindings: Vec<Binding>,
}

/// A variable that a step sets.
#[derive(Debug)]
struct Binding {
    name: String,
    /// What it was in the recording.
    value: String,
    /// The step that sets it.
    set: usize,
    /// The last step that uses it.
    used: usize,
}

impl Variables {
    /// The variable that holds `value` at `step`, which uses it from now on.
    pub(super) fn holding(&mut self, value: &str, step: usize) -> Option<String> {
        let is_last = |binding: &Binding| {
            let hides = |other: &Binding| {
                other.name == binding.name && other.value != value && (binding.set..step).contains(&other.set)
            };
            !self.bindings.iter().any(hides)
        };
        let position = self
            .bindings
            .iter()
            .position(|binding| binding.value == value && binding.set < step && is_last(binding))?;
        let binding = self.bindings.get_mut(position)?;
        binding.used = binding.used.max(step);
        Some(binding.name.clone())
    }

    /// A variable, called `name` where that is free, that the step `set` sets to `value` and the step `used` uses.
    pub(super) fn bind(&mut self, name: &str, value: &str, set: usize, used: usize) -> String {
        // The same name may hold one thing after another, as long as no use of the one falls into the time of the other.
        let is_taken = |name: &str| {
            self.bindings.iter().any(|binding| {
                binding.name == name && (binding.used > set || (set..used).contains(&binding.set))
            })
        };
        let name = unique(name, '_', is_taken);
        self.bindings.push(Binding { name: name.clone(), value: value.to_owned(), set, used });
        name
    }

    /// Whether there are so many that no more are made.
    pub(super) fn is_full(&self) -> bool {
        self.bindings.len() >= VARIABLES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;

    #[test]
    fn a_name_holds_one_thing_at_a_time() {
        let mut variables = Variables::default();
        assert_eq!(variables.bind("csrf", "a", 0, 1), "csrf");
        assert_eq!(variables.holding("a", 2).as_deref(), Some("csrf"));
        assert_eq!(variables.bind("csrf", "b", 2, 3), "csrf", "the first is not used any more");
        assert_eq!(variables.holding("a", 3), None, "it holds something else now");
        assert_eq!(variables.bind("csrf", "c", 1, 3), "csrf_2", "the first is still used at 2");
        assert_eq!(variables.holding("b", 3).as_deref(), Some("csrf"));
    }
}
