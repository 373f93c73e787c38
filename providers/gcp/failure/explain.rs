//! What each refusal means to the reader, and what to do about it.

use std::fmt::Display;

use super::Refusal;
use crate::error::{Error, Kind};
use crate::text::word;

/// The constraint that keeps members of other organizations out of policies (Resource Manager docs,
/// "Restricting identities by domain").
const DOMAINS: &str = "constraints/iam.allowedPolicyMemberDomains";

/// Whether the refusal is that of domain-restricted sharing, which does not always name itself.
pub(crate) fn domain_restricted(refusal: &Refusal) -> bool {
    refusal.constraint().is_some_and(|constraint| constraint.ends_with("iam.allowedPolicyMemberDomains"))
}

/// The APIs that wbstore calls, by itself or through another: no other is suggested to be enabled.
const APIS: [&str; 7] = [
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "pubsub.googleapis.com",
    "storage.googleapis.com",
    "storage-api.googleapis.com",
];

impl Refusal {
    /// The constraint of an organization policy that is violated, if any.
    pub(crate) fn constraint(&self) -> Option<String> {
        let said = self.constraint.as_deref().and_then(named).or_else(|| named(&self.message));
        let unnamed = self.message.contains("permitted customer");
        said.or_else(|| unnamed.then(|| DOMAINS.to_owned()))
    }

    /// The refusal as an error of a call that needs `permission` on `target`.
    pub(crate) fn explain(&self, permission: &str, target: impl Display) -> Error {
        let call = format!("{permission} on {target}");
        let (kind, words, hint) = self.meaning(permission);
        let mut error = Error::new(kind, format!("{call}: {words}"));
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        match self.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }

