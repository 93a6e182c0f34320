//! Two Goose scenarios of the demo shop, and the few lines that make them a Doorbuster agent.

use std::process::ExitCode;
use std::time::Duration;

use goose::prelude::*;
use serde_json::{Value, json};

/// With Goose alone this would be `GooseAttack::initialize()?.register_scenario(…).execute().await?`.
fn main() -> Result<ExitCode, GooseError> {
    Ok(doorbuster_goose::run(vec![browse()?, cart()?]))
}

fn browse() -> Result<Scenario, GooseError> {
    Ok(scenario!("Browse")
        .set_wait_time(Duration::from_millis(50), Duration::from_millis(150))?
        .register_transaction(transaction!(home))
        .register_transaction(transaction!(product)))
}

fn cart() -> Result<Scenario, GooseError> {
    Ok(scenario!("Fill Cart")
        .set_wait_time(Duration::from_millis(50), Duration::from_millis(150))?
        .register_transaction(transaction!(arrive).set_on_start())
        .register_transaction(transaction!(add).set_sequence(1))
        .register_transaction(transaction!(show).set_sequence(2)))
}

/// Without a name of its own a request has its path's.
async fn home(user: &mut GooseUser) -> TransactionResult {
    user.get("/").await?;
    Ok(())
}

async fn product(user: &mut GooseUser) -> TransactionResult {
    let mut answer = user.get_named(&format!("/p/{}", chosen(user)), "product").await?;
    let page = answer.response?.text().await?;
    if !page.contains("add-to-cart") {
        return user.set_failure("there is no button to buy it", &mut answer.request, None, None);
    }
    Ok(())
}

async fn arrive(user: &mut GooseUser) -> TransactionResult {
    user.get_named("/", "arrive").await?;
    Ok(())
}

async fn add(user: &mut GooseUser) -> TransactionResult {
    user.post_json("/api/cart", &json!({ "product": chosen(user), "quantity": 1 })).await?;
    Ok(())
}

async fn show(user: &mut GooseUser) -> TransactionResult {
    let mut answer = user.get("/api/cart").await?;
    let cart: Value = answer.response?.json().await?;
    if cart["count"].as_u64().unwrap_or(0) == 0 {
        return user.set_failure("the cart is empty", &mut answer.request, None, None);
    }
    Ok(())
}

/// One of the shop's products, another one in every iteration.
fn chosen(user: &GooseUser) -> usize {
    1 + user.get_iterations() % 40
}
