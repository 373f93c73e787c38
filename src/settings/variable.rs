//! The variables that W&B's documentation names.

use crate::names::nearest;

/// Whether the value of a variable is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Public,
    Secret,
    /// A URL, which is a secret where it holds a password or a key.
    Url,
}

macro_rules! variables {
    ($($variable:ident $name:literal $secrecy:ident,)*) => {
        /// A variable of the published guide ("Configuration as code"), of its successor
        /// (docs.wandb.ai/platform/hosting/env-vars), or of the page on access management
        /// (docs.wandb.ai/platform/hosting/iam/advanced_env_vars).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Variable { $($variable,)* }

        impl Variable {
            pub(crate) const ALL: &[Self] = &[$(Self::$variable,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variable => $name,)* }
            }

            pub(crate) fn secrecy(self) -> Secrecy {
                match self { $(Self::$variable => Secrecy::$secrecy,)* }
            }
        }
    };
}

variables! {
    License "LICENSE" Secret,
    Mysql "MYSQL" Url,
    Bucket "BUCKET" Url,
    BucketQueue "BUCKET_QUEUE" Public,
    NotificationsQueue "NOTIFICATIONS_QUEUE" Public,
    AwsRegion "AWS_REGION" Public,
    AwsS3KmsId "AWS_S3_KMS_ID" Public,
    Host "HOST" Public,
    OidcIssuer "OIDC_ISSUER" Public,
    OidcClientId "OIDC_CLIENT_ID" Public,
    OidcAuthMethod "OIDC_AUTH_METHOD" Public,
    GorillaOidcSecret "GORILLA_OIDC_SECRET" Secret,
    SlackClientId "SLACK_CLIENT_ID" Public,
    SlackSecret "SLACK_SECRET" Secret,
    LocalRestore "LOCAL_RESTORE" Public,
    Redis "REDIS" Url,
    LoggingEnabled "LOGGING_ENABLED" Public,
    AzureStorageKey "AZURE_STORAGE_KEY" Secret,
    GorillaSupportedFileStores "GORILLA_SUPPORTED_FILE_STORES" Url,
    GorillaAllowUserTeamCreation "GORILLA_ALLOW_USER_TEAM_CREATION" Public,
    GorillaCustomerSecretStoreSource "GORILLA_CUSTOMER_SECRET_STORE_SOURCE" Public,
    GorillaDataRetentionPeriod "GORILLA_DATA_RETENTION_PERIOD" Public,
    GorillaDisablePersonalEntity "GORILLA_DISABLE_PERSONAL_ENTITY" Public,
    GorillaDisableAdminTeamAccess "GORILLA_DISABLE_ADMIN_TEAM_ACCESS" Public,
    GorillaArtifactGcEnabled "GORILLA_ARTIFACT_GC_ENABLED" Public,
    GorillaEnableSsoGroupClaims "GORILLA_ENABLE_SSO_GROUP_CLAIMS" Public,
    GorillaLdapGroupSync "GORILLA_LDAP_GROUP_SYNC" Public,
    GorillaOidcCustomScopes "GORILLA_OIDC_CUSTOM_SCOPES" Public,
    GorillaUseIdentifierClaims "GORILLA_USE_IDENTIFIER_CLAIMS" Public,
    DisableSsoProvisioning "DISABLE_SSO_PROVISIONING" Public,
    SessionLength "SESSION_LENGTH" Public,
    EnableRegistryUi "ENABLE_REGISTRY_UI" Public,
}

impl Variable {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name() == name)
    }

    /// The variable that `name` may be a misspelling of.
    pub(crate) fn nearest(name: &str) -> Option<Self> {
        nearest(name, Self::ALL.iter().map(|variable| variable.name())).and_then(Self::named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_has_a_nearest_name() {
        for (typed, meant) in [
            ("REDIS_URL", Some(Variable::Redis)),
            ("LICENCE", Some(Variable::License)),
            ("redis", Some(Variable::Redis)),
            ("OIDC_SECRET", Some(Variable::GorillaOidcSecret)),
            ("MYSQL_URL", Some(Variable::Mysql)),
            ("BUCKETQUEUE", Some(Variable::BucketQueue)),
            ("XYZZY", None),
        ] {
            assert_eq!(Variable::nearest(typed), meant, "{typed}");
        }
    }

    #[test]
    fn each_name_is_there_once() {
        for variable in Variable::ALL {
            assert_eq!(Variable::named(variable.name()), Some(*variable));
        }
    }
}
