//! What `doctor` asks about Google Cloud.

use std::env;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::deployment::Gcp;
use super::location::LOCATIONS;
use super::options::GcpOptions;
use super::project::ProjectId;
use super::rest::{self, segment};
use super::session::{AdcKind, Service, Session};
use crate::doctor::{
    CREDENTIALS, Common, Permission, Question, Tested, clock, common, faulted, judge, omitted, reads, set_of,
    unasked,
};
use crate::error::{Error, Kind, Result};
use crate::http::{Client, Method, Request, Url};
use crate::provider::Wanted;
use crate::retry::unless_busy;
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// What the time of a signed URL may be off by (Cloud Storage documentation, "Signatures"); that of an assertion for a
/// token has to be about as near (Google identity platform, "Using OAuth 2.0 for server to server applications").
const ALLOWED_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The most permissions in one call (Resource Manager API, `projects.testIamPermissions`).
const AT_ONCE: usize = 100;

/// What only a teardown requires; `policy` names the same.
const FOR_TEARDOWN: [&str; 6] = [
    "storage.buckets.delete",
    "pubsub.topics.delete",
    "storage.folders.delete",
    "storage.folders.list",
    "storage.managedFolders.delete",
    "storage.managedFolders.list",
];

pub(super) fn questions(options: GcpOptions, wanted: Wanted, is_named: bool) -> Vec<Question> {
    let session = common(async { Session::open() });
    // A token is all that shows that credentials can be used.
    let authorized = common({
        let session = session.clone();
        async move {
            let session = session.await?;
            rest::headers(&session.credentials()?).await?;
            Ok(session)
        }
    });
    let project = options.project().cloned();
    let location = options.names.parts.location.clone();
    let mut all = vec![
        Question::new(CREDENTIALS, credentials(session.clone(), authorized.clone())),
        Question::new("identity", identity(authorized.clone())),
        Question::new("project", agent(authorized.clone(), project.clone())),
        Question::new("location", async move {
            let (place, source) = match location {
                Some(location) => (location.to_string(), "--location"),
                None => ("US".to_owned(), "the default"),
            };
            match LOCATIONS.warning(&place) {
                Some(warning) => {
                    warned(format!("{place} ({source}); {warning}"), "check the spelling of the location")
                }
                None => passed(format!("{place} ({source})")),
            }
        }),
        Question::new("endpoint", endpoint(session.clone())),
        Question::new("clock", async move {
            match session.await {
                Ok(session) => clock(&session.endpoints().text(Service::Storage), ALLOWED_SKEW).await,
                Err(error) => unasked(&error),
            }
        }),
        Question::new("permissions", permissions(authorized, options.clone(), wanted.clone(), project)),
    ];
    if is_named {
        all.push(Question::new("reads", async move { reads(&options, wanted).await }));
    }
    all
}

async fn credentials(session: Common<Session>, authorized: Common<Session>) -> Verdict {
    let session = match session.await {
        Ok(session) => session,
        Err(error) => return faulted(&error),
    };
    let Some(adc) = session.adc() else {
        return passed("none: requests to the custom endpoint are anonymous");
    };
    if let Err(error) = authorized.await {
        let reason = format!("{}: {}", adc.place, error.chain());
        return match error.what_next() {
            Some(hint) => failed(reason, hint),
            None => Verdict::Failed { reason, hint: None },
        };
    }
    let quota = set_of(&["GOOGLE_CLOUD_QUOTA_PROJECT"]).first().map(|name| (*name).to_owned());
    let quota = quota.or(adc.quota_project).map(|project| format!("; quota project {project}"));
    let found = format!("{}, {}{}", adc.kind.words(), adc.place, quota.unwrap_or_default());
    match env::var_os("CLOUDSDK_CONFIG") {
        Some(_) if adc.place.ends_with("(gcloud)") => warned(
            format!("{found}; CLOUDSDK_CONFIG is set and not read for them"),
            "name the file in `GOOGLE_APPLICATION_CREDENTIALS`",
        ),
        _ => passed(found),
    }
}

async fn identity(authorized: Common<Session>) -> Verdict {
    let session = match authorized.await {
        Ok(session) => session,
        Err(error) => return unasked(&error),
    };
    let Some(adc) = session.adc() else { return passed("anonymous") };
    let asked = match adc.kind {
        AdcKind::ServiceAccount(email) | AdcKind::Impersonated(email) => return passed(email),
        AdcKind::Federated(audience) => return passed(format!("a principal of {audience}")),
        AdcKind::Unread(why) => return inconclusive(format!("not checked: {why}")),
        AdcKind::User(token_uri) => user(&session, token_uri).await,
        AdcKind::Machine => machine().await,
    };
    match asked {
        Ok(email) => passed(email),
        Err(error) => inconclusive(error.chain()),
    }
}

