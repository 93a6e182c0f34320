//! What a function is invoked with.

use doorbuster_model::{Assignment, Plan};
use doorbuster_wire::{Bundle, Invocation, PROTOCOL};

use super::place::{ADDRESS_GOOD_FOR, Place};
use super::slices::slice;
use crate::aws::Failure;
use crate::notify::hmac::sha256_hex;

/// The longest bundle that travels in the invocation itself. Payloads may have 6 MB, but hundreds of them go out at once; what
/// is longer is fetched by the function, over AWS's own network.
pub(super) const INLINE_BYTES_MAX: usize = 512 << 10;

/// The name of the object by which an assignment is claimed.
pub(super) fn claim(id: &str) -> String {
    format!("claim-{id}")
}

/// The payload of an invocation: the assignment, or the address of the object that holds it, with data files as far as this
/// agent needs them.
///
/// # Errors
/// Why there is none, for people.
pub(super) async fn payload(
    place: &Place,
    plan: &Plan,
    mut assignment: Assignment,
) -> Result<Vec<u8>, String> {
    let refused = |failure: Failure| format!("handing over the assignment: {}", failure.why);
    let claim = place.key(&claim(&assignment.id));
    let bundle = match Bundle::of(assignment.clone()).map_err(|error| error.to_string())? {
        Bundle::Frame(frame) if frame.len() > INLINE_BYTES_MAX => {
            slice(plan, &mut assignment);
            match Bundle::of(assignment).map_err(|error| error.to_string())? {
                Bundle::Frame(frame) if frame.len() > INLINE_BYTES_MAX => {
                    Bundle::Url(put(place, frame).await.map_err(refused)?)
                }
                bundle => bundle,
            }
        }
        bundle => bundle,
    };
    let board = place.bucket.presigned_get(&place.key("board"), ADDRESS_GOOD_FOR).await;
    let invocation = Invocation {
        bundle,
        board_url: board.map_err(refused)?,
        claim_url: place.bucket.presigned_claim(&claim, ADDRESS_GOOD_FOR).await.map_err(refused)?,
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(invocation.to_json())
}

/// Puts a bundle into the bucket, and says by which address it may be fetched.
async fn put(place: &Place, frame: Vec<u8>) -> Result<String, Failure> {
    let key = place.key(&format!("bundle-{}", sha256_hex(&frame)));
    // Nobody closes the semaphore; were it closed, all would upload at the same time.
    let _permit = place.uploads.acquire().await;
    place.bucket.put(&key, frame).await?;
    place.bucket.presigned_get(&key, ADDRESS_GOOD_FOR).await
}
