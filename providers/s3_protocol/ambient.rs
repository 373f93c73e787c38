//! What the credential chain of AWS reads, and where endpoints come from (AWS SDKs and Tools Reference Guide, "Settings
//! reference").

use crate::ambient::Ambient;

pub(crate) const AMBIENT: Ambient = Ambient {
    variables: &[
        ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials"),
        ("AWS_PROFILE", "Profile of the configuration and credentials files"),
        ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Other places of these files"),
        ("AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE", "Role to assume, and the file with the token for it"),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "Credentials of the container",
        ),
        ("AWS_EC2_METADATA_DISABLED", "true: no credentials from the metadata service of the machine"),
        ("AWS_REGION, AWS_DEFAULT_REGION", "Region where --region is not given; the first takes precedence"),
        ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_SQS", "Custom endpoints"),
    ],
    files: &[
        ("~/.aws/config", "Profiles, regions, SSO sessions and endpoints"),
        ("~/.aws/credentials", "Credentials of profiles"),
        ("~/.aws/sso/cache", "Tokens of `aws sso login`"),
    ],
};
