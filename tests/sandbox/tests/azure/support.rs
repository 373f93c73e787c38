//! A double of one's own, and a client that knows nothing but HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use wbstore_sandbox::azure::URL;
use wbstore_sandbox::azure::double::{AzureDouble, Options};
use wbstore_sandbox::paths;

/// What a token for Resource Manager is made out to.
pub const ARM: &str = "https://management.azure.com";

/// A fresh double before the Azurite that the environment names.
pub async fn double(options: Options) -> AzureDouble {
    AzureDouble::start(&paths::emulator(URL), options).await.expect("Azurite answers")
}

/// An account name that no other test has: they are global.
pub fn fresh(stem: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_micros());
    format!("{stem}{:x}{now:x}{next}", std::process::id())
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are ASCII"))
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Status and code of an error of ARM.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Status and code of an error of the data plane.
    pub fn fault(&self) -> (u16, &str) {
        (self.status, self.header("x-ms-error-code"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let method: Method = method.parse().expect("a method");
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.expect("the double answers").into_parts();
    let body = body.collect().await.expect("it says all").to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Asks Resource Manager as the double's own principal; `path` begins below the subscription.
pub async fn arm(double: &AzureDouble, method: &str, path: &str, body: &Value) -> Answer {
    let separator = if path.contains('?') { '&' } else { '?' };
    let url = format!(
        "{}/subscriptions/{}{path}{separator}api-version=2024-01-01",
        double.arm_url(),
        double.subscription()
    );
    at(double, method, &url, body).await
}

/// The same at a URL that an answer gave.
pub async fn at(double: &AzureDouble, method: &str, url: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", double.token(&double.principal(), ARM, 3600));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, url, &[("authorization", &token), ("content-type", "application/json")], &body).await
}

/// The path of a storage account in the double's own group.
pub fn account_path(name: &str) -> String {
    format!("/resourceGroups/acme/providers/Microsoft.Storage/storageAccounts/{name}")
}

/// What a plain account is made of.
pub fn plain() -> Value {
    json!({ "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" } })
}
