//! What each encoding looks like, and what it refuses.

use clap::ValueEnum;
use insta::assert_snapshot;

use super::readers::{sh, yaml};
use super::{aws, configuration, encode, output, secret};
use crate::output::{Configuration, Encoded, Encoding};

#[test]
fn env_reads_as_the_guide_has_it() {
    let text = encode(Encoding::Env, aws()).unwrap();
    assert_snapshot!(text, @"
    BUCKET=s3://acme-wandb
    BUCKET_QUEUE=sqs://acme-wandb-events
    AWS_REGION=us-east-1
    ");
    assert_eq!(sh(&text, "BUCKET_QUEUE"), "sqs://acme-wandb-events");
}

#[test]
fn dotenv_quotes_only_what_needs_it() {
    let outputs =
        vec![output("A", "plain"), output("B", "two words"), output("C", "it's"), output("D", "$x")];
    assert_snapshot!(encode(Encoding::Dotenv, outputs).unwrap(), @r#"
    A=plain
    B='two words'
    C="it's"
    D='$x'
    "#);
}

#[test]
fn docker_quotes_nothing() {
    assert_snapshot!(encode(Encoding::Docker, vec![output("A", "two 'words'")]).unwrap(), @"
    A=two 'words'
    ");
}

#[test]
fn json_is_one_object_in_the_order_of_the_provider() {
    assert_snapshot!(encode(Encoding::Json, aws()).unwrap(), @r#"
    {"BUCKET":"s3://acme-wandb","BUCKET_QUEUE":"sqs://acme-wandb-events","AWS_REGION":"us-east-1"}
    "#);
}

#[test]
fn a_secret_can_be_applied() {
    assert_snapshot!(encode(Encoding::K8sSecret, aws()).unwrap(), @r#"
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
    assert_snapshot!(encode(Encoding::Helm, outputs).unwrap(), @r#"
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
    let outputs = vec![output("BUCKET", "s3://acme"), output("BUCKET_QUEUE", "internal://")];
    assert_snapshot!(encode(Encoding::Helm, outputs).unwrap(), @r#"
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
    let azure = vec![output("BUCKET", "az://acmestorage/wandb"), secret("AZURE_STORAGE_KEY", "c2VjcmV0==")];
    let bucket = &yaml(&encode(Encoding::Helm, azure).unwrap())["global"]["bucket"];
    assert_eq!(bucket["provider"].as_str(), Some("az"));
    assert_eq!(bucket["name"].as_str(), Some("acmestorage"));
    assert_eq!(bucket["path"].as_str(), Some("wandb"));
    assert_eq!(bucket["secret"]["secretName"].as_str(), Some("acme-wandb-storage"));
    assert_eq!(bucket["secret"]["accessKeyName"].as_str(), Some("ACCESS_KEY"));
    let gcp = vec![output("BUCKET", "gs://acme")];
    let bucket = &yaml(&encode(Encoding::Helm, gcp).unwrap())["global"]["bucket"];
    assert_eq!(bucket["provider"].as_str(), Some("gcs"));
}

#[test]
fn helm_needs_a_bucket_that_the_chart_knows() {
    for address in ["acme", "s3://", "https://acme"] {
        assert!(encode(Encoding::Helm, vec![output("BUCKET", address)]).is_err(), "{address}");
    }
}

#[test]
fn a_refusal_names_the_variable_and_never_its_value() {
    for encoding in [Encoding::Dotenv, Encoding::Docker] {
        let outputs = vec![secret("AZURE_STORAGE_KEY", "secret\nsecret")];
        let error = encode(encoding, outputs).unwrap_err();
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

/// All that the guide has, with passwords that no URL holds as they are.
fn everything() -> Configuration {
    Configuration {
        namespace: Some("wandb".to_owned()),
        server_version: Some("0.78.0".to_owned()),
        has_settings: true,
        ..configuration(vec![
            output("BUCKET", "s3://acme-wandb"),
            output("BUCKET_QUEUE", "sqs://acme-wandb-events"),
            output("AWS_REGION", "us-east-1"),
            output("HOST", "https://wandb.acme.com"),
            secret("LICENSE", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
            secret("MYSQL", "mysql://wandb:p%40%2Bss@db.acme.com:3306/wandb_local?tls=preferred"),
            secret("REDIS", "redis://:r%2Fs%25@cache.acme.com:6380?tls=true"),
            output("OIDC_ISSUER", "https://acme.okta.com"),
            output("OIDC_CLIENT_ID", "0oa1"),
            output("OIDC_AUTH_METHOD", "pkce"),
            secret("GORILLA_OIDC_SECRET", "oidc-secret"),
            output("SLACK_CLIENT_ID", "1.2"),
            secret("SLACK_SECRET", "slack-secret"),
            output("LOCAL_RESTORE", "false"),
            secret("GORILLA_UNKNOWN", "unknown"),
        ])
    }
}

fn encoded(encoding: Encoding, configuration: &Configuration) -> Encoded {
    crate::output::encode(encoding, configuration, &[]).unwrap()
}

#[test]
fn helm_refers_to_a_secret_that_holds_passwords_as_a_url_does() {
    let Encoded { text, secret, remarks } = encoded(Encoding::Helm, &everything());
    assert_snapshot!(text, @r#"
    # Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
    # --values, or put them under spec.values of your WeightsAndBiases resource.
    #
    # The chart's own BUCKET_QUEUE is internal://, a queue in its Redis, and it points
    # GORILLA_FILE_METADATA_SOURCE of the app and api components there too. The lines under app.env
    # change the environment of the app alone. If messages pile up in the queue, your version of the
    # chart does not read it, and `--queue internal` is the right choice.
    #
    # Not every version of the chart has a reference to a Secret under global.slack, so the secret of the
    # Slack app is referred to under global.extraEnv, which outranks it.
    global:
      host: "https://wandb.acme.com"
      licenseSecret:
        name: "acme-wandb-settings"
        key: "LICENSE"
      mysql:
        host: "db.acme.com"
        port: 3306
        database: "wandb_local"
        user: "wandb"
        passwordSecret:
          name: "acme-wandb-settings"
          passwordKey: "MYSQL_PASSWORD"
      redis:
        host: "cache.acme.com"
        port: 6380
        params:
          tls: "true"
        secret:
          secretName: "acme-wandb-settings"
          secretKey: "REDIS_PASSWORD"
      bucket:
        provider: s3
        name: "acme-wandb"
        path: ""
        region: "us-east-1"
        kmsKey: ""
      auth:
        oidc:
          clientId: "0oa1"
          issuer: "https://acme.okta.com"
          authMethod: "pkce"
          oidcSecret:
            name: "acme-wandb-settings"
            secretKey: "OIDC_SECRET"
      slack:
        clientId: "1.2"
      extraEnv:
        SLACK_SECRET:
          valueFrom:
            secretKeyRef:
              name: "acme-wandb-settings"
              key: "SLACK_SECRET"
        GORILLA_SLACK_SECRET:
          valueFrom:
            secretKeyRef:
              name: "acme-wandb-settings"
              key: "SLACK_SECRET"
        LOCAL_RESTORE: "false"
        GORILLA_UNKNOWN:
          valueFrom:
            secretKeyRef:
              name: "acme-wandb-settings"
              key: "GORILLA_UNKNOWN"
    app:
      env:
        BUCKET_QUEUE: "sqs://acme-wandb-events"
    mysql:
      install: false
    redis:
      install: false
    "#);
    assert_snapshot!(secret.unwrap(), @r#"
    apiVersion: v1
    kind: Secret
    metadata:
      name: "acme-wandb-settings"
      namespace: "wandb"
      labels:
        app.kubernetes.io/managed-by: wbstore
    type: Opaque
    stringData:
      MYSQL_PASSWORD: "p%40%2Bss"
      REDIS_PASSWORD: "r%2Fs%25"
      LICENSE: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
      OIDC_SECRET: "oidc-secret"
      SLACK_SECRET: "slack-secret"
      GORILLA_UNKNOWN: "unknown"
    "#);
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn version_2_refers_to_a_secret_that_holds_passwords_as_they_are() {
    let Encoded { text, secret, remarks } = encoded(Encoding::OperatorV2, &everything());
    assert_snapshot!(text, @r#"
    # A resource for version 2 of W&B's operator, created by wbstore. Apply it after the Secret that it refers to.
    #
    # The operator has no reference to a Secret for the license: spec.wandb.license holds it as it is.
    apiVersion: apps.wandb.com/v2
    kind: WeightsAndBiases
    metadata:
      name: "wandb"
      namespace: "wandb"
      labels:
        app.kubernetes.io/managed-by: wbstore
    spec:
      retentionPolicy:
        onDelete: detach
      wandb:
        hostname: "https://wandb.acme.com"
        version: "0.78.0"
        features: {}
        bucketProxy: false
        oidc:
          clientId:
            name: "acme-wandb-settings"
            key: "OIDC_CLIENT_ID"
          clientSecret:
            name: "acme-wandb-settings"
            key: "GORILLA_OIDC_SECRET"
          issuerUrl:
            name: "acme-wandb-settings"
            key: "OIDC_ISSUER"
          authMethod:
            name: "acme-wandb-settings"
            key: "OIDC_AUTH_METHOD"
        notifications:
          slack:
            clientId:
              name: "acme-wandb-settings"
              key: "SLACK_CLIENT_ID"
            clientSecret:
              name: "acme-wandb-settings"
              key: "SLACK_SECRET"
        legacyOverrides:
          global:
            env:
            - name: "BUCKET_QUEUE"
              value: "sqs://acme-wandb-events"
            - name: "LOCAL_RESTORE"
              value: "false"
            - name: "GORILLA_UNKNOWN"
              valueFrom:
                secretKeyRef:
                  name: "acme-wandb-settings"
                  key: "GORILLA_UNKNOWN"
      mysql:
        default:
          externalMysql:
            host:
              name: "acme-wandb-settings"
              key: "MYSQL_HOST"
            port:
              name: "acme-wandb-settings"
              key: "MYSQL_PORT"
            database:
              name: "acme-wandb-settings"
              key: "MYSQL_DATABASE"
            username:
              name: "acme-wandb-settings"
              key: "MYSQL_USER"
            password:
              name: "acme-wandb-settings"
              key: "MYSQL_PASSWORD"
            tls:
              name: "acme-wandb-settings"
              key: "MYSQL_TLS"
      redis:
        default:
          externalRedis:
            host:
              name: "acme-wandb-settings"
              key: "REDIS_HOST"
            port:
              name: "acme-wandb-settings"
              key: "REDIS_PORT"
            password:
              name: "acme-wandb-settings"
              key: "REDIS_PASSWORD"
            tls:
              name: "acme-wandb-settings"
              key: "REDIS_TLS"
      objectStore:
        default:
          externalObjectStore:
            provider:
              name: "acme-wandb-settings"
              key: "BUCKET_PROVIDER"
            bucket:
              name: "acme-wandb-settings"
              key: "BUCKET_NAME"
            region:
              name: "acme-wandb-settings"
              key: "BUCKET_REGION"
    "#);
    assert_snapshot!(secret.unwrap(), @r#"
    apiVersion: v1
    kind: Secret
    metadata:
      name: "acme-wandb-settings"
      namespace: "wandb"
      labels:
        app.kubernetes.io/managed-by: wbstore
    type: Opaque
    stringData:
      OIDC_CLIENT_ID: "0oa1"
      GORILLA_OIDC_SECRET: "oidc-secret"
      OIDC_ISSUER: "https://acme.okta.com"
      OIDC_AUTH_METHOD: "pkce"
      SLACK_CLIENT_ID: "1.2"
      SLACK_SECRET: "slack-secret"
      GORILLA_UNKNOWN: "unknown"
      MYSQL_HOST: "db.acme.com"
      MYSQL_PORT: "3306"
      MYSQL_DATABASE: "wandb_local"
      MYSQL_USER: "wandb"
      MYSQL_PASSWORD: "p@+ss"
      MYSQL_TLS: "preferred"
      REDIS_HOST: "cache.acme.com"
      REDIS_PORT: "6380"
      REDIS_PASSWORD: "r/s%"
      REDIS_TLS: "true"
      BUCKET_PROVIDER: "s3"
      BUCKET_NAME: "acme-wandb"
      BUCKET_REGION: "us-east-1"
    "#);
    assert!(remarks.iter().any(|remark| remark.contains("spec.wandb.license")), "{remarks:?}");
    let revealed = Configuration { reveals: true, ..everything() };
    assert!(
        encoded(Encoding::OperatorV2, &revealed).text.contains("license: \"eyJhbGciOiJSUzI1NiJ9.e30.c2ln\"")
    );
}

#[test]
fn the_keys_of_a_store_are_referred_to() {
    let store = || {
        configuration(vec![secret(
            "BUCKET",
            "s3://AK:s%2Bk%2F1@minio.acme.com:9000/wandb/files?region=eu-1&tls=true",
        )])
    };
    let Encoded { text, secret, .. } = encoded(Encoding::Helm, &store());
    assert_snapshot!(text, @r#"
    # Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
    # --values, or put them under spec.values of your WeightsAndBiases resource.
    global:
      bucket:
        provider: s3
        name: "minio.acme.com:9000"
        path: "wandb/files?region=eu-1&tls=true"
        region: "eu-1"
        kmsKey: ""
        secret:
          secretName: "acme-wandb-storage"
          accessKeyName: "ACCESS_KEY"
          secretKeyName: "SECRET_KEY"
    "#);
    assert_snapshot!(secret.unwrap(), @r#"
    apiVersion: v1
    kind: Secret
    metadata:
      name: "acme-wandb-storage"
      labels:
        app.kubernetes.io/managed-by: wbstore
    type: Opaque
    stringData:
      ACCESS_KEY: "AK"
      SECRET_KEY: "s%2Bk%2F1"
    "#);
    let version_2 = Configuration {
        host: Some("https://wandb.acme.com".to_owned()),
        server_version: Some("0.78.0".to_owned()),
        ..store()
    };
    let manifest = encoded(Encoding::OperatorV2, &version_2).secret.unwrap();
    let data = &yaml(&manifest)["stringData"];
    for (key, value) in [
        ("BUCKET_PROVIDER", "s3"),
        ("BUCKET_ENDPOINT", "minio.acme.com"),
        ("BUCKET_PORT", "9000"),
        ("BUCKET_NAME", "wandb"),
        ("BUCKET_PATH", "files"),
        ("BUCKET_REGION", "eu-1"),
        ("BUCKET_TLS", "true"),
        ("ACCESS_KEY", "AK"),
        ("SECRET_KEY", "s+k/1"),
    ] {
        assert_eq!(data[key].as_str(), Some(value), "{manifest}");
    }
}

#[test]
fn what_a_form_cannot_hold_is_refused_without_its_value() {
    let cases: &[(Encoding, &str, &str, &str)] = &[
        (Encoding::Helm, "MYSQL", "mysql://u:canary@h/d?tls=true", "always connects with `tls=preferred`"),
        (Encoding::Helm, "MYSQL", "cloudsql://u:canary@p:r:i/d", "the scheme `mysql://` only"),
        (Encoding::Helm, "BUCKET", "gs://a%40b:canary@bucket", "no value for the key of a service account"),
        (Encoding::Helm, "REDIS", "redis://:can@ary@h", "column 13"),
        (Encoding::Helm, "OIDC_ISSUER", "https://acme.okta.com", "without OIDC_CLIENT_ID"),
        (Encoding::OperatorV2, "REDIS", "redis://:canary@h?ttlInSeconds=60", "no field for `ttlInSeconds`"),
        (
            Encoding::OperatorV2,
            "REDIS",
            "redis://:canary@h?tls=true&caCertPath=/ca",
            "`caCertPath` is a path",
        ),
        (Encoding::OperatorV2, "MYSQL", "mysql://u:canary@h/d?tls=custom&ssl-ca=/ca", "`ssl-ca` is a path"),
        (Encoding::OperatorV2, "MYSQL", "cloudsql://u:canary@p:r:i/d", "the scheme `mysql://` only"),
    ];
    for (encoding, name, value, why) in cases {
        let given = Configuration {
            host: Some("https://wandb.acme.com".to_owned()),
            server_version: Some("1".to_owned()),
            ..configuration(vec![secret(name, value)])
        };
        let error = crate::output::encode(*encoding, &given, &[]).unwrap_err();
        let text = format!("{} {:?}", error.chain(), error.what_next());
        assert!(text.contains(why) && text.contains(name) && !text.contains("canary"), "{text}");
        assert!(error.what_next().is_some(), "{text}");
    }
}

#[test]
fn version_2_requires_a_host_and_a_version() {
    let host = Some("https://wandb.acme.com".to_owned());
    let without_version = Configuration { host, ..configuration(aws()) };
    let error = crate::output::encode(Encoding::OperatorV2, &without_version, &[]).unwrap_err();
    assert!(error.what_next().is_some_and(|hint| hint.contains("`--server-version 0.78.0`")));
    let server_version = Some("0.78.0".to_owned());
    let without_host = Configuration { server_version, ..configuration(aws()) };
    let error = crate::output::encode(Encoding::OperatorV2, &without_host, &[]).unwrap_err();
    assert!(error.chain().contains("HOST is not set"), "{}", error.chain());
}

#[test]
fn login_is_what_the_client_accepts() {
    let login = |host: &str| encode(Encoding::Login, vec![output("HOST", host)]);
    assert_snapshot!(login("https://wandb.acme.com/").unwrap(), @r#"
    # In a shell
    wandb login --host=https://wandb.acme.com

    # In Python
    wandb.login(host="https://wandb.acme.com")

    # In the environment of a job; https://wandb.acme.com/authorize shows the key
    export WANDB_BASE_URL=https://wandb.acme.com
    export WANDB_API_KEY=<API-KEY>
    "#);
    assert!(login("https://api.wandb.ai").is_ok());
    for (host, why) in [
        ("https://wandb.ai", "the client refuses"),
        ("https://app.wandb.ai", "the client refuses"),
        ("wandb.acme.com", "has no scheme"),
        ("https://wandb.acme.com/\tx", "contains a space or a control character"),
        ("ftp://wandb.acme.com", "has the scheme"),
    ] {
        let error = login(host).unwrap_err();
        assert!(error.chain().contains(why), "{host}: {}", error.chain());
    }
}
