//! How long an iteration of a scenario is, as Goose 0.19 deals its transactions out.

use std::collections::BTreeMap;

use goose::goose::{Scenario, Transaction};

use crate::call::Kind;

/// How many transactions an iteration has. Each is in it as often as it weighs, once the weights of all the scenario's
/// transactions are divided by their greatest common divisor; where several share a sequence, see [`dealt`].
pub(crate) fn calls(scenario: &Scenario) -> usize {
    let weights = scenario.transactions.iter().map(|transaction| transaction.weight);
    let divisor = weights.fold(0, greatest_common_divisor).max(1);
    let is_repeated = |transaction: &&Transaction| Kind::of(transaction) == Kind::Repeated;
    let mut unsequenced = 0;
    let mut sequences: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for transaction in scenario.transactions.iter().filter(is_repeated) {
        let weight = transaction.weight / divisor;
        match transaction.sequence {
            0 => unsequenced += weight,
            sequence => sequences.entry(sequence).or_default().push(weight),
        }
    }
    unsequenced + sequences.values().map(|weights| dealt(weights)).sum::<usize>()
}

/// How many transactions of one sequence are dealt out: round by round one of each that is left, until they are at
/// least as many as the first of them weighs. That may leave some out, which is Goose's way.
fn dealt(weights: &[usize]) -> usize {
    let enough = weights.first().copied().unwrap_or(0);
    let within = |rounds: usize| weights.iter().map(|weight| rounds.min(*weight)).sum::<usize>();
    (1..=enough).map(within).find(|count| *count >= enough).unwrap_or(enough)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use goose::prelude::*;

    use super::{calls, dealt};

    async fn nothing(_: &mut GooseUser) -> TransactionResult {
        Ok(())
    }

    #[test]
    fn an_iteration_has_its_transactions_by_weight() {
        let once = scenario!("once").register_transaction(transaction!(nothing));
        assert_eq!(calls(&once), 1);
        let weighed = scenario!("weighed")
            .register_transaction(transaction!(nothing).set_weight(6).unwrap())
            .register_transaction(transaction!(nothing).set_weight(4).unwrap())
            // Neither is repeated, but the first one's weight counts for the divisor, 2.
            .register_transaction(transaction!(nothing).set_on_start().set_weight(2).unwrap())
            .register_transaction(transaction!(nothing).set_on_stop().set_weight(4).unwrap());
        assert_eq!(calls(&weighed), 5);
        let in_order = scenario!("in order")
            .register_transaction(transaction!(nothing).set_sequence(1))
            .register_transaction(transaction!(nothing).set_sequence(2).set_weight(3).unwrap())
            .register_transaction(transaction!(nothing).set_sequence(2))
            .register_transaction(transaction!(nothing));
        assert_eq!(calls(&in_order), 1 + 3 + 1);
    }

    #[test]
    fn a_sequence_ends_once_its_first_transaction_could_have_been_dealt_out() {
        for (weights, count) in [
            (vec![1], 1),
            (vec![4], 4),
            (vec![1, 1], 2),
            (vec![1, 3], 2),
            (vec![3, 1], 3),
            (vec![2, 2, 2], 3),
            (vec![4, 2, 1], 5),
        ] {
            assert_eq!(dealt(&weights), count, "{weights:?}");
        }
    }
}
