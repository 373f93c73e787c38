//! What `doctor` asks about AWS.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use super::deployment::Aws;
use super::options::AwsOptions;
use super::region::{REGIONS, Region};
use super::session::Session;
use super::simulation::{simulate, statements};
use crate::doctor::{
    CREDENTIALS, Common, Question, Tested, clock, common, faulted, judge, omitted, reads, unasked,
};
use crate::error::Result;
use crate::policy::Audience;
use crate::provider::Wanted;
use crate::providers::aws::account::AccountId;
use crate::providers::s3_protocol::source;
use crate::verify::{Verdict, inconclusive, passed, warned};

/// "In most cases, a request must reach AWS within five minutes of the time stamp in the request" (IAM user guide, "AWS
/// Signature Version 4 for API requests"). S3 allows 15 (A30).
const ALLOWED_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Whose credentials they are: the account, and the ARN.
type Caller = (AccountId, String);

pub(super) fn questions(options: AwsOptions, wanted: Wanted, is_named: bool) -> Vec<Question> {
    let region = options.names.region.clone();
    let has_option = region.is_some();
    let session = common(async move { Session::open(region).await.map(Arc::new) });
    let credentials = common({
        let session = session.clone();
        async move { session.await?.credentials().await }
    });
    let caller: Common<Caller> = common({
        let session = session.clone();
        async move { session.await?.caller().await }
    });
    let found = {
        let (session, credentials) = (session.clone(), credentials.clone());
        async move {
            if let Err(error) = session.await {
                return unasked(&error);
            }
            match credentials.await {
                Ok(credentials) => passed(source::of_credentials(&credentials)),
                Err(error) => faulted(&error),
            }
        }
    };
    let identity = {
        let caller = caller.clone();
        async move {
            if let Err(error) = credentials.await {
                return unasked(&error);
            }
            match caller.await {
                Ok((account, arn)) => passed(format!("{arn} in account {account}")),
                Err(error) => faulted(&error),
            }
        }
    };
    let placed = region_of(session.clone(), has_option);
    let endpoint = endpoint_of(session.clone());
    let time = {
        let session = session.clone();
        async move {
            match session.await {
                Ok(session) => clock(&session.contact(), ALLOWED_SKEW).await,
                Err(error) => unasked(&error),
            }
        }
    };
    let allowed = {
        let (options, wanted) = (options.clone(), wanted.clone());
        async move {
            match (session.await, caller.await) {
                (Ok(session), Ok(caller)) => permissions(options, wanted, is_named, &session, &caller).await,
                (Err(error), _) | (_, Err(error)) => unasked(&error),
            }
        }
    };
    let mut all = vec![
        Question::new(CREDENTIALS, found),
        Question::new("identity", identity),
        Question::new("region", placed),
        Question::new("endpoint", endpoint),
        Question::new("clock", time),
        Question::new("permissions", allowed),
    ];
    if is_named {
        all.push(Question::new("reads", async move { reads(&options, wanted).await }));
    }
    all
}

async fn region_of(session: Common<Arc<Session>>, has_option: bool) -> Verdict {
    let session = match session.await {
        Ok(session) => session,
        Err(error) => return faulted(&error),
    };
    let region = session.region();
    let configured = if has_option { Ok(Some("--region")) } else { source::of_region::<Region>().await };
    let source = match configured {
        Ok(Some(source)) => source,
        Ok(None) if session.region_is_assumed() => "the default; none is configured",
        Ok(None) => "the metadata service of this machine",
        Err(error) => return faulted(&error),
    };
    match REGIONS.warning(region.as_str()) {
        Some(warning) => {
            warned(format!("{region} ({source}); {warning}"), "check the spelling of the region")
        }
        None => passed(format!("{region} ({source})")),
    }
}

async fn endpoint_of(session: Common<Arc<Session>>) -> Verdict {
    let custom = session.await.and_then(|session| {
        let custom = session.elsewhere()?;
        Ok((custom, session.region().partition().dns_suffix))
    });
    match custom {
        Ok((custom, suffix)) if custom.is_empty() => passed(format!("AWS's own, {suffix}")),
        Ok((custom, _)) => {
            let variables = source::of_endpoints(&["S3", "SQS", "STS"]);
            passed(format!("{} from {variables}", custom.trim_start_matches(", ")))
        }
        Err(error) => unasked(&error),
    }
}

/// Whether the caller may do what the operator's policy allows, by IAM's own simulator.
async fn permissions(
    options: AwsOptions,
    wanted: Wanted,
    is_named: bool,
    session: &Session,
    (account, arn): &Caller,
) -> Verdict {
    let policy = match policy(options, wanted, session, account).await {
        Ok(policy) => policy,
        Err(error) => return omitted(&error),
    };
    match simulate(&session.iam(), arn, &statements(&policy)).await {
        Ok((count, missing)) => judge("aws", &Tested { count, missing, on_example: !is_named }),
        Err(error) => {
            let rest = if is_named { "" } else { "; add `--host` or `--name` to check what a plan reads" };
            inconclusive(format!("{}{rest}", error.chain()))
        }
    }
}

async fn policy(
    mut options: AwsOptions,
    wanted: Wanted,
    session: &Session,
    account: &AccountId,
) -> Result<Value> {
    options.names.region = Some(session.region().clone());
    let provider = Aws::offline(options, wanted, Some(account.as_str())).await?;
    Ok(provider.policy(Audience::Operator)?.document)
}
