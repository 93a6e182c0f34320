//! What a function is invoked with.

use std::sync::Arc;

use doorbuster_model::{Assignment, Plan};
use doorbuster_wire::{Bundle, Error, Invocation, PROTOCOL};
use tokio::task::spawn_blocking;

use super::place::{ADDRESS_GOOD_FOR, Place};
use super::slices::slice;
use crate::aws::Failure;
use crate::notify::hmac::sha256_hex;

/// The longest bundle that travels in the invocation itself. Payloads may have 6 MB, but hundreds of them go out at once, and
/// each is kept until its agent has ended; what is longer is fetched by the function, over AWS's own network.
pub(super) const INLINE_BYTES_MAX: usize = 128 << 10;

/// The name of the object by which an assignment is claimed.
pub(super) fn claim(id: &str) -> String {
    format!("claim-{id}")
}

/// The payload of an invocation: the assignment, or the address of the object that holds it, with data files as far as this
/// agent needs them, and the address of its board.
///
/// # Errors
/// Why there is none, for people.
pub(super) async fn payload(
    place: &Place,
    plan: &Arc<Plan>,
    board_key: &str,
    assignment: Assignment,
) -> Result<Vec<u8>, String> {
    let refused = |failure: Failure| format!("handing over the assignment: {}", failure.why);
    let claim = place.key(&claim(&assignment.id));
    let bundle = {
        // Megabytes, of hundreds of agents: only so many are made and sent at the same time. Nobody closes the semaphore; were
        // it closed, all would be.
        let _permit = place.bundles.acquire().await;
        let plan = Arc::clone(plan);
        // Not on the thread of the leases, which would be late.
        let made = spawn_blocking(move || made(&plan, assignment)).await;
        match made.map_err(|broken| broken.to_string())?.map_err(|error| error.to_string())? {
            Bundle::Frame(frame) if is_long(&frame) => Bundle::Url(put(place, frame).await.map_err(refused)?),
            bundle => bundle,
        }
    };
    let board = place.bucket.presigned_get(board_key, ADDRESS_GOOD_FOR).await;
    let invocation = Invocation {
        bundle,
        board_url: board.map_err(refused)?,
        claim_url: place.bucket.presigned_claim(&claim, ADDRESS_GOOD_FOR).await.map_err(refused)?,
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(invocation.to_json())
}

/// The bundle of an assignment, with less of its data files where it is long.
fn made(plan: &Plan, mut assignment: Assignment) -> Result<Bundle, Error> {
    match Bundle::of(assignment.clone())? {
        Bundle::Frame(frame) if is_long(&frame) => drop(frame),
        bundle => return Ok(bundle),
    }
    slice(plan, &mut assignment);
    Bundle::of(assignment)
}

fn is_long(frame: &[u8]) -> bool {
    frame.len() > INLINE_BYTES_MAX
}

/// Puts a bundle into the bucket, and says by which address it may be fetched.
async fn put(place: &Place, frame: Vec<u8>) -> Result<String, Failure> {
    let key = place.key(&format!("bundle-{}", sha256_hex(&frame)));
    place.bucket.put(&key, frame).await?;
    place.bucket.presigned_get(&key, ADDRESS_GOOD_FOR).await
}
