//! Who gets in, and what Azure refuses and Azurite lets through.

use axum::http::{Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::delegation;
use super::request::Ask;
use crate::azure::double::answer::{Refusal, Reply, empty, set};
use crate::azure::double::arm::is_denied;
use crate::azure::double::blob_service::RULES;
use crate::azure::double::sas::hmac;
use crate::azure::double::store::Account;
use crate::azure::double::{Service, Shared, claims};

/// An error of the data plane.
/// <https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2>
#[derive(Debug)]
pub(in crate::azure::double) struct Fault {
    status: u16,
    code: String,
    message: String,
    retry_after: Option<String>,
}

impl Fault {
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
    }

    pub(super) fn broken(what: impl std::fmt::Display) -> Self {
        Self::new(500, "InternalError", &format!("the sandbox cannot reach Azurite: {what}"))
    }

    pub(super) fn reply(&self) -> Reply {
        let mut reply = empty(self.status);
        *reply.body_mut() = super::fault_body(&self.code, &self.message);
        set(&mut reply, "content-type", "application/xml");
        set(&mut reply, "x-ms-error-code", &self.code);
        set(&mut reply, "x-ms-request-id", &super::guid());
        if let Some(seconds) = &self.retry_after {
            set(&mut reply, "retry-after", seconds);
        }
        reply
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::broken(error)
    }
}

impl From<&Refusal> for Fault {
    /// The data plane says the same in another way.
    fn from(refusal: &Refusal) -> Self {
        let (status, code) = match refusal.status() {
            429 | 503 => (503, "ServerBusy"),
            401 => (401, "InvalidAuthenticationInfo"),
            status => (status, refusal.code()),
        };
        Self { retry_after: refusal.retry_after(), ..Self::new(status, code, refusal.message()) }
    }
}

/// Whether Azurite can take our word for the caller; if not, it has a signature to check.
pub(super) fn admit(shared: &Shared, account: &Account, ask: &Ask) -> Result<bool, Fault> {
    let given = ask.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    if let Some(token) = given.strip_prefix("Bearer ") {
        return bearer(shared, account, ask, token).map(|()| true);
    }
    // A SAS of a user's delegation has no account key behind it.
    let signed = given.starts_with("SharedKey") || ask.query.contains_key("sig");
    if ask.query.contains_key("skoid") {
        return delegated(shared, account, ask).map(|()| true);
    }
    if signed && !ask.query.contains_key("skoid") && !account.allows("allowSharedKeyAccess", true) {
        let message = "Key based authentication is not permitted on this storage account.";
        return Err(Fault::new(403, "KeyBasedAuthenticationNotPermitted", message));
    }
    if !signed && ask.service == Service::Blob && !account.allows("allowBlobPublicAccess", false) {
        let message = "Public access is not permitted on this storage account.";
        return Err(Fault::new(409, "PublicAccessNotPermitted", message));
    }
    Ok(false)
}

/// <https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory>
fn bearer(shared: &Shared, account: &Account, ask: &Ask, token: &str) -> Result<(), Fault> {
    if ask.header("x-ms-version").is_none() {
        let message = "Server failed to authenticate the request. Authentication information is not given in \
                       the correct format: x-ms-version.";
        return Err(Fault::new(400, "InvalidAuthenticationInfo", message));
    }
    let caller = {
        let world = shared.world();
        let caller = world.issuer.read(token, claims::STORAGE).map_err(|refusal| Fault::from(&refusal))?;
        let subscription = world.subscriptions.get(&account.subscription);
        if subscription.is_none_or(|one| one.tenant != caller.tenant) {
            return Err(Fault::new(401, "InvalidAuthenticationInfo", "Issuer validation failed."));
        }
        caller
    };
    if is_denied(shared, &caller, ask.action()) {
        let message = "This request is not authorized to perform this operation using this permission.";
        return Err(Fault::new(403, "AuthorizationPermissionMismatch", message));
    }
    Ok(())
}

/// A signature with a key that an identity was given: it allows what it says and the identity may.
/// <https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas>
fn delegated(shared: &Shared, account: &Account, ask: &Ask) -> Result<(), Fault> {
    let failed = || Fault::new(403, "AuthenticationFailed", "Signature did not match.");
    let object = ask.query("skoid");
    let principal = shared.world().issuer.principals.iter().find(|one| one.object == object).cloned();
    let Some(claims::Principal { tenant, client, object, .. }) = principal else { return Err(failed()) };
    let of = |name| ask.query(name);
    let signed = format!(
        "{}\n{}\n{}\n/blob/{}/{}\n{object}\n{}\n{}\n{}\n{}\n{}\n\n\n\n{}\n{}\n{}\n{}\n\n\n\n\n\n\n",
        of("sp"),
        of("st"),
        of("se"),
        account.name,
        ask.parent,
        of("sktid"),
        of("skt"),
        of("ske"),
        of("sks"),
        of("skv"),
        of("sip"),
        of("spr"),
        of("sv"),
        of("sr"),
    );
    let key = delegation::key(account, &object);
    let letter = match ask.method {
        Method::GET | Method::HEAD => 'r',
        Method::DELETE => 'd',
        _ => 'w',
    };
    if STANDARD.encode(hmac(&key, &signed)) != of("sig") || !of("sp").contains(letter) {
        return Err(failed());
    }
    let caller = claims::Caller { tenant, client, object };
    if is_denied(shared, &caller, ask.action()) {
        let message = "This request is not authorized to perform this operation using this permission.";
        return Err(Fault::new(403, "AuthorizationPermissionMismatch", message));
    }
    Ok(())
}

/// What Azurite would let through.
pub(super) fn check(shared: &Shared, ask: &Ask) -> Result<(), Fault> {
    let resting = || shared.world().refuse_resting(&ask.resting_name());
    match ask.service {
        // "All other operations … will fail with status code 404", as they do without us.
        Service::Blob if ask.is_container() && ask.method == Method::PUT && resting() => {
            let message = "The specified container is being deleted. Try operation later.";
            Err(Fault::new(409, "ContainerBeingDeleted", message))
        }
        Service::Queue if resting() => {
            let message = "The specified queue is being deleted. Try operation later.";
            Err(Fault::new(409, "QueueBeingDeleted", message))
        }
        Service::Blob if ask.method == Method::PUT && ask.query("comp") == "properties" => {
            let rules = String::from_utf8_lossy(&ask.body).matches("<CorsRule>").count();
            if rules > RULES {
                let message = "XML specified is not syntactically valid.";
                return Err(Fault::new(400, "InvalidXmlDocument", message));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
