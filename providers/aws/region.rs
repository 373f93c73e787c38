//! Regions, the partitions they belong to, and the ARNs that follow from both.

use std::str::FromStr;

use super::account::AccountId;
use super::bucket_name::BucketName;
use super::queue_name::QueueName;
use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

mod table;

pub use table::Partition;
use table::{AWS, PARTITIONS};

/// A region whose name has the form of one, and with it the partition.
///
/// A well-formed name that is not in the table is a `Region` too: AWS opens regions more often
/// than people update their tools. [`require_known`](Self::require_known) tells the two apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    text: String,
    partition: &'static Partition,
}

text_value!(Region);

impl Region {
    /// `us-east-1`, the region that S3 means where it names none.
    pub fn us_east_1() -> Self {
        Self { text: "us-east-1".to_owned(), partition: &AWS }
    }

    /// The region of a bucket, from the `LocationConstraint` that S3 answers with: nothing means
    /// `us-east-1`, and `EU` is what `eu-west-1` once was (S3 API, `GetBucketLocation`).
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when the answer is no region.
    pub fn from_location_constraint(constraint: Option<&str>) -> Result<Self> {
        match constraint {
            None | Some("") => Ok(Self::us_east_1()),
            Some("EU") => "eu-west-1".parse(),
            Some(region) => region.parse(),
        }
    }

    /// What `CreateBucket` wants as `LocationConstraint`: nothing in `us-east-1`, where it refuses
    /// the region's own name, and the name everywhere else.
    pub fn location_constraint(&self) -> Option<&str> {
        (self.text != "us-east-1").then_some(&self.text)
    }

    /// The partition the region belongs to.
    pub fn partition(&self) -> &'static Partition {
        self.partition
    }

    /// Whether the table has this region.
    pub fn is_known(&self) -> bool {
        self.partition.regions.contains(&self.text.as_str())
    }

    /// The known region whose name is nearest to an unknown one; `None` for a known region, and
    /// where nothing is near.
    pub fn did_you_mean(&self) -> Option<&'static str> {
        if self.is_known() { None } else { nearest(&self.text) }
    }

    /// Refuses a region that the table does not have.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), with the nearest known region as the hint.
    pub fn require_known(&self) -> Result<()> {
        if self.is_known() {
            return Ok(());
        }
        Err(Error::input(format!("region {} does not exist", quoted(&self.text)))
            .hint(suggestion(&self.text)))
    }

    /// The ARN of a bucket. It names no region and no account, but the partition.
    pub fn bucket_arn(&self, bucket: &BucketName) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition.id)
    }

    /// The ARN of a queue in this region.
    pub fn queue_arn(&self, account: &AccountId, queue: &QueueName) -> String {
        format!("arn:{}:sqs:{self}:{account}:{queue}", self.partition.id)
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match PARTITIONS.iter().find(|partition| partition.has_form(input)) {
            Some(partition) => Ok(Self { text: input.to_owned(), partition }),
            None => Err(Error::input(format!("{} is no AWS region", quoted(input))).hint(suggestion(input))),
        }
    }
}

fn suggestion(input: &str) -> String {
    match nearest(input) {
        Some(region) => format!("did you mean `{region}`?"),
        None => "use a region such as `us-east-1` or `eu-central-1`".to_owned(),
    }
}

