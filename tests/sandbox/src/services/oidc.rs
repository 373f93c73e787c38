//! A certified OpenID Connect provider: npm's oidc-provider, over https.

use std::fs;

use super::authority::Identity;
use super::program::Program;
use crate::Error;
use crate::emulator::free_port;
use crate::npm::Packages;

/// A running provider, which knows the client `wandb`.
#[derive(Debug)]
pub struct OidcProvider {
    port: u16,
    _program: Program,
}

impl OidcProvider {
    /// Starts one that knows `callback`.
    pub async fn start(identity: &Identity, callback: &str) -> Result<Self, Error> {
        let node = || Packages::OIDC_PROVIDER.node("provider.mjs", include_str!("provider.mjs"));
        let mut command =
            tokio::task::spawn_blocking(node).await.map_err(|error| Error::new(error.to_string()))??;
        let unable = |error: std::io::Error| Error::new(format!("cannot start oidc-provider: {error}"));
        let folder = tempfile::tempdir().map_err(unable)?;
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&certificate, &identity.certificate).map_err(unable)?;
        fs::write(&key, &identity.key).map_err(unable)?;
        let port = free_port()?;
        command.arg(port.to_string()).args([&certificate, &key]).arg(callback);
        Ok(Self { port, _program: Program::start(command, folder, port).await? })
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}
