//! `BUCKET` and `BUCKET_QUEUE` with `--write`: what `verify --as node` checks, with the credentials of this
//! environment.

use clap::{Args, Command};
use tokio::sync::mpsc::unbounded_channel;

use super::{Lines, Run};
use crate::error::{Error, Kind, Result};
use crate::origin::Origin;
use crate::provider::{CloudOptions, Wanted};
#[cfg(feature = "aws")]
use crate::providers::aws::options::AwsOptions;
#[cfg(feature = "azure")]
use crate::providers::azure::options::AzureOptions;
#[cfg(feature = "gcp")]
use crate::providers::gcp::options::GcpOptions;
#[cfg(feature = "s3")]
use crate::providers::s3::options::S3Options;
use crate::settings::bucket_address::{BucketAddress, Store};
use crate::settings::queue_address::QueueAddress;
use crate::text::clean;
use crate::verify::{Check, Checking, VerifyOptions, failed, inconclusive};

/// The storage that the settings name.
pub(super) struct Storage<'a> {
    pub(super) bucket: &'a BucketAddress,
    pub(super) queue: Option<&'a QueueAddress>,
    pub(super) region: Option<&'a str>,
    pub(super) origin: Option<&'a Origin>,
}

/// Verifies `storage` as the server uses it.
pub(super) async fn check(storage: &Storage<'_>, run: &Run<'_>, lines: &Lines) {
    let Some(origin) = storage.origin else {
        return lines.add("verify", inconclusive("HOST is not set"));
    };
    let options = match storage.options() {
        Ok(options) => options,
        Err(reason) => return lines.add("verify", inconclusive(reason)),
    };
    // The probes are deleted when the time is over, too.
    let stop = run.cancel.child_token();
    let verify = VerifyOptions {
        is_team: false,
        origins: origin.clone().into(),
        event_within: run.deadline.left(),
        absent: vec![],
        cancel: stop.clone(),
    };
    let wanted = Wanted { origins: Some(origin.clone().into()), ..Wanted::named(origin.slug()) };
    let (sender, mut receiver) = unbounded_channel();
    let verified = async {
        let verifying = options.verify_as_node(wanted, &verify, sender);
        tokio::pin!(verifying);
        tokio::select! {
            outcome = &mut verifying => outcome,
            () = tokio::time::sleep(run.deadline.left()) => {
                stop.cancel();
                verifying.await
            }
        }
    };
    let forwarded = async {
        while let Some(checking) = receiver.recv().await {
            if let Checking::Known(Check { name, verdict }) = checking {
                lines.add(&name, verdict);
            }
        }
    };
    let (outcome, ()) = futures::join!(verified, forwarded);
    if let Err(error) = outcome {
        lines.add("verify", verdict(&error, run));
    }
}

fn verdict(error: &Error, run: &Run<'_>) -> crate::verify::Verdict {
    match error.kind() {
        Kind::Credentials => inconclusive(format!("not checked: {}", error.chain())),
        Kind::Interrupted => {
            inconclusive(format!("timed out after {} s waiting for verify", run.deadline.within().as_secs()))
        }
        _ => failed(error.chain(), error.what_next().unwrap_or("run `wbstore verify` for this storage")),
    }
}

impl Storage<'_> {
    /// The options of the cloud, as they would be typed.
    ///
    /// # Errors
    /// Why there are none, as a fragment.
    fn options(&self) -> Result<Box<dyn CloudOptions>, String> {
        let Self { bucket, queue, .. } = self;
        #[cfg(feature = "s3")]
        if let Store::S3Compatible(endpoint) | Store::CoreWeave(endpoint) = &bucket.store {
            let options = S3Options::of_server(bucket, endpoint);
            return match options {
                Ok(options) => Ok(Box::new(options)),
                Err(error) => Err(format!("not checked: {}", error.chain())),
            };
        }
        if bucket.keys.is_some() {
            return Err("not checked: BUCKET has keys of its own, and verify uses those of this environment"
                .to_owned());
        }
        #[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
        let name = bucket.bucket.as_str();
        match (&bucket.store, queue) {
            #[cfg(feature = "aws")]
            (Store::S3, None | Some(QueueAddress::Internal | QueueAddress::Sqs { .. })) => {
                let queue = match queue {
                    Some(QueueAddress::Sqs { name }) => name,
                    _ => "internal",
                };
                let region = bucket.region.as_deref().or(self.region);
                let region = region.map(|region| ["--region", region]);
                let arguments = ["--bucket", name, "--queue", queue].into_iter();
                read::<AwsOptions>(arguments.chain(region.into_iter().flatten()))
            }
            #[cfg(feature = "gcp")]
            (Store::Gcs, None | Some(QueueAddress::Internal)) => {
                read::<GcpOptions>(["--bucket", name, "--queue", "internal"])
            }
            #[cfg(feature = "gcp")]
            (Store::Gcs, Some(QueueAddress::PubSub { project, topic, subscription })) => {
                read::<GcpOptions>([
                    "--bucket",
                    name,
                    "--project",
                    project,
                    "--topic",
                    topic,
                    "--subscription",
                    subscription,
                ])
            }
            #[cfg(feature = "azure")]
            (Store::Azure { account }, None | Some(QueueAddress::Internal)) => {
                read::<AzureOptions>(["--account", account, "--container", name, "--queue", "internal"])
            }
            #[cfg(feature = "azure")]
            (Store::Azure { account }, Some(QueueAddress::Azure { account: other, queue }))
                if account == other =>
            {
                read::<AzureOptions>(["--account", account, "--container", name, "--queue", queue])
            }
            #[cfg(not(feature = "s3"))]
            (Store::S3Compatible(_) | Store::CoreWeave(_), _) => {
                Err("not checked: this build has no support for S3-compatible stores".to_owned())
            }
            _ => Err("not checked: BUCKET and BUCKET_QUEUE are of different clouds or accounts".to_owned()),
        }
    }
}

/// The options `O`, read as from the command line, so that its checks of the names apply.
fn read<'a, O: CloudOptions + Args + 'static>(
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Box<dyn CloudOptions>, String> {
    let command = O::augment_args(Command::new("check").no_binary_name(true));
    let read = command.try_get_matches_from(arguments).and_then(|matches| O::from_arg_matches(&matches));
    match read {
        Ok(options) => Ok(Box::new(options)),
        Err(error) => {
            Err(format!("not checked: {}", clean(error.to_string().lines().next().unwrap_or_default())))
        }
    }
}
