//! Plain http to emulators on this machine.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request, Url};

/// Sends requests to the given endpoints over plain http. Azure's crates send a token only over https, which
/// an emulator on loopback need not support; the crates get an https URL, and this last policy before the
/// transport replaces the scheme.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    endpoints: Arc<RwLock<Vec<Url>>>,
}

impl Plain {
    /// For those of `endpoints` that are plain http.
    pub(crate) fn new<'a>(endpoints: impl IntoIterator<Item = &'a Url>) -> Self {
        let endpoints = endpoints.into_iter().filter(|url| url.scheme() == "http");
        Self { endpoints: Arc::new(RwLock::new(endpoints.cloned().collect())) }
    }

    /// The same for `endpoint`, which is plain http.
    pub(crate) fn add(&self, endpoint: Url) {
        self.endpoints.write().unwrap_or_else(PoisonError::into_inner).push(endpoint);
    }

    fn covers(&self, url: &Url) -> bool {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.iter().any(|plain| plain.host() == url.host() && plain.port() == url.port())
    }
}

#[async_trait]
impl Policy for Plain {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let covered = self.covers(request.url());
        // Both schemes are special, so that neither change can fail.
        if covered {
            let _ = request.url_mut().set_scheme("http");
        }
        let result = next[0].send(context, request, &next[1..]).await;
        if covered {
            let _ = request.url_mut().set_scheme("https");
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::Plain;
    use azure_core::http::Url;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_given_endpoints_are_plain() {
        let plain = Plain::new([&url("http://127.0.0.1:8080/"), &url("https://localhost:1/")]);
        assert!(plain.covers(&url("https://127.0.0.1:8080/subscriptions")));
        assert!(!plain.covers(&url("https://127.0.0.1:8081/")));
        assert!(!plain.covers(&url("https://localhost:1/")));
        assert!(!plain.covers(&url("https://management.azure.com/")));
    }
}
