//! Whether the storage keeps what is replaced or deleted, and the server's garbage collection of artifacts, which
//! requires that (W&B docs, "Delete an artifact": versioning of the bucket, and on Azure soft delete of blobs).

use clap::Args;

use crate::error::{Error, Result};
use crate::provider::Wanted;
use crate::resource::Output;

/// What is asked for.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Versioning {
    /// Keep the versions of objects that are replaced or deleted; on Azure, soft-delete blobs for a week
    #[arg(long)]
    versioning: bool,
    /// Let the server delete the files of deleted artifacts (GORILLA_ARTIFACT_GC_ENABLED=true), for which W&B
    /// requires --versioning; this option includes it
    #[arg(long)]
    artifact_gc: bool,
}

impl Versioning {
    /// `wanted` with it.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a team, whose bucket has no setting of the server.
    pub(crate) fn of(self, wanted: Wanted) -> Result<Wanted> {
        if self.artifact_gc && wanted.name.team.is_some() {
            return Err(Error::input(
                "--artifact-gc has no effect with --team: it is a setting of the server",
            )
            .hint("use `--versioning`, which the bucket of a team requires too"));
        }
        Ok(Wanted { versioning: self, ..wanted })
    }

    /// Whether the bucket is to keep versions; otherwise it is left as it is.
    pub(crate) fn is_wanted(self) -> bool {
        self.versioning || self.artifact_gc
    }

    /// The line of the server configuration.
    pub(crate) fn output(self) -> Option<Output> {
        let value = "true".to_owned();
        self.artifact_gc.then_some(Output { name: "GORILLA_ARTIFACT_GC_ENABLED", value })
    }

    /// The notes for a reviewer; `kept` says what is kept, and for how long.
    pub(crate) fn notes(self, kept: &str) -> Vec<String> {
        let collects = "GORILLA_ARTIFACT_GC_ENABLED=true lets the server delete the files of deleted artifacts; W&B \
                        requires versioning for it (soft delete on Azure), so that a deletion can be undone";
        let billed = self.is_wanted().then(|| format!("{kept}, and billed"));
        let collects = self.artifact_gc.then(|| collects.to_owned());
        billed.into_iter().chain(collects).collect()
    }
}

/// What is kept where objects have versions.
pub(crate) const VERSIONS: &str = "every version of an object that is replaced or deleted is kept until a lifecycle rule \
                                   for noncurrent versions deletes it";
