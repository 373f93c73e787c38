use proptest::prelude::*;
use serde_json::json;

use super::statements::{deny_insecure_bucket, s3_may_send};
use super::*;
use crate::outside;

const SID: &str = "wbstore-acme";

fn ours() -> Value {
    let account = "123456789012";
    s3_may_send(SID, "arn:aws:sqs:us-east-1:123456789012:acme", "arn:aws:s3:::acme", account)
}

/// Text that a JSON library would write differently: spaces, key order, escapes, number spelling.
const FOREIGN: &str = r#"{ "Sid":"theirs", "Resource" : "*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:role\/x"},"Action":["sqs:*"],"x":1.50 }"#;

fn with(statement: &str) -> String {
    format!(r#"{{"Version":"2008-10-17","Id":"their policy","Statement":[{statement}]}}"#)
}

#[test]
fn foreign_statements_survive_to_the_byte() {
    let mut document: PolicyDocument = with(FOREIGN).parse().unwrap();
    assert_eq!(document.to_string(), with(FOREIGN));
    assert!(document.upsert(SID, &ours()).unwrap());
    assert!(document.to_string().starts_with(&with(FOREIGN)[..with(FOREIGN).len() - 2]));
    assert_eq!(document.statements().count(), 2);
    assert!(document.remove(SID));
    assert_eq!(document.to_string(), with(FOREIGN));
    assert!(!document.remove(SID));
}

#[test]
fn what_means_the_same_is_left_alone() {
    // As SQS might return it.
    let stored = r#"{"Version":"2012-10-17","Statement":{"Sid":"wbstore-acme","Effect":"Allow",
        "Principal":{"Service":"s3.amazonaws.com"},"Action":["SQS:SendMessage"],
        "Resource":["arn:aws:sqs:us-east-1:123456789012:acme"],
        "Condition":{"StringEquals":{"aws:SourceAccount":["123456789012"]},
                     "ArnLike":{"AWS:SourceArn":"arn:aws:s3:::acme"}}}}"#;
    let mut document: PolicyDocument = stored.parse().unwrap();
    let before = document.to_string();
    assert!(!document.upsert(SID, &ours()).unwrap());
    assert_eq!(document.to_string(), before);
}

#[test]
fn ours_is_replaced_in_its_place_and_only_once() {
    let old = r#"{"Sid":"wbstore-acme","Effect":"Deny"}"#;
    let mut document: PolicyDocument = with(&format!("{old},{FOREIGN},{old}")).parse().unwrap();
    assert!(document.upsert(SID, &ours()).unwrap());
    let sids: Vec<_> = document.statements().map(|statement| statement["Sid"].clone()).collect();
    assert_eq!(sids, [SID, "theirs"]);
    assert_eq!(document.statement(SID), Some(&ours()));
    assert!(!document.upsert(SID, &ours()).unwrap());
}

