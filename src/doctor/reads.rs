//! Whether all that a plan reads of a deployment can be read.

use crate::engine;
use crate::plan::Goal;
use crate::provider::{CloudOptions, Wanted};
use crate::verify::{Verdict, failed, passed};

/// Reads what a plan of `wanted` does.
pub(crate) async fn reads(options: &dyn CloudOptions, wanted: Wanted) -> Verdict {
    let provider = match options.connect(wanted).await {
        Ok(provider) => provider,
        Err(error) => return super::unasked(&error),
    };
    let stack = match provider.stack(Goal::Present { adopt: false }) {
        Ok(stack) => stack,
        Err(error) => return super::omitted(&error),
    };
    let seen = match engine::observe(&stack).await {
        Ok(seen) => seen,
        Err(error) => return super::faulted(&error),
    };
    let refused: Vec<_> =
        seen.iter().filter_map(|one| Some((&one.address, one.seen.as_ref().err()?))).collect();
    let Some((_, first)) = refused.first() else {
        return passed(format!("all {} resources of {} can be read", seen.len(), stack.deployment));
    };
    let reasons: Vec<_> =
        refused.iter().map(|(address, error)| format!("{address}: {}", error.chain())).collect();
    failed(reasons.join("; "), first.what_next().unwrap_or("`wbstore plan` shows the reasons"))
}
