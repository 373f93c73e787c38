//! What credentials are read from (Azure Identity documentation, "DefaultAzureCredential").

use crate::ambient::Ambient;

pub(super) const AMBIENT: Ambient = Ambient {
    variables: &[
        ("AZURE_TENANT_ID, AZURE_CLIENT_ID", "Service principal or workload, with one of the next three"),
        ("AZURE_CLIENT_SECRET", "Its secret"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "File with its certificate and key"),
        ("AZURE_FEDERATED_TOKEN_FILE", "File with its federated token"),
        ("AZURE_AUTHORITY_HOST", "Entra ID of another cloud"),
        ("IDENTITY_ENDPOINT, IDENTITY_HEADER", "Managed identity of an app or function"),
        ("AZURE_CONFIG_DIR", "Directory of the configuration of the Azure CLI"),
    ],
    files: &[("~/.azure", "Tokens of `az login`, which the Azure CLI reads")],
};
