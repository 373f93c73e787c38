//! s3rver: it keeps the CORS rules of a bucket and nothing else, and serves objects to anybody.

use std::process::Command;

use crate::Error;
use crate::dialect::VIRTUAL_DOMAIN;
use crate::emulator::free_port;
use crate::npm::Packages;
use crate::services::program::Program;

/// The only key that it knows, with its secret.
pub(super) const KEY: &str = "S3RVER";

/// Starts one, and returns its port.
pub(super) async fn start() -> Result<(u16, Program), Error> {
    let root = tokio::task::spawn_blocking(|| Packages::S3RVER.folder()).await;
    let root = root.map_err(|error| Error::new(error.to_string()))??;
    let (port, folder) = (free_port()?, super::server::folder()?);
    let mut command = Command::new("node");
    command
        .arg(root.join("node_modules/s3rver/bin/s3rver.js"))
        .args(["--silent", "-a", "127.0.0.1", "-p", &port.to_string(), "--service-endpoint", VIRTUAL_DOMAIN])
        // It encrypts continuation tokens with a cipher that OpenSSL 3 has put there.
        .env("NODE_OPTIONS", "--openssl-legacy-provider")
        .arg("-d")
        .arg(super::server::data(&folder)?);
    Ok((port, Program::start(command, folder, port).await?))
}
