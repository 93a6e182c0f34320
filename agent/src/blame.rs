//! To whom a failure belongs.

use doorbuster_model::Sample;
use doorbuster_model::cdn::Failure;

use crate::client::Broken;
use crate::worker::Worker;

/// The exchange of `sample` failed, as `broken` says: so it is known, too, who is to be asked about it.
pub(crate) fn blame(worker: &Worker, sample: &mut Sample, broken: &Broken) {
    let failure = Failure {
        error: broken.class,
        status: sample.status,
        head: sample.head,
        is_own: broken.is_own,
        front: worker.contract.borrow().front(),
    };
    sample.error = Some(broken.class);
    sample.layer = Some(failure.layer());
}
