//! What `doctor` asks about an S3-compatible store.

use std::sync::Arc;

use jiff::SignedDuration;

use super::failure::failure;
use super::options::S3Options;
use super::session::Session;
use super::store_region::StoreRegion;
use crate::doctor::{CREDENTIALS, Common, Question, clock, common, faulted, omitted, reads, set_of, unasked};
use crate::error::{Error, Kind, Result};
use crate::provider::Wanted;
use crate::providers::s3_protocol::config;
use crate::providers::s3_protocol::failure::LOG_IN;
use crate::providers::s3_protocol::source;
use crate::retry::unless_busy;
use crate::text::clean;
use crate::verify::{Verdict, inconclusive, passed};

/// Stores follow Amazon S3, which rejects requests whose time is off by more (A30).
const ALLOWED_SKEW: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn questions(options: S3Options, wanted: Wanted, is_named: bool) -> Vec<Question> {
    // Neither requires an endpoint.
    let credentials = common(async {
        let found = config::credentials(&config::loader().load().await).await;
        found.map_err(|error| error.hint(format!("{LOG_IN} of this store")))
    });
    let session: Common<Arc<Session>> = common({
        let (options, wanted) = (options.clone(), wanted.clone());
        async move { Session::open(&options, &wanted).await.map(Arc::new) }
    });
    let found = {
        let credentials = credentials.clone();
        async move {
            match credentials.await {
                Ok(credentials) => passed(source::of_credentials(&credentials)),
                Err(error) => faulted(&error),
            }
        }
    };
    let (placed, given) = (session.clone(), options.names.address.clone());
    let mut all = vec![
        Question::new(CREDENTIALS, found),
        Question::new("identity", {
            let session = session.clone();
            async move {
                match (credentials.await, session.await) {
                    (Ok(_), Ok(session)) => identity(&session).await,
                    (Err(error), _) | (_, Err(error)) => unasked(&error),
                }
            }
        }),
        Question::new("region", async move {
            let session = match placed.await {
                Ok(session) => session,
                Err(error) => return unasked(&error),
            };
            let source = match (&given.region, StoreRegion::of(&session.endpoint)) {
                (Some(_), _) => Ok(Some("--region")),
                (None, Some(_)) => Ok(Some("the host of the endpoint")),
                (None, None) => source::of_region::<StoreRegion>().await,
            };
            match source {
                Ok(source) => passed(format!(
                    "{} ({})",
                    session.region,
                    source.unwrap_or("the default; none is configured")
                )),
                Err(error) => faulted(&error),
            }
        }),
        Question::new("endpoint", endpoint(session.clone(), options.names.address.endpoint.is_some())),
        Question::new("clock", async move {
            match session.await {
                Ok(session) => clock(session.endpoint.as_str(), ALLOWED_SKEW).await,
                Err(error) => unasked(&error),
            }
        }),
    ];
    if is_named {
        all.push(Question::new("reads", async move { reads(&options, wanted).await }));
    } else {
        all.push(Question::new("reads", async {
            omitted(&Error::input("no deployment is named").hint("add `--host` or `--name`"))
        }));
    }
    all
}

/// Whose key it is, as far as the store shows it with a list of buckets; there is no call for that.
async fn identity(session: &Session) -> Verdict {
    let api = session.api(session.addressing);
    let listed: Result<_> = unless_busy(|| async {
        let answer = api.s3.list_buckets().send().await;
        answer.map_err(|error| failure(error, "s3:ListAllMyBuckets", session.endpoint.as_str()))
    })
    .await;
    match listed {
        Ok(listed) => {
            let owner = listed.owner.and_then(|owner| owner.display_name.or(owner.id));
            match owner.map(|owner| clean(&owner)).filter(|owner| !owner.is_empty()) {
                Some(owner) => passed(format!("{owner}, by the list of its buckets")),
                None => passed("accepted by the store, which does not show whose key it is"),
            }
        }
        Err(error) if error.kind() == Kind::Credentials => faulted(&error),
        Err(error) => inconclusive(error.chain()),
    }
}

async fn endpoint(session: Common<Arc<Session>>, has_option: bool) -> Verdict {
    let is_given = has_option || !set_of(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]).is_empty();
    let session = match session.await {
        Ok(session) => session,
        Err(error) if is_given => return faulted(&error),
        Err(error) => return omitted(&error),
    };
    let source = if has_option { "--endpoint".to_owned() } else { source::of_endpoints(&["S3"]) };
    let public = session.public_endpoint.as_ref();
    let public =
        public.map(|public| format!("; browsers use {public} (--public-endpoint)")).unwrap_or_default();
    passed(format!("{} ({source}){public}", session.endpoint))
}