#[test]
fn no_policy_is_an_empty_document() {
    for none in [None, Some(""), Some(" \n")] {
        let document = PolicyDocument::parse_or_new(none).unwrap();
        assert!(document.is_empty());
        assert_eq!(document.to_string(), r#"{"Version":"2012-10-17","Statement":[]}"#);
    }
    let mut document = PolicyDocument::new().unwrap();
    document.upsert(SID, &ours()).unwrap();
    let again: PolicyDocument = document.to_string().parse().unwrap();
    assert_eq!(again.statement(SID), document.statement(SID));
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_an_empty_document() {
    for bad in
        ["[]", "null", "{", "{} {}", r#"{"Statement":[1"#, r#"{"Statement":"x"}"#, r#"{"Id":"a","Id":"b"}"#]
    {
        let error = bad.parse::<PolicyDocument>().unwrap_err();
        assert_eq!(error.to_string(), "the policy is not a valid policy document", "{bad}");
    }
}

#[test]
fn statements_are_compared_by_meaning() {
    let base = json!({"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": ["r1", "r2"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let changed = |pointer: &str, value: Value| {
        let mut copy = base.clone();
        *copy.pointer_mut(pointer).unwrap() = value;
        copy
    };
    for same in [
        changed("/Action", json!(["s3:getobject"])),
        changed("/Principal", json!({"AWS": "*"})),
        changed("/Principal", json!({"AWS": ["*"]})),
        changed("/Resource", json!(["r2", "r1", "r2"])),
        changed("/Condition", json!({"Bool": {"AWS:securetransport": [false]}})),
    ] {
        assert!(same_meaning(&base, &same), "{same}");
    }
    for other in [
        changed("/Sid", json!("b")),
        changed("/Effect", json!("Deny")),
        changed("/Principal", json!({"Service": "*"})),
        changed("/Action", json!("s3:GetObject*")),
        changed("/Resource", json!(["r1", "R2"])),
        changed("/Condition", json!({"Bool": {"aws:SecureTransport": "true"}})),
        changed("/Condition", json!({})),
    ] {
        assert!(!same_meaning(&base, &other), "{other}");
    }
    let account = |principal: &str| json!({"Effect": "Allow", "Principal": {"AWS": principal}});
    assert!(same_meaning(&account("123456789012"), &account("arn:aws-cn:iam::123456789012:root")));
    assert!(!same_meaning(&account("123456789012"), &account("arn:aws:iam::123456789012:role/root")));
    assert!(same_meaning(&json!({"Sid": "", "Condition": {}}), &json!({})));
}

#[test]
fn others_are_described_in_a_few_words() {
    let unnamed =
        r#"{"Effect":"Deny","NotPrincipal":{"AWS":["1","2"]},"NotAction":"sqs:Get*","Resource":"*"}"#;
    let hostile = r#"{"Sid":"a\u001b[31m","Effect":"Allow","Action":"x"}"#;
    let document: PolicyDocument =
        with(&format!("{FOREIGN},{unnamed},{hostile},{}", ours())).parse().unwrap();
    assert_eq!(
        document.others(&[SID]),
        [
            "statement `theirs`: Allow sqs:* to arn:aws:iam::1:role/x",
            "statement without a Sid: Deny all but sqs:Get* to all but 1, 2",
            r"statement `a\u{1b}[31m`: Allow x",
        ]
    );
}

#[test]
fn a_statement_open_to_all_is_a_finding() {
    let open = |condition: Value| {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": condition});
        let document: PolicyDocument = with(&statement.to_string()).parse().unwrap();
        !document.open_to_all().is_empty()
    };
    for narrowed in [
        json!({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::acme"}}),
        json!({"ArnLike": {"AWS:sourcearn": "arn:aws:s3:*:*:acme"}}),
        json!({"StringEquals": {"aws:SourceAccount": ["123456789012"]}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:SecureTransport": "true"}}),
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
    ] {
        assert!(!open(narrowed.clone()), "{narrowed}");
    }
    for wide in [
        json!({}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringEquals": {"s3:prefix": "x"}}),
        json!({"StringLike": {"aws:SourceArn": "*"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}),
        json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}),
        json!({"StringNotEquals": {"aws:SourceAccount": "123456789012"}}),
        json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}),
        json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    ] {
        assert!(open(wide.clone()), "{wide}");
    }
    let finding: PolicyDocument =
        with(r#"{"Sid":"guide","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:SendMessage"}"#)
            .parse()
            .unwrap();
    assert_eq!(
        finding.open_to_all(),
        [
            "statement `guide`: Allow sqs:SendMessage to * allows everyone: no condition limits who or from where",
        ]
    );
    let ours: PolicyDocument =
        with(&format!("{},{}", ours(), deny_insecure_bucket("tls", "b"))).parse().unwrap();
    assert_eq!(ours.open_to_all(), [""; 0]);
}

#[test]
fn the_statements_of_wbstore() {
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!(pretty(ours()), @r#"
    {
      "Action": "sqs:SendMessage",
      "Condition": {
        "ArnLike": {
          "aws:SourceArn": "arn:aws:s3:::acme"
        },
        "StringEquals": {
          "aws:SourceAccount": "123456789012"
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "s3.amazonaws.com"
      },
      "Resource": "arn:aws:sqs:us-east-1:123456789012:acme",
      "Sid": "wbstore-acme"
    }
    "#);
    insta::assert_snapshot!(pretty(deny_insecure_bucket("wbstore-tls", "arn:aws-cn:s3:::acme")), @r#"
    {
      "Action": "s3:*",
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "false"
        }
      },
      "Effect": "Deny",
      "Principal": "*",
      "Resource": [
        "arn:aws-cn:s3:::acme",
        "arn:aws-cn:s3:::acme/*"
      ],
      "Sid": "wbstore-tls"
    }
    "#);
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), sid in any::<String>()) {
        let _ = text.parse::<PolicyDocument>();
        let text = with(&json!({"Sid": text, "Action": sid, "Principal": {"AWS": text}}).to_string());
        let document: PolicyDocument = text.parse().unwrap();
        let _ = (document.others(&[&sid]), document.open_to_all());
    }

    #[test]
    fn adding_and_removing_ours_changes_nothing(sids in prop::collection::vec("[a-zA-Z0-9 \"\\\\é-]{0,12}", 0..5)) {
        let statements: Vec<String> = sids.iter().map(|sid| format!("{{ \"Sid\" : {} }}", json!(sid))).collect();
        let text = with(&statements.join(","));
        let mut document: PolicyDocument = text.parse().unwrap();
        prop_assert!(document.upsert(SID, &ours()).unwrap());
        let mut again: PolicyDocument = document.to_string().parse().unwrap();
        prop_assert!(!again.upsert(SID, &ours()).unwrap());
        prop_assert!(again.remove(SID));
        prop_assert_eq!(again.to_string(), text);
    }
}

#[test]
fn denials_that_shut_out_are_found_with_their_conditions() {
    let found = |action: &str, condition: Value| {
        let statement = json!({"Sid": "fence", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": condition});
        let document: PolicyDocument = with(&statement.to_string()).parse().unwrap();
        document.denials(SID, &["s3:PutObject", "s3:GetObject"], "browsers").join("; ")
    };
    let outside = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}});
    assert_eq!(
        found("s3:*", outside.clone()),
        "statement `fence`: Deny s3:* to * if StringNotEquals aws:SourceVpce: requests of browsers may be rejected"
    );
    assert!(found("s3:getobject*", json!({})).contains("Deny s3:getobject* to *: requests"));
    assert_eq!(found("s3:DeleteBucket", outside), "");
    assert_eq!(found("s3:*", json!({"Bool": {"aws:SecureTransport": "false"}})), "");
    assert_eq!(found("s3:*", json!({"NumericLessThan": {"s3:TlsVersion": 1.2}})), "");
}

/// A statement of others, as a person may write it.
fn statement() -> impl Strategy<Value = String> {
    let number = prop::sample::select(
        &["10.50", "1e3", "-0.0", "1E+2", "0.1000", "100000000000000000000000", "7"][..],
    );
    let name = prop_oneof!["[a-zA-Z0-9]{0,12}", Just(format!("{SID}-2")), "[ \\PC]{0,8}"];
    let space = prop::sample::select(&["", " ", "\n\t", "  "][..]);
    (name, number, space, outside::json(&["AWS", "Service", "Bool", "aws:SourceArn"])).prop_map(
        |(sid, number, space, any)| {
            format!(
                "{{{space}\"Condition\":{{\"NumericLessThan\":{{\"s3:max-keys\":{space}{number}}}}},\"Sid\"{space}:{},\
                 {space}\"Principal\":{any},\"Action\":[\"s3:*\"{space}],\"Resource\":\"a\\/b\\u0041\"{space}}}",
                json!(sid)
            )
        },
    )
}

proptest! {
    #[test]
    fn ours_is_there_once_and_others_stay_to_the_byte(
        others in prop::collection::vec(statement(), 0..4), old in prop::collection::vec(0_usize..5, 0..3),
    ) {
        let mut all = others.clone();
        for at in &old {
            all.insert((*at).min(all.len()), format!(r#"{{"Sid":"{SID}","Effect":"Deny","x":1}}"#));
        }
        let mut document: PolicyDocument = with(&all.join(",")).parse().unwrap();
        let _ = (document.others(&[SID]), document.open_to_all(), document.denials(SID, &["s3:PutObject"], "x"));
        prop_assert!(document.upsert(SID, &ours()).unwrap());
        prop_assert_eq!(document.statements().filter(|one| one["Sid"] == SID).count(), 1);
        let once = document.to_string();
        prop_assert!(!document.upsert(SID, &ours()).unwrap());
        prop_assert_eq!(document.to_string(), once);
        prop_assert!(document.remove(SID));
        prop_assert_eq!(document.to_string(), with(&others.join(",")));
    }

    #[test]
    fn any_json_is_a_policy_or_an_error(
        json in outside::json(&["Version", "Statement", "Sid", "Effect", "Action", "Principal", "AWS", "Condition"]),
    ) {
        let Ok(mut document) = json.to_string().parse::<PolicyDocument>() else { return Ok(()) };
        let _ = (document.others(&[SID]), document.open_to_all(), document.denials(SID, &["s3:PutObject"], "x"));
        document.upsert(SID, &ours()).unwrap();
        prop_assert_eq!(document.statement(SID), Some(&ours()));
        let again: PolicyDocument = document.to_string().parse().unwrap();
        prop_assert_eq!(again.to_string(), document.to_string());
    }
}
