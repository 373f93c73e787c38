//! What each refusal means to the reader, and what to do about it.

use std::fmt::Display;

use google_cloud_gax::error::rpc::Code;

use super::Refusal;
use crate::error::{Error, Kind};

/// The constraint that keeps members of other organisations out of policies (Resource Manager docs,
/// "Restricting identities by domain").
const DOMAINS: &str = "constraints/iam.allowedPolicyMemberDomains";

/// Whether the refusal is that of domain-restricted sharing, which does not always name itself.
pub fn domain_restricted(refusal: &Refusal) -> bool {
    refusal.constraint().is_some_and(|constraint| constraint.ends_with("iam.allowedPolicyMemberDomains"))
}

impl Refusal {
    /// The constraint of an organisation policy that is violated, if any.
    pub fn constraint(&self) -> Option<String> {
        let said = self.constraint.as_deref().and_then(named).or_else(|| named(&self.message));
        let unnamed = self.message.contains("permitted customer");
        said.or_else(|| unnamed.then(|| DOMAINS.to_owned()))
    }

    /// The refusal as an error of a call that takes `permission` on `target`.
    pub fn explain(&self, permission: &str, target: impl Display) -> Error {
        let call = format!("{permission} on {target}");
        let error = if self.html {
            self.web_page(&call)
        } else if let Some(error) = self.account(&call).or_else(|| self.policy(&call)) {
            error
        } else {
            self.plain(&call, permission)
        };
        match self.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }

    /// The project as a command takes it.
    fn project(&self) -> &str {
        self.project.as_deref().unwrap_or("PROJECT")
    }

    /// The code, and the server's own words.
    pub fn said(&self) -> String {
        let word = if self.http == 0 || self.code != Code::Unknown {
            self.code.name().to_owned()
        } else {
            format!("HTTP status {}", self.http)
        };
        let message = self.message.trim_end_matches(['.', ' ']);
        if message.is_empty() { word } else { format!("{word}: {message}") }
    }

    fn web_page(&self, call: &str) -> Error {
        let kind = if self.http >= 500 { Kind::Transient } else { Kind::Failed };
        Error::new(kind, format!("{call}: the endpoint answered with a web page (HTTP status {})", self.http))
            .hint(
                "something between here and Google answers in its place; check any proxy, and \
                 STORAGE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST, if set",
            )
    }

    /// What is wrong with the project or the credentials as a whole, whatever the call. The reasons are
    /// those of google/api/error_reason.proto and of the Cloud Storage JSON API's error page.
    fn account(&self, call: &str) -> Option<Error> {
        let said = self.said();
        let error = |kind| Error::new(kind, format!("{call}: {said}"));
        let text = &self.message;
        let project = self.project();
        let service = || {
            let named = self.service.clone().or_else(|| {
                let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
                words.find(|word| word.ends_with(".googleapis.com")).map(str::to_owned)
            });
            let by_call = match call.split('.').next().unwrap_or_default() {
                "pubsub" => "pubsub.googleapis.com",
                "iam" => "iam.googleapis.com",
                _ => "storage.googleapis.com",
            };
            named.unwrap_or_else(|| by_call.to_owned())
        };
        if text.contains("requires a quota project") || text.contains("without a quota project") {
            return Some(error(Kind::Credentials).hint(format!(
                "user credentials need a project to count calls on: run \
                 `gcloud auth application-default set-quota-project {project}`"
            )));
        }
        Some(match self.reason.as_str() {
            "SERVICE_DISABLED" | "accessNotConfigured" => {
                let service = service();
                Error::new(Kind::Failed, format!("{call}: the API {service} is not enabled: {said}")).hint(
                    format!("run `gcloud services enable {service} --project {project}`, then wait a minute"),
                )
            }
            "BILLING_DISABLED" | "accountDisabled" | "billingNotEnabled" | "UserProjectAccountProblem" => {
                Error::new(
                    Kind::Failed,
                    format!("{call}: the project has no billing account in order: {said}"),
                )
                .hint(format!(
                    "run `gcloud billing projects link {project} --billing-account ID`; \
                         `gcloud billing accounts list` shows the ids"
                ))
            }
            "USER_PROJECT_DENIED" | "userProjectDenied" => error(Kind::Credentials).hint(
                "these credentials may not count calls on their quota project: grant them \
                 roles/serviceusage.serviceUsageConsumer there, or name another with \
                 `gcloud auth application-default set-quota-project PROJECT`",
            ),
            "CONSUMER_INVALID" | "CONSUMER_SUSPENDED" => error(Kind::Failed)
                .hint("the project does not exist or is suspended; `gcloud projects list` shows yours"),
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "insufficientScopes" => error(Kind::Credentials).hint(
                "the token is not good for Google Cloud as a whole; a virtual machine needs the scope \
                 https://www.googleapis.com/auth/cloud-platform",
            ),
            _ if self.code == Code::Unauthenticated || self.http == 401 => error(Kind::Credentials).hint(
                "Google does not accept these credentials, or they have expired: run \
                 `gcloud auth application-default login`, or check GOOGLE_APPLICATION_CREDENTIALS",
            ),
            _ if text.contains("billing account") && self.code == Code::PermissionDenied => {
                error(Kind::Failed)
                    .hint(format!("run `gcloud billing projects link {project} --billing-account ID`"))
            }
            _ => return None,
        })
    }

    /// What an organisation policy forbids is forbidden until an administrator allows it, so it is not
    /// tried again (G21).
    fn policy(&self, call: &str) -> Option<Error> {
        let refused =
            matches!(self.code, Code::PermissionDenied | Code::FailedPrecondition | Code::InvalidArgument);
        let constraint = self.constraint().filter(|_| refused || self.http == 412)?;
        let short = constraint.rsplit('/').next().unwrap_or(&constraint).to_owned();
        Some(
            Error::refused(format!(
                "{call}: an organisation policy forbids it, {constraint}: {}",
                self.message.trim_end_matches(['.', ' '])
            ))
            .hint(format!(
                "ask an administrator of the organisation for an exception for this project; \
                 `gcloud org-policies describe {short} --effective --project {}` shows the rule",
                self.project()
            )),
        )
    }

    fn plain(&self, call: &str, permission: &str) -> Error {
        let said = self.said();
        let error = |kind| Error::new(kind, format!("{call}: {said}"));
        match self.code {
            Code::PermissionDenied => {
                let permission = self.permission.as_deref().unwrap_or(permission);
                error(Kind::Denied).hint(format!(
                    "grant {permission} to these credentials (`wbstore policy gcp --for operator` prints all \
                     that is needed)"
                ))
            }
            Code::ResourceExhausted => error(Kind::Throttled),
            Code::Aborted => error(Kind::Conflict),
            _ if self.is_stale() => error(Kind::Conflict),
            Code::Unavailable | Code::Internal | Code::DeadlineExceeded | Code::Cancelled => {
                error(Kind::Transient)
            }
            Code::Unknown if self.http >= 500 || self.http == 408 => error(Kind::Transient),
            // tonic gives this code to an answer that is no gRPC at all.
            Code::Unknown if self.message.contains("grpc-status header missing") => error(Kind::Transient)
                .hint("something between here and Google answers in its place; check any proxy"),
            _ => error(Kind::Failed),
        }
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
