//! s3s-fs, in this process: objects, and no setting of a bucket at all.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::host::SingleDomain;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;

use super::Key;
use crate::Error;
use crate::dialect::VIRTUAL_DOMAIN;
use crate::services::listen::listen;

/// Starts one that knows `keys`, and returns its port; it stops with the runtime.
pub(super) async fn start(keys: &[&Key]) -> Result<(u16, TempDir), Error> {
    let folder = super::server::folder()?;
    let unable = |error: &dyn std::fmt::Debug| Error::new(format!("cannot start s3s-fs: {error:?}"));
    let files = FileSystem::new(super::server::data(&folder)?).map_err(|error| unable(&error))?;
    let mut builder = S3ServiceBuilder::new(files);
    let mut known = SimpleAuth::new();
    for key in keys {
        known.register(key.id.clone(), key.secret.as_str().into());
    }
    builder.set_auth(known);
    builder.set_host(Domain(SingleDomain::new(VIRTUAL_DOMAIN).map_err(|error| unable(&error))?));
    let service = builder.build();
    let port = listen(move |stream| {
        let service = service.clone();
        async move {
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    Ok((port, folder))
}

/// The domain of virtual-hosted requests; every other host is that of a path-style request.
struct Domain(SingleDomain);

impl s3s::host::S3Host for Domain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> s3s::S3Result<s3s::host::VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or_default();
        if name.ends_with(VIRTUAL_DOMAIN) {
            self.0.parse_host_header(name)
        } else {
            Ok(s3s::host::VirtualHost::new(host))
        }
    }
}