/// The address of the user whose token this is, by the service that issued it.
async fn user(session: &Session, token_uri: Option<Url>) -> Result<String> {
    let unknown = || Error::new(Kind::Failed, "whose token it is cannot be determined");
    let url = token_uri.and_then(|uri| uri.join("tokeninfo").ok()).ok_or_else(unknown)?;
    let headers = rest::headers(&session.credentials()?).await?;
    let bearer = headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value.as_str());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(unknown)?;
    let body: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("access_token", token).finish();
    let request = Request::new(Method::POST, url.as_str())?
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .repeatable(true);
    let answer = Client::pinned(url)?.send(&request).await?;
    let token: Value = rest::read(&answer, "tokeninfo", "the token")?;
    token["email"].as_str().map(clean).ok_or_else(unknown)
}

/// The service account of this machine (Compute Engine documentation, "Access VM metadata").
async fn machine() -> Result<String> {
    let host = env::var("GCE_METADATA_HOST").ok().filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| "metadata.google.internal".to_owned());
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/email");
    let request = Request::new(Method::GET, &url)?.header("Metadata-Flavor", "Google");
    let answer = Client::new()?.send(&request).await?;
    let email = String::from_utf8_lossy(&answer.body);
    match answer.is_success() && email.contains('@') {
        true => Ok(clean(&email)),
        false => Err(Error::new(Kind::Failed, "the metadata service names no service account")),
    }
}

/// The project, whose service agent is the first thing that a plan reads.
async fn agent(authorized: Common<Session>, project: Result<ProjectId>) -> Verdict {
    let project = match project {
        Ok(project) => project,
        Err(error) => return omitted(&error),
    };
    let session = match authorized.await {
        Ok(session) => session,
        Err(error) => return unasked(&error),
    };
    match session.agent(project.as_str()).await {
        Ok(agent) => {
            let named = env::var("GOOGLE_CLOUD_PROJECT").is_ok_and(|named| named == project.as_str());
            let source = if named { "GOOGLE_CLOUD_PROJECT" } else { "--project" };
            passed(format!("{project} ({source}); its Cloud Storage service agent is {agent}"))
        }
        Err(error) => faulted(&error),
    }
}

async fn endpoint(session: Common<Session>) -> Verdict {
    match session.await {
        Ok(session) if !session.endpoints().any() => passed("Google's own, googleapis.com"),
        Ok(session) => {
            let custom = session.endpoints().elsewhere();
            let variables = session.endpoints().variables().join(", ");
            passed(format!("{} from {variables}", custom.trim_start_matches(", ")))
        }
        Err(error) => unasked(&error),
    }
}

async fn permissions(
    authorized: Common<Session>,
    options: GcpOptions,
    wanted: Wanted,
    project: Result<ProjectId>,
) -> Verdict {
    let asked = project.and_then(|project| Ok((Gcp::operator_permissions(options, wanted)?, project)));
    let (permissions, project) = match asked {
        Ok(asked) => asked,
        Err(error) => return omitted(&error),
    };
    let session = match authorized.await {
        Ok(session) => session,
        Err(error) => return unasked(&error),
    };
    if !session.endpoints().belongs(Service::ResourceManager) {
        return inconclusive(
            "not checked: there is a custom endpoint for other services and none for Resource Manager",
        );
    }
    match granted(&session, &project, &permissions).await {
        Ok(granted) => {
            let missing = permissions.iter().filter(|permission| !granted.contains(permission));
            let missing = missing.map(|permission| Permission {
                name: permission.clone(),
                target: format!("the project {project}"),
                only_for_teardown: FOR_TEARDOWN.contains(&permission.as_str()),
            });
            judge("gcp", &Tested { count: permissions.len(), missing: missing.collect(), on_example: false })
        }
        Err(error) => inconclusive(error.chain()),
    }
}

/// Those of `permissions` that the caller has on the project, and so on all in it.
async fn granted(session: &Session, project: &ProjectId, permissions: &[String]) -> Result<Vec<String>> {
    let rest = session.rest(Service::ResourceManager)?;
    let path = format!("/v3/projects/{}:testIamPermissions", segment(project.as_str()));
    let mut granted = vec![];
    for some in permissions.chunks(AT_ONCE) {
        let answer: Value = unless_busy(|| async {
            let answer = rest.ask(&path, &json!({ "permissions": some })).await?;
            rest::read(&answer, "testIamPermissions", format!("project {project}"))
        })
        .await?;
        let listed = answer["permissions"].as_array().into_iter().flatten();
        granted.extend(listed.filter_map(|permission| permission.as_str().map(str::to_owned)));
    }
    Ok(granted)
}
