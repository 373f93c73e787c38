//! The EKS cluster that the server's pods are in.

use std::str::FromStr;

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::names::{Rule, checked_name};

checked_name! {
    /// The name of a cluster (EKS API reference, `CreateCluster`).
    ClusterName,
    what: "EKS cluster",
    form: "the name that `aws eks list-clusters` prints, or its ARN",
    letters: "a-zA-Z0-9_-",
    first: "a-zA-Z0-9",
    last: "a-zA-Z0-9_-",
    length: 1..=100,
    ..Rule::ANY
}

/// A cluster by its name, or by its ARN where it is in another region than the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EksCluster {
    pub name: ClusterName,
    place: Option<(Region, AccountId)>,
}

impl EksCluster {
    /// The region of the cluster; without an ARN that of the bucket.
    pub(super) fn region<'a>(&'a self, bucket: &'a Region) -> &'a Region {
        self.place.as_ref().map_or(bucket, |(region, _)| region)
    }

    /// The ARN of the cluster, whose role is in `account`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a cluster of another account: the role of an association is
    /// one of its own (EKS API reference, `CreatePodIdentityAssociation`).
    pub(super) fn arn(&self, account: &AccountId, bucket: &Region) -> Result<String> {
        let region = self.region(bucket);
        match &self.place {
            Some((_, other)) if other != account => {
                Err(Error::input(format!("the cluster is in account {other}, but the role in {account}"))
                    .hint("name a cluster in the account of the role, or use `--trust irsa`"))
            }
            _ => Ok(format!("arn:{}:eks:{region}:{account}:cluster/{}", region.partition().id, self.name)),
        }
    }
}

impl FromStr for EksCluster {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let fields: Vec<&str> = input.splitn(6, ':').collect();
        let ["arn", partition, "eks", region, account, resource] = fields[..] else {
            return Ok(Self { name: input.parse()?, place: None });
        };
        let region: Region = region.parse().map_err(|error: Error| error.context("EKS cluster"))?;
        let account: AccountId = account.parse().map_err(|error: Error| error.context("EKS cluster"))?;
        match resource.strip_prefix("cluster/") {
            Some(name) if partition == region.partition().id => {
                Ok(Self { name: name.parse()?, place: Some((region, account)) })
            }
            _ => Err(Error::input("the ARN is not that of an EKS cluster").hint(
                "use the one that `aws eks describe-cluster --name CLUSTER --query cluster.arn --output text` prints",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn a_cluster_has_a_name_that_eks_accepts() {
        obeys(
            &ClusterName::RULE,
            &["prod", "Prod_1-a", &"c".repeat(100)],
            &[
                ("", "the EKS cluster is empty", "use the name"),
                ("-prod", "begins with `-`", "use `prod`"),
                ("a b", "contains ` ` at position 2", "use `a-b`"),
                (&"c".repeat(101), "has 101 characters", "use the name"),
            ],
        );
    }

    #[test]
    fn an_arn_has_the_region_and_the_account() {
        let account: AccountId = "123456789012".parse().unwrap();
        let bucket = Region::us_east_1();
        let named: EksCluster = "prod".parse().unwrap();
        assert_eq!(named.arn(&account, &bucket).unwrap(), "arn:aws:eks:us-east-1:123456789012:cluster/prod");
        let arn = "arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod";
        let cluster: EksCluster = arn.parse().unwrap();
        assert_eq!(cluster.arn(&account, &bucket).unwrap(), arn);
        assert_eq!(cluster.region(&bucket).as_str(), "cn-north-1");
        let other = cluster.arn(&"210987654321".parse().unwrap(), &bucket).unwrap_err();
        assert!(other.what_next().is_some(), "{other:?}");
        for bad in [
            "arn:aws:eks:cn-north-1:123456789012:cluster/prod",
            "arn:aws:eks:us-east-1:123456789012:nodegroup/prod",
            "arn:aws:eks:us-east-1:1:cluster/prod",
            "arn:aws:s3:::prod",
        ] {
            assert!(bad.parse::<EksCluster>().unwrap_err().what_next().is_some(), "{bad}");
        }
    }
}
