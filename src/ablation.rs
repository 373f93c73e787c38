//! Safeguards that can be switched off, one at a time, to see that a sweep or a law turns red without them: one
//! that stays green would prove nothing. `cargo sandbox ablate` does that; no program that is used can.

#[cfg(all(feature = "ablation", not(debug_assertions)))]
compile_error!(
    "the feature `ablation` switches safeguards off: it is for tests and requires debug assertions"
);

/// What keeps a run from losing or doubling something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// The mark is part of the call that creates a resource.
    MarkInCreatingCall,
    /// Each step is read and decided again right before it is applied.
    SecondDecision,
    /// A notification is created only if the list has none of ours.
    #[cfg_attr(
        not(feature = "gcp"),
        allow(dead_code, reason = "only Google Cloud has notifications without a name")
    )]
    ListMatchInsert,
    /// A document that others write too is read again after the write.
    ReadBack,
    /// A policy is written with the etag of the one that was read.
    #[cfg_attr(
        not(feature = "gcp"),
        allow(dead_code, reason = "only Google Cloud has policies with an etag")
    )]
    EtagLoop,
    /// An answer to a deletion of many objects is read object by object.
    #[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "only S3 deletes many objects in one call"))]
    PerKeyErrors,
    /// Under `--expired` a second trace has to agree with the mark.
    SecondTrace,
}

impl Safeguard {
    /// Whether it is in place.
    #[cfg(not(feature = "ablation"))]
    pub(crate) const fn holds(self) -> bool {
        true
    }

    /// Whether it is in place: unless `WBSTORE_ABLATION` names it.
    #[cfg(feature = "ablation")]
    pub(crate) fn holds(self) -> bool {
        let name = match self {
            Self::MarkInCreatingCall => "mark-in-creating-call",
            Self::SecondDecision => "second-decision",
            Self::ListMatchInsert => "list-match-insert",
            Self::ReadBack => "read-back",
            Self::EtagLoop => "etag-loop",
            Self::PerKeyErrors => "per-key-errors",
            Self::SecondTrace => "second-trace",
        };
        std::env::var("WBSTORE_ABLATION").as_deref() != Ok(name)
    }
}
