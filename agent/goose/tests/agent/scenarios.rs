//! The agent's scenarios: each does one thing that a team's may do.

use std::time::Duration;

use goose::prelude::*;
use tokio::time::timeout;

/// How long the impatient wait.
const PATIENCE: Duration = Duration::from_millis(100);

/// All of them. The plan names those that are played.
pub(crate) fn all() -> Vec<Scenario> {
    let pausing = |scenario: Scenario, pause_ms| {
        let pause = Duration::from_millis(pause_ms);
        scenario.set_wait_time(pause, pause).unwrap()
    };
    vec![
        pausing(scenario!("goodbye"), 50)
            .register_transaction(transaction!(home))
            .register_transaction(transaction!(goodbye).set_on_stop()),
        pausing(scenario!("forgiving"), 50).register_transaction(transaction!(judge)),
        scenario!("impatient").register_transaction(transaction!(give_up)),
        pausing(scenario!("talkative"), 1_000).register_transaction(transaction!(talk)),
        pausing(scenario!("slow"), 800)
            .register_transaction(transaction!(home).set_sequence(1).set_weight(2).unwrap())
            .register_transaction(transaction!(home).set_sequence(1).set_weight(2).unwrap())
            .register_transaction(transaction!(home)),
        pausing(scenario!("stuck"), 50)
            .register_transaction(transaction!(home))
            .register_transaction(transaction!(hang).set_on_stop()),
        pausing(scenario!("clumsy"), 50)
            .register_transaction(transaction!(home))
            .register_transaction(transaction!(stumble).set_on_stop()),
        pausing(scenario!("wandering"), 50).register_transaction(transaction!(wander)),
        pausing(scenario!("lost"), 50).register_transaction(transaction!(stray)),
    ]
}

async fn home(user: &mut GooseUser) -> TransactionResult {
    user.get("/").await?;
    Ok(())
}

async fn goodbye(user: &mut GooseUser) -> TransactionResult {
    user.get("/bye").await?;
    Ok(())
}

async fn hang(user: &mut GooseUser) -> TransactionResult {
    user.get("/hang").await?;
    Ok(())
}

async fn stumble(_: &mut GooseUser) -> TransactionResult {
    panic!("a stumble, as it should be");
}

/// What is missing is as it should be, what is found is not.
async fn judge(user: &mut GooseUser) -> TransactionResult {
    let mut missing = user.get("/missing").await?;
    user.set_success(&mut missing.request)?;
    let mut found = user.get("/").await?;
    user.set_failure("found", &mut found.request, None, None)
}

/// Gives up in the midst of the transaction, and at its end.
async fn give_up(user: &mut GooseUser) -> TransactionResult {
    assert!(timeout(PATIENCE, user.get("/hang")).await.is_err());
    user.get("/").await?;
    assert!(timeout(PATIENCE, user.get("/hang")).await.is_err());
    Ok(())
}

/// Judges the first of a thousand requests after the last.
async fn talk(user: &mut GooseUser) -> TransactionResult {
    let mut missing = user.get("/missing").await?;
    for _ in 0..1_000 {
        user.get("/").await?;
    }
    user.set_success(&mut missing.request)
}

/// Goes where the shop leads: by a redirect, and on its own.
async fn wander(user: &mut GooseUser) -> TransactionResult {
    let home = user.get("/").await?.response?;
    let other = home.headers()["x-other"].to_str().unwrap().to_owned();
    user.get("/away").await?;
    user.get(&format!("{other}/elsewhere?token=1")).await?;
    Ok(())
}

async fn stray(user: &mut GooseUser) -> TransactionResult {
    user.get("/").await?;
    // An address for documentation, which is nobody's.
    user.get("http://192.0.2.1/").await?;
    Ok(())
}
