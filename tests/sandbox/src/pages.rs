//! What a browser test needs of a cloud: its CORS document and its signed URLs, both by other hands than
//! wbstore's.

use std::collections::BTreeMap;

use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::azure::Azure;
use crate::browser::Urls;
use crate::cloud::{Cloud, NAME};
use crate::dialect::azure::BLOB;
use crate::gcp::Gcp;

/// A CORS rule, whatever the cloud's spelling of it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The origins that it is for.
    pub origin: String,
    /// Its methods.
    pub methods: &'static [&'static str],
    /// The headers that it exposes.
    pub exposed: &'static [&'static str],
}

impl Rule {
    fn written(&self, names: [&str; 3]) -> Value {
        let Self { origin, methods, exposed } = self;
        json!({ names[0]: [origin], names[1]: methods, names[2]: exposed })
    }
}

/// A cloud whose bucket pages of other origins use.
pub trait Pages: Cloud {
    /// Puts these rules in place of all that the document holds.
    fn set_cors(&self, rules: &[Rule]) -> impl Future<Output = ()> + Send;

    /// Signed URLs for an object of the deployment's bucket.
    fn signed_urls(&self, key: &str) -> impl Future<Output = Urls> + Send;
}

/// The name that `--bucket` gives.
fn bucket<C: Cloud>(cloud: &C) -> String {
    cloud.names().pop().expect("a bucket has a name")
}

impl Pages for Aws {
    async fn set_cors(&self, rules: &[Rule]) {
        let list = |element: &str, words: &[&str]| -> String {
            words.iter().map(|word| format!("<{element}>{word}</{element}>")).collect()
        };
        let rules: String = rules
            .iter()
            .map(|Rule { origin, methods, exposed }| {
                format!(
                    "<CORSRule><AllowedOrigin>{origin}</AllowedOrigin>{}<AllowedHeader>*</AllowedHeader>{}\
                     </CORSRule>",
                    list("AllowedMethod", methods),
                    list("ExposeHeader", exposed)
                )
            })
            .collect();
        let bucket = bucket(self);
        let document = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
        let reply = self.s3(Method::PUT, &format!("/{bucket}?cors"), document).await;
        assert!(reply.status().is_success(), "{reply:?}");
    }

    async fn signed_urls(&self, key: &str) -> Urls {
        let bucket = bucket(self);
        let script = format!(
            "s3 = boto3.client('s3')\n\
             print(json.dumps([s3.generate_presigned_url(call, {{'Bucket': '{bucket}', 'Key': '{key}'}})\n\
             \x20   for call in ('put_object', 'head_object', 'get_object')]))"
        );
        let ran = self.python(&script).await;
        let [put, head, get] =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        Urls { put, head, get, headers: BTreeMap::new() }
    }
}

impl Pages for Gcp {
    async fn set_cors(&self, rules: &[Rule]) {
        let entries: Vec<_> = rules
            .iter()
            .map(|rule| {
                let mut entry = rule.written(["origin", "method", "responseHeader"]);
                // One list is for what a page may send and for what it may read.
                entry["responseHeader"].as_array_mut().expect("a list").push("Content-Type".into());
                entry
            })
            .collect();
        let bucket = bucket(self);
        self.control().ask("PATCH", &format!("/storage/v1/b/{bucket}"), json!({ "cors": entries })).await;
    }

    async fn signed_urls(&self, key: &str) -> Urls {
        let bucket = bucket(self);
        let signed =
            |method| self.double().signed_url(method, &self.proxy().url(), &format!("/{bucket}/{key}"));
        Urls { put: signed("PUT"), head: signed("HEAD"), get: signed("GET"), headers: BTreeMap::new() }
    }
}

impl Pages for Azure {
    async fn set_cors(&self, rules: &[Rule]) {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                let mut written = rule.written(["allowedOrigins", "allowedMethods", "exposedHeaders"]);
                written["allowedHeaders"] = json!(["*"]);
                written["maxAgeInSeconds"] = json!(3000);
                written
            })
            .collect();
        self.double().plant_cors(self.account(), &rules).await.expect("the double takes them");
    }

    async fn signed_urls(&self, key: &str) -> Urls {
        let container = format!("wbstore-{NAME}");
        let end = Timestamp::now() + SignedDuration::from_mins(10);
        let token = self.double().container_sas(self.account(), &container, "rcw", end);
        let url = format!("{}/{}/{container}/{key}?{token}", self.proxy().url_of(BLOB), self.account());
        let headers = BTreeMap::from([("x-ms-blob-type", "BlockBlob")]);
        Urls { put: url.clone(), head: url.clone(), get: url, headers }
    }
}