/// The known region nearest to `input`, unless they have little in common.
fn nearest(input: &str) -> Option<&'static str> {
    const ALIKE: f64 = 0.75;
    // No region is longer than 32 characters; the comparison takes time in proportion to both.
    if input.len() > 32 {
        return None;
    }
    let input = input.to_ascii_lowercase().replace(['_', ' '], "-");
    let known = PARTITIONS.iter().flat_map(|partition| partition.regions.iter().copied());
    known
        .map(|region| (strsim::normalized_damerau_levenshtein(&input, region), region))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // The first of equals, so that the answer does not depend on the order of evaluation.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, region)| region)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    #[test]
    fn every_region_of_the_table_is_found_in_its_own_partition() {
        for partition in PARTITIONS {
            for name in partition.regions {
                let region = region(name);
                assert_eq!(region.partition().id, partition.id, "{name}");
                assert!(region.is_known(), "{name}");
                assert_eq!(region.did_you_mean(), None);
            }
        }
    }

    #[test]
    fn partitions_follow_from_the_form_of_the_name() {
        for (name, id, dns_suffix) in [
            ("us-east-1", "aws", "amazonaws.com"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-9", "aws-iso-b", "sc2s.sgov.gov"),
            ("mx-central-7", "aws", "amazonaws.com"),
        ] {
            let partition = region(name).partition();
            assert_eq!((partition.id, partition.dns_suffix), (id, dns_suffix), "{name}");
        }
    }

    #[test]
    fn a_region_that_is_not_in_the_table_is_told_apart() {
        let typo = region("us-eats-1");
        assert!(!typo.is_known());
        assert_eq!(typo.did_you_mean(), Some("us-east-1"));
        let error = typo.require_known().unwrap_err();
        assert_eq!(error.to_string(), "region `us-eats-1` does not exist");
        assert_eq!(error.what_next(), Some("did you mean `us-east-1`?"));
        assert!(region("us-east-1").require_known().is_ok());
    }

    #[test]
    fn malformed_regions_are_refused_with_a_suggestion() {
        for (bad, hint) in [
            ("", "use a region such as `us-east-1` or `eu-central-1`"),
            ("*", "use a region such as `us-east-1` or `eu-central-1`"),
            ("US-EAST-1", "did you mean `us-east-1`?"),
            ("us_east_1", "did you mean `us-east-1`?"),
            ("us-east-1a", "did you mean `us-east-1`?"),
            ("useast1", "did you mean `us-east-1`?"),
            ("aws-global", "use a region such as `us-east-1` or `eu-central-1`"),
            ("us-east-", "did you mean `us-east-1`?"),
            ("us--1", "use a region such as `us-east-1` or `eu-central-1`"),
            ("us-east-1.evil.example", "use a region such as `us-east-1` or `eu-central-1`"),
            ("eu-central-1\n", "did you mean `eu-central-1`?"),
        ] {
            let error = bad.parse::<Region>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is no AWS region", quoted(bad)));
            assert_eq!(error.what_next(), Some(hint), "{bad:?}");
        }
    }

    #[test]
    fn location_constraints_are_those_of_s3() {
        assert_eq!(region("us-east-1").location_constraint(), None);
        assert_eq!(region("eu-west-1").location_constraint(), Some("eu-west-1"));
        for (constraint, name) in [
            (None, "us-east-1"),
            (Some(""), "us-east-1"),
            (Some("EU"), "eu-west-1"),
            (Some("sa-east-1"), "sa-east-1"),
        ] {
            assert_eq!(Region::from_location_constraint(constraint).unwrap().as_str(), name);
        }
    }

    #[test]
    fn arns_carry_the_partition() {
        let account: AccountId = "123456789012".parse().unwrap();
        let bucket: BucketName = "acme-wandb".parse().unwrap();
        let queue: QueueName = "acme-wandb".parse().unwrap();
        assert_eq!(region("eu-west-1").bucket_arn(&bucket), "arn:aws:s3:::acme-wandb");
        assert_eq!(
            region("cn-north-1").queue_arn(&account, &queue),
            "arn:aws-cn:sqs:cn-north-1:123456789012:acme-wandb"
        );
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<Region>();
        }

        #[test]
        fn what_is_accepted_can_be_part_of_a_host_name(input in "[a-z]{2,4}-[a-z0-9_.-]{0,20}-[0-9]{0,3}") {
            if let Ok(region) = input.parse::<Region>() {
                prop_assert!(region.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                let _ = region.did_you_mean();
            }
        }
    }
}
