//! The clouds: one enum, one match.

use crate::error::Result;
use crate::provider::Provider;

#[cfg(feature = "aws")]
pub mod aws;

/// What the user asks for, on one of the clouds.
#[derive(Clone, Debug)]
pub enum Request {
    /// On Amazon Web Services.
    #[cfg(feature = "aws")]
    Aws(aws::Request),
}

impl Request {
    /// Finds the credentials and settles what depends on them.
    ///
    /// # Errors
    /// When there are none, or the request does not fit them.
    pub async fn connect(self) -> Result<Box<dyn Provider>> {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => Ok(Box::new(aws::Aws::connect(request).await?)),
        }
    }

    /// Describes it as it would be in `account`, without asking anybody.
    ///
    /// # Errors
    /// When `account` is none of the cloud's, or the request contradicts itself.
    pub fn offline(self, account: &str) -> Result<Box<dyn Provider>> {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(request) => Ok(Box::new(aws::Aws::offline(request, account.parse()?)?)),
        }
    }
}
