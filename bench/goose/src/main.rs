//! The peer that Goose is compared by: `GOOSE_PATHS=/` or `GOOSE_PATHS=/first,/second,/third` (the third is posted).
use goose::prelude::*;

async fn walk(user: &mut GooseUser) -> TransactionResult {
    for (position, path) in std::env::var("GOOSE_PATHS").unwrap_or("/".into()).split(',').enumerate() {
        let _ = if position == 2 {
            user.post_form(path, &[("product", "lamp"), ("quantity", "1")]).await?
        } else {
            user.get(path).await?
        };
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let journey = scenario!("journey").register_transaction(transaction!(walk));
    GooseAttack::initialize()?.register_scenario(journey).execute().await?;
    Ok(())
}