    /// The table of failures: what kind each is, its words, and what to do about it; of the first row that
    /// fits. The reasons are those of google/api/error_reason.proto and of the Cloud Storage JSON API's
    /// error page.
    fn meaning(&self, permission: &str) -> (Kind, String, Option<String>) {
        let (said, text) = (self.said(), &self.message);
        let project = self.project.as_deref().and_then(word).unwrap_or("PROJECT");
        let plain = |kind| (kind, said.clone(), None);
        let hinted = |kind, hint: String| (kind, said.clone(), Some(hint));
        let quota = text.contains("requires a quota project") || text.contains("without a quota project");
        match (self.reason.as_str(), self.status.as_str()) {
            _ if self.html => (
                if self.http >= 500 { Kind::Transient } else { Kind::Failed },
                format!("the endpoint returned a web page (HTTP status {})", self.http),
                Some(
                    "the response came from something between this machine and Google; check any proxy, and \
                     STORAGE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST, if set"
                        .to_owned(),
                ),
            ),
            _ if quota => hinted(
                Kind::Credentials,
                format!(
                    "user credentials require a quota project: run `gcloud auth application-default \
                     set-quota-project {project}`"
                ),
            ),
            ("SERVICE_DISABLED" | "accessNotConfigured", _) => {
                let service = self.service(permission);
                (
                    Kind::Failed,
                    format!("the API {service} is not enabled: {said}"),
                    Some(format!(
                        "run `gcloud services enable {service} --project {project}`, then wait a minute"
                    )),
                )
            }
            (
                "BILLING_DISABLED" | "accountDisabled" | "billingNotEnabled" | "UserProjectAccountProblem",
                _,
            ) => (
                Kind::Failed,
                format!("the project has no active billing account: {said}"),
                Some(format!(
                    "run `gcloud billing projects link {project} --billing-account ID`; `gcloud billing \
                     accounts list` shows the IDs"
                )),
            ),
            ("USER_PROJECT_DENIED" | "userProjectDenied", _) => hinted(
                Kind::Credentials,
                "these credentials are not allowed to use their quota project: grant them \
                 roles/serviceusage.serviceUsageConsumer there, or choose another with `gcloud auth \
                 application-default set-quota-project PROJECT`"
                    .to_owned(),
            ),
            ("CONSUMER_INVALID" | "CONSUMER_SUSPENDED", _) => hinted(
                Kind::Failed,
                "the project does not exist or is suspended; `gcloud projects list` shows yours".to_owned(),
            ),
            _ if self.is_outside_perimeter() => (
                Kind::Refused,
                format!("VPC Service Controls forbid it: {said}"),
                Some(
                    "run inside the service perimeter, or ask its administrator for an access level or an \
                     ingress rule for these credentials"
                        .to_owned(),
                ),
            ),
            _ if self.reason.eq_ignore_ascii_case("userProjectMissing") || text.contains("requester pays bucket") => (
                Kind::Failed,
                format!("the bucket requires requests to name a project to bill: {said}"),
                Some(
                    "turn requester pays off with `gcloud storage buckets update gs://BUCKET --no-requester-pays`: \
                     the W&B server names no project"
                        .to_owned(),
                ),
            ),
            ("ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "insufficientScopes", _) => hinted(
                Kind::Credentials,
                "the token lacks the scope for Google Cloud; a virtual machine requires the scope \
                 https://www.googleapis.com/auth/cloud-platform"
                    .to_owned(),
            ),
            (_, "UNAUTHENTICATED") => hinted(
                Kind::Credentials,
                "Google rejected these credentials, or they have expired: run `gcloud auth \
                 application-default login`, or check GOOGLE_APPLICATION_CREDENTIALS"
                    .to_owned(),
            ),
            (_, "PERMISSION_DENIED") if text.contains("billing account") => hinted(
                Kind::Failed,
                format!("run `gcloud billing projects link {project} --billing-account ID`"),
            ),
            // What an organization policy forbids is denied until an administrator allows it, so it is not
            // tried again (G21).
            (_, "PERMISSION_DENIED" | "FAILED_PRECONDITION" | "INVALID_ARGUMENT")
                if let Some(constraint) = self.constraint() =>
            {
                let short = constraint.rsplit('/').next().and_then(word).unwrap_or("CONSTRAINT");
                (
                    Kind::Refused,
                    format!(
                        "an organization policy forbids it, {constraint}: {}",
                        text.trim_end_matches(['.', ' '])
                    ),
                    Some(format!(
                        "ask an administrator of the organization for an exception for this project; `gcloud \
                         org-policies describe {short} --effective --project {project}` shows the rule"
                    )),
                )
            }
            (_, "PERMISSION_DENIED") => {
                let permission = self.permission.as_deref().and_then(word).unwrap_or(permission);
                hinted(
                    Kind::Denied,
                    format!(
                        "grant {permission} to these credentials (`wbstore policy gcp --for operator` prints \
                         all required permissions)"
                    ),
                )
            }
            (_, "RESOURCE_EXHAUSTED") => plain(Kind::Throttled),
            _ if self.is_stale() => plain(Kind::Conflict),
            (_, "UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "CANCELLED") => plain(Kind::Transient),
            (_, "UNKNOWN") if self.http >= 500 || self.http == 408 => plain(Kind::Transient),
            _ => plain(Kind::Failed),
        }
    }

    /// Whether VPC Service Controls rejected the call, which some APIs say only in the message.
    fn is_outside_perimeter(&self) -> bool {
        matches!(self.reason.as_str(), "SECURITY_POLICY_VIOLATED" | "vpcServiceControls")
            || self.message.contains("vpcServiceControlsUniqueIdentifier")
    }

    /// The API that the call with `permission` is of.
    fn service(&self, permission: &str) -> String {
        let words = self.message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
        let named = self.service.as_deref().into_iter().chain(words).find(|named| APIS.contains(named));
        named.map(str::to_owned).unwrap_or_else(|| match permission.split('.').next().unwrap_or_default() {
            service @ ("pubsub" | "iam") => format!("{service}.googleapis.com"),
            "resourcemanager" => "cloudresourcemanager.googleapis.com".to_owned(),
            _ => "storage.googleapis.com".to_owned(),
        })
    }

    /// The code, and the server's own words.
    fn said(&self) -> String {
        let word = match self.status.as_str() {
            "UNKNOWN" => format!("HTTP status {}", self.http),
            word => word.to_owned(),
        };
        let message = self.message.trim_end_matches(['.', ' ']);
        if message.is_empty() { word } else { format!("{word}: {message}") }
    }
}

/// The first `constraints/…` or `customConstraints/…` in `text`.
fn named(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-')));
    let word = words.map(|word| word.trim_matches('.')).find(|word| {
        ["constraints/", "customConstraints/"]
            .iter()
            .any(|prefix| word.starts_with(prefix) && word.len() > prefix.len())
    })?;
    Some(word.to_owned())
}
