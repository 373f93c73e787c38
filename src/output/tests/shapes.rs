//! What each encoding looks like, and what it refuses.

use clap::ValueEnum;
use insta::assert_snapshot;

use super::readers::{sh, yaml};
use super::{aws, encode, output};
use crate::output::Encoding;

#[test]
fn env_reads_as_the_guide_has_it() {
    let text = encode(Encoding::Env, &aws()).unwrap();
    assert_snapshot!(text, @"
    BUCKET=s3://acme-wandb
    BUCKET_QUEUE=sqs://acme-wandb-events
    AWS_REGION=us-east-1
    ");
    assert_eq!(sh(&text, "BUCKET_QUEUE"), "sqs://acme-wandb-events");
}

#[test]
fn dotenv_quotes_only_what_needs_it() {
    let outputs = [output("A", "plain"), output("B", "two words"), output("C", "it's"), output("D", "$x")];
    assert_snapshot!(encode(Encoding::Dotenv, &outputs).unwrap(), @r#"
    A=plain
    B='two words'
    C="it's"
    D='$x'
    "#);
}

#[test]
fn docker_quotes_nothing() {
    assert_snapshot!(encode(Encoding::Docker, &[output("A", "two 'words'")]).unwrap(), @"
    A=two 'words'
    ");
}

#[test]
fn json_is_one_object_in_the_order_of_the_provider() {
    assert_snapshot!(encode(Encoding::Json, &aws()).unwrap(), @r#"
    {"BUCKET":"s3://acme-wandb","BUCKET_QUEUE":"sqs://acme-wandb-events","AWS_REGION":"us-east-1"}
    "#);
}

#[test]
fn a_secret_can_be_applied() {
    assert_snapshot!(encode(Encoding::K8sSecret, &aws()).unwrap(), @r#"
    apiVersion: v1
    kind: Secret
    metadata:
      name: "acme-wandb-storage"
      labels:
        app.kubernetes.io/managed-by: wbstore
    type: Opaque
    stringData:
      BUCKET: "s3://acme-wandb"
      BUCKET_QUEUE: "sqs://acme-wandb-events"
      AWS_REGION: "us-east-1"
    "#);
}

#[test]
fn helm_names_the_bucket_in_parts_and_the_queue_as_the_app_reads_it() {
    let mut outputs = aws();
    outputs.push(output("AWS_S3_KMS_ID", "arn:aws:kms:us-east-1:123456789012:key/0000"));
    assert_snapshot!(encode(Encoding::Helm, &outputs).unwrap(), @r#"
    # Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
    # --values, or put them under spec.values of your WeightsAndBiases resource.
    #
    # The chart's own BUCKET_QUEUE is internal://, a queue in its Redis, and it points
    # GORILLA_FILE_METADATA_SOURCE of the app and api components there too. The lines under app.env
    # change the environment of the app alone. If messages pile up in the queue, your version of the
    # chart does not read it, and `--queue internal` is the right choice.
    global:
      bucket:
        provider: s3
        name: "acme-wandb"
        path: ""
        region: "us-east-1"
        kmsKey: "arn:aws:kms:us-east-1:123456789012:key/0000"
    app:
      env:
        BUCKET_QUEUE: "sqs://acme-wandb-events"
    "#);
}

#[test]
fn helm_leaves_the_queue_of_the_chart_alone() {
    let outputs = [output("BUCKET", "s3://acme"), output("BUCKET_QUEUE", "internal://")];
    assert_snapshot!(encode(Encoding::Helm, &outputs).unwrap(), @r#"
    # Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
    # --values, or put them under spec.values of your WeightsAndBiases resource.
    global:
      bucket:
        provider: s3
        name: "acme"
        path: ""
        region: ""
        kmsKey: ""
    "#);
}

#[test]
fn helm_takes_the_other_clouds_apart_as_the_chart_puts_them_together() {
    let azure = [output("BUCKET", "az://acmestorage/wandb"), output("AZURE_STORAGE_KEY", "c2VjcmV0==")];
    let bucket = &yaml(&encode(Encoding::Helm, &azure).unwrap())["global"]["bucket"];
    assert_eq!(bucket["provider"].as_str(), Some("az"));
    assert_eq!(bucket["name"].as_str(), Some("acmestorage"));
    assert_eq!(bucket["path"].as_str(), Some("wandb"));
    assert_eq!(bucket["accessKey"].as_str(), Some("c2VjcmV0=="));
    let gcp = [output("BUCKET", "gs://acme")];
    let bucket = &yaml(&encode(Encoding::Helm, &gcp).unwrap())["global"]["bucket"];
    assert_eq!(bucket["provider"].as_str(), Some("gcs"));
}

#[test]
fn helm_needs_a_bucket_that_the_chart_knows() {
    for outputs in [vec![], vec![output("BUCKET", "acme")], vec![output("BUCKET", "s3://")]] {
        assert!(encode(Encoding::Helm, &outputs).is_err(), "{outputs:?}");
    }
}

#[test]
fn a_refusal_names_the_variable_and_never_its_value() {
    let outputs = [output("AZURE_STORAGE_KEY", "secret\nsecret")];
    for encoding in [Encoding::Dotenv, Encoding::Docker] {
        let error = encode(encoding, &outputs).unwrap_err();
        assert!(error.chain().contains("AZURE_STORAGE_KEY"), "{}", error.chain());
        assert!(!error.chain().contains("secret"), "{}", error.chain());
        assert!(error.what_next().is_some());
    }
}

#[test]
fn the_name_is_the_one_of_the_command_line() {
    for encoding in Encoding::value_variants() {
        let value = encoding.to_possible_value().unwrap();
        assert_eq!(value.get_name(), encoding.name());
    }
}
