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

use crate::user::User;
use crate::users::Users;

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
pub(crate) fn watched(mut scenario: Scenario, journey: usize, users: &Arc<Users>) -> Scenario {
    for transaction in &mut scenario.transactions {
        let kind = Kind::of(transaction);
        let function = Arc::clone(&transaction.function);
        transaction.function = watch(function, kind, journey, Arc::clone(users));
    }
    scenario
}

fn watch(
    function: TransactionFunction,
    kind: Kind,
    journey: usize,
    users: Arc<Users>,
) -> TransactionFunction {
    Arc::new(move |goose_user| {
        let (function, users) = (Arc::clone(&function), Arc::clone(&users));
        Box::pin(async move { call(&function, kind, journey, &users, goose_user).await })
    })
}

async fn call(
    function: &TransactionFunction,
    kind: Kind,
    journey: usize,
    users: &Users,
    goose_user: &mut GooseUser,
) -> TransactionResult {
    let Some(user) = users.user(journey, goose_user) else {
        // The agent is ending.
        return pending().await;
    };
    if !admit(users, user, kind, goose_user.get_iterations()).await {
        sleep(PAUSE).await;
        return Ok(());
    }
    let _watch = PanicWatch(users);
    let mut called = function(goose_user);
    let result = poll_fn(|context| {
        let polled = called.as_mut().poll(context);
        users.listen(user);
        polled
    })
    .await;
    if result.as_ref().is_err_and(|error| is_unsent(error)) {
        user.state().listener.never_sent();
    }
    match kind {
        Kind::Repeated => users.call_ended(user, result.is_ok()),
        Kind::Coming | Kind::Going | Kind::ComingAndGoing => users.aside_ended(user),
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
async fn admit(users: &Users, user: &User, kind: Kind, iteration: usize) -> bool {
    let came = user.state().came;
    match kind {
        Kind::Repeated if user.is_in(iteration) => !users.gate.has_ended(),
        Kind::Repeated => {
            users.turn(user);
            let may = users.gate.enter(user.ordinal).await;
            if may {
                users.begin(user, iteration);
            }
            may
        }
        Kind::Going => came && users.gate.enter_for_on_stop(),
        Kind::ComingAndGoing if came && users.gate.is_closed() => users.gate.enter_for_on_stop(),
        Kind::Coming | Kind::ComingAndGoing => {
            let may = users.gate.enter(user.ordinal).await;
            user.state().came |= may;
            may
        }
    }
}

/// Fails the agent when a scenario panics: Goose would go on without its user, and nobody would know.
struct PanicWatch<'a>(&'a Users);

impl Drop for PanicWatch<'_> {
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
