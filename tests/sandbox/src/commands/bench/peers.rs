//! What an operator would empty a bucket with instead.

use std::path::PathBuf;
use std::process::Command;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::Cloud as _;
use wbstore_sandbox::synthetic::Synthetic;
use wbstore_sandbox::venv::Requirements;
use wbstore_sandbox::{Error, ran};

use super::measure::MEASURED;

/// Pages of versions, and a call for each thousand of them (boto3 documentation, `Bucket.object_versions`).
const BOTO3: &str = "
import boto3, sys
boto3.resource('s3').Bucket(sys.argv[1]).object_versions.delete()
";

/// A program that deletes all objects of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    S5cmd,
    Boto3,
    Rclone,
    AwsCli,
}

impl Peer {
    pub const ALL: [Self; 4] = [Self::S5cmd, Self::Boto3, Self::Rclone, Self::AwsCli];

    pub fn name(self) -> &'static str {
        match self {
            Self::S5cmd => "s5cmd 2.3.0",
            Self::Boto3 => "boto3 1.43",
            Self::Rclone => "rclone 1.75",
            Self::AwsCli => "AWS CLI 1.46",
        }
    }

    /// The most objects that it deletes in a time one waits for: the AWS CLI sends a request for each.
    pub fn most(self) -> u64 {
        if self == Self::AwsCli { 10_000 } else { 100_000 }
    }

    /// The command that empties the bucket of `aws` at `front`, measured.
    pub fn command(self, aws: &Aws, front: &Synthetic) -> Result<Command, Error> {
        let names = aws.names();
        let bucket = names.last().cloned().unwrap_or_default();
        let python = match self {
            Self::Boto3 => Requirements::BOTO3.python()?,
            _ => Requirements::PEERS.python()?,
        };
        let beside = |name: &str| python.with_file_name(name);
        // A script names the interpreter of the folder that it was installed in, before that was put into place.
        let script = |name: &str| beside(name).display().to_string();
        let (program, arguments): (PathBuf, Vec<String>) = match self {
            Self::S5cmd => {
                let rm =
                    vec![script("s5cmd"), "rm".into(), "--all-versions".into(), format!("s3://{bucket}/*")];
                (python, rm)
            }
            Self::Boto3 => (python, vec!["-c".into(), BOTO3.into(), bucket]),
            Self::Rclone => {
                let remote = format!(":s3,provider=Other,env_auth=true,list_version=2:{bucket}");
                let parallel = ["--checkers=32", "--transfers=32", "--fast-list"].map(str::to_owned);
                (beside("rclone"), [vec!["delete".into(), remote], parallel.to_vec()].concat())
            }
            Self::AwsCli => {
                let options = ["--recursive", "--only-show-errors"].map(str::to_owned);
                let rm = vec![script("aws"), "s3".into(), "rm".into(), format!("s3://{bucket}")];
                (python, [rm, options.to_vec()].concat())
            }
        };
        let mut command = Command::new(MEASURED[0]);
        ran::isolate(&mut command, front.env(aws.env(), aws.proxy()));
        let url = front.env(vec![("url".to_owned(), aws.proxy().url())], aws.proxy());
        let url = url.first().map(|(_, url)| url.clone()).unwrap_or_default();
        // Each has its own name for the endpoint.
        command.envs([("S3_ENDPOINT_URL", &url), ("RCLONE_S3_ENDPOINT", &url), ("AWS_ENDPOINT_URL", &url)]);
        command.args(&MEASURED[1..]).arg(program).args(arguments);
        Ok(command)
    }
}
