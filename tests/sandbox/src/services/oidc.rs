//! A certified OpenID Connect provider: npm's oidc-provider, over https.

use std::fs;
use std::process::Command;

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
        let root = tokio::task::spawn_blocking(|| Packages::OIDC_PROVIDER.folder())
            .await
            .map_err(|error| Error::new(error.to_string()))??;
        let unable = |error: std::io::Error| Error::new(format!("cannot start oidc-provider: {error}"));
        let folder = tempfile::tempdir().map_err(unable)?;
        let script = root.join("provider.mjs");
        if fs::read_to_string(&script).ok().as_deref() != Some(include_str!("provider.mjs")) {
            // In one rename, as several tests may be here at once.
            let draft = tempfile::NamedTempFile::new_in(&root).map_err(unable)?;
            fs::write(draft.path(), include_str!("provider.mjs")).map_err(unable)?;
            draft.persist(&script).map_err(|error| unable(error.error))?;
        }
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&certificate, &identity.certificate).map_err(unable)?;
        fs::write(&key, &identity.key).map_err(unable)?;
        let port = free_port()?;
        let mut command = Command::new("node");
        command.arg(&script).arg(&root).arg(port.to_string()).args([&certificate, &key]).arg(callback);
        Ok(Self { port, _program: Program::start(command, folder, port).await? })
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}
