//! `GORILLA_SUPPORTED_FILE_STORES`: the buckets that teams may have. W&B's page shows one address, or `cw://` alone for
//! all of CoreWeave; that several have commas between them, as in the server's other lists, is an inference.

use super::bucket_address::BucketAddress;
use super::malformed::{Flaw, Grammar, Warning};

/// The whole value that offers CoreWeave for teams.
pub(crate) const COREWEAVE: &str = "cw://";

/// What may follow a comma, which a key could hold too.
const SCHEMES: [&str; 6] = ["s3://", "gs://", "az://", "cw://", "gcs://", "azure://"];

/// The addresses.
#[derive(Debug)]
pub(crate) struct FileStores {
    masked: Vec<String>,
    warnings: Vec<Warning>,
}

impl Grammar for FileStores {
    fn read(text: &str) -> Result<Self, Flaw> {
        let mut stores = Self { masked: vec![], warnings: vec![] };
        let mut at = 0;
        for address in split(text) {
            if address == COREWEAVE {
                stores.masked.push(address.to_owned());
            } else {
                let read =
                    BucketAddress::read(address).map_err(|flaw| flaw.within(text, at..at + address.len()))?;
                stores.masked.push(read.masked());
                stores.warnings.extend(read.warnings());
            }
            at += address.len() + 1;
        }
        Ok(stores)
    }

    fn masked(&self) -> String {
        self.masked.join(",")
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

/// The addresses in `text`.
fn split(text: &str) -> Vec<&str> {
    let (mut addresses, mut start) = (vec![], 0);
    for (comma, _) in text.match_indices(',') {
        if SCHEMES.iter().any(|scheme| text[comma + 1..].starts_with(scheme)) {
            addresses.push(&text[start..comma]);
            start = comma + 1;
        }
    }
    addresses.push(&text[start..]);
    addresses
}

/// `list` with `address` in it, once.
pub(crate) fn with(list: &str, address: &str) -> String {
    if list.is_empty() || split(list).contains(&address) {
        return if list.is_empty() { address.to_owned() } else { list.to_owned() };
    }
    format!("{list},{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_the_grammar_of_a_bucket() {
        let stores = "s3://s3.eu-west-1.amazonaws.com/a?region=eu-west-1,cw://,az://acme/files";
        assert_eq!(FileStores::parse(stores).unwrap().masked(), stores);
        let keys = "s3://KEY:se%2Fcret@minio.acme.com/a?region=us-east-1&tls=true,gs://b";
        let masked = FileStores::parse(keys).unwrap().masked();
        assert_eq!(masked, "s3://KEY:***@minio.acme.com/a?region=us-east-1&tls=true,gs://b");
        for (bad, column) in [
            ("gs://a,gcs://b", "column 8"),
            ("gs://a,s3://K:S@h/b?region=r?tls=true", "column 29"),
            ("gs://a,s3://K:S@h/b", "column 20"),
        ] {
            let malformed = FileStores::parse(bad).unwrap_err();
            assert!(malformed.to_string().contains(column), "{malformed}");
        }
    }

    #[test]
    fn an_address_is_in_a_list_once() {
        assert_eq!(with("", "gs://a"), "gs://a");
        assert_eq!(with("gs://a", "gs://b"), "gs://a,gs://b");
        assert_eq!(with("gs://a,gs://b", "gs://a"), "gs://a,gs://b");
        // A comma of a key is no separator.
        assert_eq!(split("s3://k:a,b@h/c?region=r,gs://d"), ["s3://k:a,b@h/c?region=r", "gs://d"]);
    }
}
