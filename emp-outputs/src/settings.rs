//! What the clouds are told besides the URL: the usual variables, by the names that their own tools use.

use crate::location::scheme;

/// A variable that an output store reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

/// A cloud that keeps files.
pub(crate) struct Cloud {
    scheme: &'static str,
    /// How the names of its variables begin.
    pub(crate) variables: &'static str,
    /// The usual ones.
    pub(crate) settings: &'static [Setting],
}

impl Cloud {
    pub(crate) fn of(scheme: &str) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| cloud.scheme == scheme)
    }
}

const fn secret(name: &'static str, about: &'static str) -> Setting {
    Setting { name, about, secret: true }
}

const fn open(name: &'static str, about: &'static str) -> Setting {
    Setting { name, about, secret: false }
}

static CLOUDS: [Cloud; 3] = [
    Cloud {
        scheme: "s3",
        variables: "AWS_",
        settings: &[
            secret("AWS_ACCESS_KEY_ID", "The id of the key to the bucket of results"),
            secret("AWS_SECRET_ACCESS_KEY", "The key to the bucket of results"),
            secret("AWS_SESSION_TOKEN", "The token of a key to the bucket of results that ends"),
            secret("AWS_TOKEN", "The same, by another name"),
            secret("AWS_SSE_CUSTOMER_KEY_BASE64", "The key that the results are encrypted with"),
            open("AWS_REGION", "The region of the bucket of results"),
            open("AWS_ENDPOINT_URL", "Where the bucket of results is, when it is not at AWS"),
            open("AWS_ALLOW_HTTP", "`true` when the bucket of results is reached without TLS"),
        ],
    },
    Cloud {
        scheme: "gs",
        variables: "GOOGLE_",
        settings: &[
            secret("GOOGLE_SERVICE_ACCOUNT_KEY", "The account that may write the bucket of results, as JSON"),
            secret("GOOGLE_BEARER_TOKEN", "A token that opens the bucket of results"),
            open("GOOGLE_SERVICE_ACCOUNT", "The file of the account that may write the bucket of results"),
            open("GOOGLE_APPLICATION_CREDENTIALS", "The file of the credentials for the bucket of results"),
        ],
    },
    Cloud {
        scheme: "az",
        variables: "AZURE_",
        settings: &[
            open("AZURE_STORAGE_ACCOUNT_NAME", "The account of the container of results"),
            secret("AZURE_STORAGE_ACCOUNT_KEY", "The key to the container of results"),
            secret("AZURE_STORAGE_ACCESS_KEY", "The same, by another name"),
            secret("AZURE_STORAGE_MASTER_KEY", "The same, by another name"),
            secret("AZURE_STORAGE_SAS_KEY", "The signature that opens the container of results"),
            secret("AZURE_STORAGE_SAS_TOKEN", "The same, by another name"),
            secret("AZURE_STORAGE_TOKEN", "A token that opens the container of results"),
            open("AZURE_STORAGE_TENANT_ID", "The tenant of the application that writes the results"),
            open("AZURE_STORAGE_CLIENT_ID", "The application that writes the results"),
            secret("AZURE_STORAGE_CLIENT_SECRET", "The secret of the application that writes the results"),
            secret("AZURE_STORAGE_ENCRYPTION_KEY", "The key that the results are encrypted with"),
            secret("AZURE_FABRIC_SESSION_TOKEN", "The token of a session in Fabric"),
            secret("AZURE_CLIENT_SECRET", "The same, by another name"),
        ],
    },
];

/// The usual variables of a location; none of a directory.
pub fn settings(location: &str) -> &'static [Setting] {
    scheme(location).and_then(Cloud::of).map_or(&[], |cloud| cloud.settings)
}

/// The secrets that some output store reads.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    let all = CLOUDS.iter().flat_map(|cloud| cloud.settings);
    all.filter(|setting| setting.secret).map(|setting| setting.name)
}

#[cfg(test)]
mod tests {
    use object_store::aws::AmazonS3ConfigKey;
    use object_store::azure::AzureConfigKey;
    use object_store::gcp::GoogleConfigKey;

    use super::*;

    #[test]
    fn each_is_a_variable_that_the_store_of_that_cloud_reads() {
        for cloud in &CLOUDS {
            for Setting { name, .. } in cloud.settings {
                let key = name.to_ascii_lowercase();
                let known = match cloud.scheme {
                    "s3" => key.parse::<AmazonS3ConfigKey>().is_ok(),
                    "gs" => key.parse::<GoogleConfigKey>().is_ok(),
                    _ => key.parse::<AzureConfigKey>().is_ok(),
                };
                assert!(known && name.starts_with(cloud.variables), "{name}");
            }
        }
    }
}
