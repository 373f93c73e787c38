//! The partitions of AWS and their regions.
//!
//! Source: `data/partitions.json` of botocore 1.43.106, the file from which the SDKs resolve
//! endpoints. Its pseudo-regions (`aws-global` and the like) are left out: no bucket is in one.

/// A part of AWS with accounts, names and ARNs of its own.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Partition {
    /// The second field of its ARNs, such as `aws-cn`.
    pub id: &'static str,
    /// What its host names end with, such as `amazonaws.com.cn`.
    pub dns_suffix: &'static str,
    /// The regions known to this release.
    pub regions: &'static [&'static str],
    /// What a region name of this partition begins with; `-<word>-<number>` follows.
    prefixes: &'static [&'static str],
}

impl Partition {
    /// Whether `name` has the form of a region of this partition: botocore's `regionRegex`, such
    /// as `^(us|eu)\-\w+\-\d+$`, without the upper case and underscore that `\w` lets through, and
    /// with at most two digits.
    pub(super) fn has_form(&self, name: &str) -> bool {
        self.prefixes.iter().any(|prefix| {
            let rest = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
            let Some((word, number)) = rest.and_then(|rest| rest.split_once('-')) else { return false };
            (1..=16).contains(&word.len())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                && (1..=2).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    }
}

/// The commercial partition.
pub(super) static AWS: Partition = Partition {
    id: "aws",
    dns_suffix: "amazonaws.com",
    prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
    regions: &[
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
    ],
};

static CHINA: Partition = Partition {
    id: "aws-cn",
    dns_suffix: "amazonaws.com.cn",
    prefixes: &["cn"],
    regions: &["cn-north-1", "cn-northwest-1"],
};

static GOV_CLOUD: Partition = Partition {
    id: "aws-us-gov",
    dns_suffix: "amazonaws.com",
    prefixes: &["us-gov"],
    regions: &["us-gov-east-1", "us-gov-west-1"],
};

static EUROPEAN_SOVEREIGN: Partition = Partition {
    id: "aws-eusc",
    dns_suffix: "amazonaws.eu",
    prefixes: &["eusc-de"],
    regions: &["eusc-de-east-1"],
};

static ISO: Partition = Partition {
    id: "aws-iso",
    dns_suffix: "c2s.ic.gov",
    prefixes: &["us-iso"],
    regions: &["us-iso-east-1", "us-iso-west-1"],
};

static ISO_B: Partition = Partition {
    id: "aws-iso-b",
    dns_suffix: "sc2s.sgov.gov",
    prefixes: &["us-isob"],
    regions: &["us-isob-east-1", "us-isob-west-1"],
};

static ISO_E: Partition = Partition {
    id: "aws-iso-e",
    dns_suffix: "cloud.adc-e.uk",
    prefixes: &["eu-isoe"],
    regions: &["eu-isoe-west-1"],
};

static ISO_F: Partition = Partition {
    id: "aws-iso-f",
    dns_suffix: "csp.hci.ic.gov",
    prefixes: &["us-isof"],
    regions: &["us-isof-east-1", "us-isof-south-1"],
};

/// Every partition; the commercial one first, so that suggestions prefer it.
pub(super) static PARTITIONS: [&Partition; 8] =
    [&AWS, &CHINA, &GOV_CLOUD, &EUROPEAN_SOVEREIGN, &ISO, &ISO_B, &ISO_E, &ISO_F];
