//! One call of a transaction: the gate before it, and what it requests.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use doorbuster_agent::Error;
use goose::goose::{
    GooseUser, Scenario, Transaction, TransactionError, TransactionFunction, TransactionResult,
};
use tokio::time::sleep;

use crate::seat::Seat;
use crate::stage::Stage;

/// How long a call that is turned away takes: Goose calls again at once, until it tells the user to leave.
const PAUSE: Duration = Duration::from_millis(50);

/// When Goose calls a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In every iteration.
    Repeated,
    /// Once, when the user comes.
    Coming,
    /// Once, when it goes.
    Going,
    /// Both when it comes and when it goes.
    ComingAndGoing,
}

impl Kind {
    /// When Goose calls this transaction.
    pub(crate) fn of(transaction: &Transaction) -> Self {
        match (transaction.on_start, transaction.on_stop) {
            (false, false) => Self::Repeated,
            (true, false) => Self::Coming,
            (false, true) => Self::Going,
            (true, true) => Self::ComingAndGoing,
        }
    }
}

/// The same scenario, of which every call waits for the plan and shows what it requests.
pub(crate) fn watched(mut scenario: Scenario, role: usize, stage: &Arc<Stage>) -> Scenario {
    for transaction in &mut scenario.transactions {
        let kind = Kind::of(transaction);
        let function = Arc::clone(&transaction.function);
        transaction.function = watch(function, kind, role, Arc::clone(stage));
    }
    scenario
}

fn watch(function: TransactionFunction, kind: Kind, role: usize, stage: Arc<Stage>) -> TransactionFunction {
    Arc::new(move |user| {
        let (function, stage) = (Arc::clone(&function), Arc::clone(&stage));
        Box::pin(async move { call(&function, kind, role, &stage, user).await })
    })
}

async fn call(
    function: &TransactionFunction,
    kind: Kind,
    role: usize,
    stage: &Stage,
    user: &mut GooseUser,
) -> TransactionResult {
    let Some(seat) = stage.seat(role, user) else {
        // The agent is ending.
        return pending().await;
    };
    if !admit(stage, seat, kind, user.get_iterations()).await {
        sleep(PAUSE).await;
        return Ok(());
    }
    let _told = Told(stage);
    let mut called = function(user);
    let result = poll_fn(|context| {
        let polled = called.as_mut().poll(context);
        stage.listen(seat);
        polled
    })
    .await;
    if result.as_ref().is_err_and(|error| is_unsent(error)) {
        seat.state().tap.never_sent();
    }
    match kind {
        Kind::Repeated => stage.call_ended(seat, result.is_ok()),
        Kind::Coming | Kind::Going | Kind::ComingAndGoing => stage.aside_ended(seat),
    }
    result
}

/// Whether the transaction ended because a request could not even be written, of which Goose then says no more.
fn is_unsent(error: &TransactionError) -> bool {
    match error {
        TransactionError::Reqwest(why) => why.is_builder(),
        TransactionError::InvalidMethod { .. } => true,
        _ => false,
    }
}

/// Waits until the shopper may go on. False when nothing is to be sent any more.
async fn admit(stage: &Stage, seat: &Seat, kind: Kind, iteration: usize) -> bool {
    let came = seat.state().came;
    match kind {
        Kind::Repeated if seat.is_in(iteration) => !stage.gate.has_ended(),
        Kind::Repeated => {
            stage.turn(seat);
            let may = stage.gate.enter(seat.ordinal).await;
            if may {
                stage.begin(seat, iteration);
            }
            may
        }
        Kind::Going => came && stage.gate.enter_to_part(),
        Kind::ComingAndGoing if came && stage.gate.is_closed() => stage.gate.enter_to_part(),
        Kind::Coming | Kind::ComingAndGoing => {
            let may = stage.gate.enter(seat.ordinal).await;
            seat.state().came |= may;
            may
        }
    }
}

/// Fails the agent when a scenario panics: Goose would go on without its user, and nobody would know.
struct Told<'a>(&'a Stage);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "a scenario panicked (its message stands above): its user's load is missing";
            self.0.fail(Error::Assignment(why.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use goose::prelude::*;

    use super::Kind;

    async fn nothing(_: &mut GooseUser) -> TransactionResult {
        Ok(())
    }

    #[test]
    fn transactions_are_told_apart() {
        let kind = |transaction: &Transaction| Kind::of(transaction);
        assert_eq!(kind(&transaction!(nothing)), Kind::Repeated);
        assert_eq!(kind(&transaction!(nothing).set_on_start()), Kind::Coming);
        assert_eq!(kind(&transaction!(nothing).set_on_stop()), Kind::Going);
        assert_eq!(kind(&transaction!(nothing).set_on_start().set_on_stop()), Kind::ComingAndGoing);
    }
}
