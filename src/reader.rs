//! Who may use the bucket of a team, and the principals that W&B publishes for its own clouds.
//!
//! The principals and what they need are those of W&B's page "Bring your own bucket (BYOB)" (wandb/docs,
//! platform/hosting/data-security/secure-storage-connector.mdx, commit 038eac9).

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::origins::Origins;
use crate::provider::Wanted;
use crate::value::quoted;
use crate::verify::{Check, Verdict, inconclusive};

/// The variable of the server with the addresses of all buckets that teams may have.
pub(crate) const FILE_STORES: &str = "GORILLA_SUPPORTED_FILE_STORES";

/// Who may use the bucket of a team; `P` is how the cloud names somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reader<P> {
    /// The server of this deployment.
    #[default]
    SelfManaged,
    /// W&B's Dedicated Cloud.
    Dedicated,
    /// W&B's Multi-tenant Cloud.
    MultiTenant,
    Named(P),
}

/// The principals of W&B's clouds on one storage provider.
pub(crate) struct Published {
    pub dedicated: &'static str,
    pub multi_tenant: &'static str,
}

#[cfg(feature = "aws")]
pub(crate) const AWS: Published = Published {
    dedicated: "arn:aws:iam::830241207209:root",
    multi_tenant: "arn:aws:iam::725579432336:role/WandbIntegration",
};

#[cfg(feature = "gcp")]
pub(crate) const GCP: Published = Published {
    dedicated: "deploy@wandb-production.iam.gserviceaccount.com",
    multi_tenant: "wandb-integration@wandb-production.iam.gserviceaccount.com",
};

/// A self-managed server uses the principal of the Dedicated Cloud, with its own customer namespace.
#[cfg(feature = "s3")]
pub(crate) const COREWEAVE: Published = Published {
    dedicated: "arn:aws:iam::wandb:static/wandb-integration",
    multi_tenant: "arn:aws:iam::wandb:static/wandb-integration-public",
};

/// What a reader does with the bucket and its objects, on AWS and CoreWeave.
#[cfg(any(feature = "aws", feature = "s3"))]
pub(crate) const S3_ACTIONS: [&str; 11] = [
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetObject*",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutObject",
];

/// What a reader does with the key of the bucket on AWS.
#[cfg(feature = "aws")]
pub(crate) const KMS_ACTIONS: [&str; 5] =
    ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];

impl<P> Reader<P> {
    /// The principal, where one is named.
    pub(crate) fn named(&self) -> Option<&P> {
        match self {
            Self::Named(principal) => Some(principal),
            Self::SelfManaged | Self::Dedicated | Self::MultiTenant => None,
        }
    }

    /// The check of what only `principal` itself could prove; `node` is the command that proves it with the
    /// credentials of a server.
    pub(crate) fn unproved(&self, principal: &str, node: &str) -> Check {
        let why = match self {
            Self::SelfManaged => format!("only {principal} can prove it: run `{node}` where the server runs"),
            _ => format!("only {principal} can prove it"),
        };
        let verdict = inconclusive(format!("{why}; {DIALOG}"));
        Check { name: "access of the reader".to_owned(), verdict }
    }

    /// The steps that are left before the team can be created, one sentence each.
    pub(crate) fn next_steps(&self) -> Vec<String> {
        let address = match self {
            Self::SelfManaged | Self::Named(_) => {
                "GORILLA_SUPPORTED_FILE_STORES holds the addresses of all team buckets, with commas between them (W&B \
                 documents one address only), and the server reads it when it starts: set it and restart the server, \
                 then create the team"
            }
            Self::Dedicated => {
                "W&B's account team has to add the address to GORILLA_SUPPORTED_FILE_STORES of your instance before you \
                 create the team"
            }
            Self::MultiTenant => {
                "the Multi-tenant Cloud has no variable to set: enter the bucket where you create the team"
            }
        };
        [address, "the storage of a team cannot be changed once the team is created in W&B"]
            .map(str::to_owned)
            .to_vec()
    }
}

/// What W&B's dialog shows where a bucket cannot be used.
const DIALOG: &str = "where W&B cannot access the bucket, or finds an invalid setting, its dialog shows an error or a \
                      warning at the bottom of the page instead of creating the team";

impl<P: FromStr<Err = Error>> FromStr for Reader<P> {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match input {
            "self-managed" => Ok(Self::SelfManaged),
            "dedicated" => Ok(Self::Dedicated),
            "multi-tenant" => Ok(Self::MultiTenant),
            principal => principal.parse().map(Self::Named).map_err(|error| {
                // A word is a misspelling of one of the three.
                if principal.contains([':', '@', '/', '.']) {
                    return error;
                }
                Error::input(format!("{} is no reader of a team's bucket", quoted(principal)))
                    .hint("use `self-managed`, `dedicated` or `multi-tenant`, or name the principal in full")
            }),
        }
    }
}

impl<P: fmt::Display> Reader<P> {
    /// The refusal of `option`, which names the identity of a server that is not this reader.
    #[cfg(any(feature = "aws", feature = "gcp"))]
    pub(crate) fn without(&self, option: &str) -> Error {
        Error::input(format!("{option} has no effect with --reader {self}")).hint("omit one of the two")
    }
}

impl<P: fmt::Display> fmt::Display for Reader<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfManaged => f.write_str("self-managed"),
            Self::Dedicated => f.write_str("dedicated"),
            Self::MultiTenant => f.write_str("multi-tenant"),
            Self::Named(principal) => principal.fmt(f),
        }
    }
}

/// The command with which a server proves its access to the bucket of `wanted`, with what its environment does not say.
pub(crate) fn node_command(cloud: &str, wanted: &Wanted, more: &str) -> String {
    let host = wanted.origins.iter().flat_map(Origins::iter).map(|origin| format!(" --host {origin}"));
    let team = wanted.name.team.iter().map(|team| format!(" --team {team}"));
    let name = wanted.origins.as_ref().is_none_or(|origins| origins.first().slug() != wanted.name.deployment);
    let name = name.then(|| format!(" --name {}", wanted.name.deployment));
    let where_and_who: String = host.chain(name).chain(team).collect();
    format!("wbstore verify {cloud}{where_and_who} --as node{more}")
}

/// The check that the bucket's own settings let the reader in.
pub(crate) fn permitted(verdict: Verdict) -> Check {
    Check { name: "permissions of the reader".to_owned(), verdict }
}

/// The refusal where the server's own identity is to be the reader and is not named; `option` names it.
pub(crate) fn unnamed(option: &str) -> Error {
    Error::input("a team's bucket requires the identity of the server that uses it").hint(format!(
        "add `{option}`, or `--reader dedicated` or `--reader multi-tenant` for a server that W&B runs"
    ))
}
