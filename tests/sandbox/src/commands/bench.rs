//! `cargo sandbox bench`: what wbstore costs, in the units a user pays in, and beside it the script
//! that an operator would write instead. Both run in one go on one emulator, so read the ratios, not
//! the times.

mod measure;
mod tables;

use std::process::ExitCode;
use std::time::Duration;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::{Error, paths};

use measure::{Cost, operator, wbstore};

/// How much longer each request is made.
const DELAYS: [u64; 3] = [0, 20, 100];

/// The verb here, the one of wbstore, and the dependent round trips it may take. Of a create: a look,
/// the parts, what is set on them, and a read back of the merged documents. Where nothing names the
/// account, STS has to be asked before the look, as the names of the parts hang on the answer.
const WORK: [(&str, &str, usize); 3] =
    [("create", "provision", 4), ("no-op", "provision", 2), ("teardown", "teardown", 3)];

/// Runs all of it and prints tables.
pub async fn run(objects: usize) -> Result<ExitCode, Error> {
    super::build().await?;
    let emulator = Emulator::start(Backend::Ministack).await?;
    let binary = paths::wbstore()?;
    println!("wbstore: {}", binary.display());
    tables::binary(&binary, &measure::start_up(&binary, 20).await?);
    println!("\nrequests and dependent round trips (of which the budget allows)\n{}", tables::COSTS);
    for (number, delay) in (0_u64..).zip(DELAYS) {
        for stated in [true, false] {
            let aws = account(&emulator, 10 * number + u64::from(stated)).await?;
            aws.proxy().set_delay(Duration::from_millis(delay));
            for (work, verb, budget) in WORK {
                let cost = wbstore(&aws, verb, stated).await?;
                tables::cost(work, delay, stated, &cost, budget);
            }
        }
    }
    println!("\nbeside one boto3 call after the other, process start included\n{}", tables::RATIOS);
    for (number, delay) in (0_u64..).zip(DELAYS) {
        let (ours, theirs) =
            (account(&emulator, 100 + number).await?, account(&emulator, 200 + number).await?);
        for (work, verb, _) in WORK {
            ours.proxy().set_delay(Duration::from_millis(delay));
            theirs.proxy().set_delay(Duration::from_millis(delay));
            tables::ratio(work, delay, &wbstore(&ours, verb, false).await?, &operator(&theirs, work).await?);
        }
    }
    emptying(&emulator, objects).await?;
    Ok(ExitCode::SUCCESS)
}

/// The same number of versions, emptied by each.
async fn emptying(emulator: &Emulator, objects: usize) -> Result<(), Error> {
    let (ours, theirs) = (account(emulator, 300).await?, account(emulator, 301).await?);
    for aws in [&ours, &theirs] {
        wbstore(aws, "provision", false).await?;
        aws.fill(objects, 1).await;
    }
    let (one, other): (Cost, Cost) =
        (wbstore(&ours, "teardown", false).await?, operator(&theirs, "empty").await?);
    tables::emptying(objects, &one, &other);
    Ok(())
}

async fn account(emulator: &Emulator, number: u64) -> Result<Aws, Error> {
    Aws::before(emulator, &format!("{:012}", 500_000_000_000 + number)).await
}
