//! `cargo sandbox bench`: what wbstore costs, in the units a user pays in, and on AWS beside it the
//! script that an operator would write instead. Both run in one go on one emulator, so read the
//! ratios, not the times.

mod chart;
pub mod emptying;
pub mod full;
mod measure;
mod page;
mod peers;
mod tables;

use std::process::ExitCode;
use std::time::Duration;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::{Error, paths};

use measure::{Cost, operator, wbstore};

/// How much longer each request is made.
const DELAYS: [u64; 3] = [0, 20, 100];

/// The verb here, and the one of wbstore.
const WORK: [(&str, &str); 3] = [("create", "provision"), ("no-op", "provision"), ("teardown", "teardown")];

/// The dependent round trips that each of these may take on AWS. Of a create: a look, the parts, and what is
/// set on them. Where nothing names the account, STS has to be asked before the look, as the names of the parts
/// depend on the answer.
const BUDGET: [usize; 3] = [4, 2, 3];

/// The accounts of the measurements begin here.
const FIRST: u64 = 500_000_000_000;

/// Runs all of it on AWS and prints tables.
pub async fn aws(objects: usize) -> Result<ExitCode, Error> {
    super::build().await?;
    let emulator = Aws::ground().await?;
    start_ups().await?;
    println!("\nrequests and dependent round trips (of which the budget allows)\n{}", tables::COSTS);
    for (number, delay) in (0_u64..).zip(DELAYS) {
        for stated in [true, false] {
            let aws = Aws::at(&emulator, FIRST + 10 * number + u64::from(stated)).await?;
            aws.proxy().set_delay(Duration::from_millis(delay));
            let given = if stated { vec![("AWS_ACCOUNT_ID", aws.account())] } else { vec![] };
            for ((work, verb), budget) in WORK.into_iter().zip(BUDGET) {
                let cost = wbstore(&aws, verb, &given).await?;
                let account = if stated { "stated" } else { "asked" };
                tables::cost(work, delay, account, &cost, Some(budget));
            }
        }
    }
    println!("\nbeside one boto3 call after the other, process start included\n{}", tables::RATIOS);
    for (number, delay) in (0_u64..).zip(DELAYS) {
        let ours = Aws::at(&emulator, FIRST + 100 + number).await?;
        let theirs = Aws::at(&emulator, FIRST + 200 + number).await?;
        for (work, verb) in WORK {
            ours.proxy().set_delay(Duration::from_millis(delay));
            theirs.proxy().set_delay(Duration::from_millis(delay));
            tables::ratio(work, delay, &wbstore(&ours, verb, &[]).await?, &operator(&theirs, work).await?);
        }
    }
    let ours = emptied(&Aws::at(&emulator, FIRST + 300).await?, objects).await?;
    let script = Aws::at(&emulator, FIRST + 301).await?;
    fill(&script, objects).await?;
    tables::emptying(objects, &[("wbstore", ours), ("boto3", operator(&script, "empty").await?)]);
    Ok(ExitCode::SUCCESS)
}

/// Runs what can be had on any cloud.
pub async fn run<C: Cloud>(objects: usize) -> Result<ExitCode, Error> {
    super::build().await?;
    let ground = C::ground().await?;
    start_ups().await?;
    println!("\nrequests and dependent round trips\n{}", tables::COSTS);
    for (number, delay) in (0_u64..).zip(DELAYS) {
        let cloud = C::at(&ground, FIRST + number).await?;
        cloud.proxy().set_delay(Duration::from_millis(delay));
        for (work, verb) in WORK {
            tables::cost(work, delay, "stated", &wbstore(&cloud, verb, &[]).await?, None);
        }
    }
    let cost = emptied(&C::at(&ground, FIRST + 300).await?, objects).await?;
    tables::emptying(objects, &[("wbstore", cost)]);
    Ok(ExitCode::SUCCESS)
}

async fn start_ups() -> Result<(), Error> {
    let binary = paths::wbstore()?;
    println!("wbstore: {}", binary.display());
    tables::binary(&binary, &measure::start_up(&binary, 20).await?);
    Ok(())
}

async fn fill<C: Cloud>(cloud: &C, objects: usize) -> Result<(), Error> {
    wbstore(cloud, "provision", &[]).await?;
    cloud.fill(objects, 1).await;
    Ok(())
}

/// A teardown with so many objects in the bucket.
async fn emptied<C: Cloud>(cloud: &C, objects: usize) -> Result<Cost, Error> {
    fill(cloud, objects).await?;
    wbstore(cloud, "teardown", &[]).await
}
