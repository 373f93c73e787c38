//! Regions, the partitions they belong to, and the ARNs that follow from both.

use std::str::FromStr;

use super::account::AccountId;
use super::bucket_name::BucketName;
use super::queue_name::QueueName;
use crate::error::{Error, Result};
use crate::listed::Listed;
use crate::value::{quoted, text_value};

/// A region whose name has the form of one, and with it the partition. Whether it exists shows when it is
/// used: every region has names in DNS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Region {
    text: String,
}

text_value!(Region);

/// A part of AWS with accounts, names and ARNs of its own.
pub(crate) struct Partition {
    /// What the names of its regions begin with.
    prefix: &'static str,
    /// The second field of its ARNs, such as `aws-cn`.
    pub id: &'static str,
    /// What its host names end with, such as `amazonaws.com.cn`.
    pub dns_suffix: &'static str,
}

const fn partition(prefix: &'static str, id: &'static str, dns_suffix: &'static str) -> Partition {
    Partition { prefix, id, dns_suffix }
}

/// By the beginnings of their regions' names (botocore 1.43.106, `data/partitions.json`, `regionRegex`).
/// The commercial one has the regions that no other has.
static PARTITIONS: [Partition; 8] = [
    partition("cn-", "aws-cn", "amazonaws.com.cn"),
    partition("us-gov-", "aws-us-gov", "amazonaws.com"),
    partition("eusc-", "aws-eusc", "amazonaws.eu"),
    partition("us-iso-", "aws-iso", "c2s.ic.gov"),
    partition("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    partition("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    partition("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    partition("", "aws", "amazonaws.com"),
];

/// From the same file.
pub(super) const REGIONS: Listed = Listed {
    what: "AWS region",
    names: "us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-northeast-1 \
            ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 \
            ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 \
            eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 \
            me-central-1 me-south-1 mx-central-1 sa-east-1 cn-north-1 cn-northwest-1 us-gov-east-1 \
            us-gov-west-1 eusc-de-east-1 us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1 \
            eu-isoe-west-1 us-isof-east-1 us-isof-south-1",
    see: "`aws account list-regions` for the regions, such as `us-east-1` or `eu-central-1`",
};

impl Region {
    /// `us-east-1`, the region that S3 means where it names none.
    pub(crate) fn us_east_1() -> Self {
        Self { text: "us-east-1".to_owned() }
    }

    /// What `CreateBucket` requires as `LocationConstraint`: nothing in `us-east-1`, where it rejects
    /// the region's own name, and the name everywhere else.
    pub(crate) fn location_constraint(&self) -> Option<&str> {
        (self.text != "us-east-1").then_some(&self.text)
    }

    pub(super) fn partition(&self) -> &'static Partition {
        PARTITIONS.iter().find(|one| self.text.starts_with(one.prefix)).unwrap_or(&PARTITIONS[7])
    }

    /// The ARN of a bucket. It names no region and no account, but the partition.
    pub(crate) fn bucket_arn(&self, bucket: &BucketName) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition().id)
    }

    /// The ARN of a queue in this region.
    pub(crate) fn queue_arn(&self, account: &AccountId, queue: &QueueName) -> String {
        format!("arn:{}:sqs:{self}:{account}:{queue}", self.partition().id)
    }
}

impl FromStr for Region {
    type Err = Error;

    /// Words in lower case, of which the first has two to four letters, and a number of at most two digits.
    fn from_str(input: &str) -> Result<Self> {
        let word = |text: &&str| {
            (1..=16).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let fits = match input.split('-').collect::<Vec<_>>()[..] {
            [area, ref words @ .., number] => {
                (2..=4).contains(&area.len())
                    && area.bytes().all(|b| b.is_ascii_lowercase())
                    && (1..=2).contains(&words.len())
                    && words.iter().all(word)
                    && (1..=2).contains(&number.len())
                    && number.bytes().all(|b| b.is_ascii_digit())
            }
            _ => false,
        };
        if fits {
            return Ok(Self { text: input.to_owned() });
        }
        Err(Error::input(format!("{} is not an AWS region", quoted(input))).hint(REGIONS.hint(input)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region(name: &str) -> Region {
        name.parse().unwrap()
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
            ("zz-central-1", "aws", "amazonaws.com"),
        ] {
            let partition = region(name).partition();
            assert_eq!((partition.id, partition.dns_suffix), (id, dns_suffix), "{name}");
        }
        for name in REGIONS.names.split_whitespace() {
            assert_eq!(region(name).as_str(), name);
        }
    }

    #[test]
    fn malformed_regions_are_rejected_with_a_suggestion() {
        const SEE: &str = "see `aws account list-regions`";
        for (bad, hint) in [
            ("", SEE),
            ("*", SEE),
            ("mars", SEE),
            ("US-EAST-1", "did you mean `us-east-1`?"),
            ("us_east_1", "did you mean `us-east-1`?"),
            ("us-east-1a", "did you mean `us-east-1`?"),
            ("useast1", "did you mean `us-east-1`?"),
            ("aws-global", SEE),
            ("us-east-", "did you mean `us-east-1`?"),
            ("us--1", SEE),
            ("us-east-1.evil.example", SEE),
            ("eu-central-1\n", "did you mean `eu-central-1`?"),
        ] {
            let error = bad.parse::<Region>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is not an AWS region", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad:?}: {error:?}");
        }
    }

    #[test]
    fn location_constraints_are_those_of_s3() {
        assert_eq!(region("us-east-1").location_constraint(), None);
        assert_eq!(region("eu-west-1").location_constraint(), Some("eu-west-1"));
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
        fn what_is_accepted_can_be_part_of_a_host_name(input in "[a-z]{2,4}-[a-z0-9_.-]{0,20}-[0-9]{0,3}|\\PC*") {
            if let Ok(region) = input.parse::<Region>() {
                prop_assert!(region.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }
    }
}
