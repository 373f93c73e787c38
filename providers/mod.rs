//! The clouds: one enum, one match.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::provider::{Provider, Wanted};

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "azure")]
pub mod azure;
#[cfg(feature = "gcp")]
pub mod gcp;

#[cfg(not(any(feature = "aws", feature = "azure", feature = "gcp")))]
compile_error!("enable the feature of at least one cloud, such as `aws`");

/// What the user asks for, on one of the clouds.
#[derive(Clone, Debug)]
pub enum Request {
    /// On Amazon Web Services.
    #[cfg(feature = "aws")]
    Aws(aws::Request),
    /// On Google Cloud.
    #[cfg(feature = "gcp")]
    Gcp(gcp::Request),
    /// On Microsoft Azure.
    #[cfg(feature = "azure")]
    Azure(Box<azure::Request>),
}

impl Request {
    /// The cloud, as the command line calls it.
    pub fn cloud(&self) -> &'static str {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(_) => "aws",
            #[cfg(feature = "gcp")]
            Self::Gcp(_) => "gcp",
            #[cfg(feature = "azure")]
            Self::Azure(_) => "azure",
        }
    }

    /// What carries the marks there, in words for people.
    pub fn holdings(&self) -> &'static str {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(_) => "buckets and queues",
            #[cfg(feature = "gcp")]
            Self::Gcp(_) => "buckets, topics and subscriptions",
            #[cfg(feature = "azure")]
            Self::Azure(_) => "storage accounts",
        }
    }

    /// The command that removes the deployment by name, with all that its request names. Only checked names
    /// are in it.
    pub fn teardown_command(&self) -> String {
        let (cloud, name) = (self.cloud(), &self.wanted().name);
        let options = match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => request.names(),
            #[cfg(feature = "gcp")]
            Self::Gcp(request) => request.names(),
            #[cfg(feature = "azure")]
            Self::Azure(request) => request.names(),
        };
        let options: String = options.iter().map(|(option, value)| format!(" {option} {value}")).collect();
        format!("wbstore teardown {cloud} --name {name}{options}").trim_end().to_owned()
    }

    /// What every cloud is told.
    pub fn wanted(&self) -> &Wanted {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => &request.wanted,
            #[cfg(feature = "gcp")]
            Self::Gcp(request) => &request.wanted,
            #[cfg(feature = "azure")]
            Self::Azure(request) => &request.wanted,
        }
    }

    /// With the names that the marks of `deployment` give.
    ///
    /// # Errors
    /// When a mark holds a name that cannot be.
    pub fn with_parts(self, deployment: &Deployment) -> Result<Self> {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => Ok(Self::Aws(request.with_parts(deployment)?)),
            #[cfg(feature = "gcp")]
            Self::Gcp(request) => Ok(Self::Gcp(request.with_parts(deployment)?)),
            #[cfg(feature = "azure")]
            Self::Azure(request) => Ok(Self::Azure(Box::new(request.with_parts(deployment)?))),
        }
    }

    /// Finds the credentials and settles what depends on them.
    ///
    /// # Errors
    /// When there are none, or the request does not fit them.
    pub async fn connect(self) -> Result<Box<dyn Provider>> {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => Ok(Box::new(aws::Aws::connect(request).await?)),
            #[cfg(feature = "gcp")]
            Self::Gcp(request) => Ok(Box::new(gcp::Gcp::connect(request).await?)),
            #[cfg(feature = "azure")]
            Self::Azure(request) => Ok(Box::new(azure::Azure::connect(*request).await?)),
        }
    }

    /// Describes it as it would be in `account`, and sends no request.
    ///
    /// # Errors
    /// When there is no `account` where the cloud cannot do without, when it is none of the cloud's, or
    /// when the request contradicts itself.
    pub async fn offline(self, account: Option<&str>) -> Result<Box<dyn Provider>> {
        if self.wanted().renews_unnamed() {
            return Err(Error::input("--offline cannot read the lease that is to be renewed")
                .hint("add --expires with its time span, such as `--expires 7d`"));
        }
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => {
                let account = required(account, "aws sts get-caller-identity --query Account --output text")?;
                Ok(Box::new(aws::Aws::offline(request, account).await?))
            }
            #[cfg(feature = "gcp")]
            Self::Gcp(request) => {
                let number =
                    required(account, "gcloud projects describe PROJECT --format='value(projectNumber)'")?;
                Ok(Box::new(gcp::Gcp::offline(request, &number)?))
            }
            #[cfg(feature = "azure")]
            Self::Azure(request) => {
                Ok(Box::new(azure::Azure::offline(*request, account.map(parse).transpose()?)?))
            }
        }
    }
}

/// The `account`, which `command` prints.
#[cfg(any(feature = "aws", feature = "gcp"))]
fn required<T: FromStr<Err = Error>>(account: Option<&str>, command: &str) -> Result<T> {
    let missing = || Error::input("--offline requires --account-id").hint(format!("`{command}` prints it"));
    parse(account.ok_or_else(missing)?)
}

fn parse<T: FromStr<Err = Error>>(account: &str) -> Result<T> {
    account.parse().map_err(|error: Error| error.context("--account-id"))
}
