//! What the application default credentials are read from (AIP-4110), and where endpoints come from.

use crate::ambient::Ambient;

pub(super) const AMBIENT: Ambient = Ambient {
    variables: &[
        ("GOOGLE_APPLICATION_CREDENTIALS", "File with the credentials"),
        ("GOOGLE_CLOUD_QUOTA_PROJECT", "Project that the quota of a user's calls is charged to"),
        ("CLOUDSDK_CONFIG", "Directory of the configuration of gcloud"),
        ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "Universe, where it is not googleapis.com"),
        ("GCE_METADATA_HOST", "Metadata service of the machine"),
        ("STORAGE_EMULATOR_HOST, PUBSUB_EMULATOR_HOST", "Emulators instead of Google Cloud"),
        (
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM, CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS, \
             CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
            "Custom endpoints",
        ),
    ],
    files: &[(
        "~/.config/gcloud/application_default_credentials.json",
        "Credentials of `gcloud auth application-default login`",
    )],
};
