use aws_sdk_s3::types::Error as KeyError;

use super::*;

fn target(key: &str) -> Entry {
    Entry { key: key.to_owned(), id: Some("1".to_owned()), ..Entry::default() }
}

fn refused(key: &str, code: &str) -> KeyError {
    KeyError::builder().key(key).version_id("1").code(code).message("no").build()
}

fn outcome(answer: DeleteObjectsOutput, asked: &[&str]) -> Outcome {
    let mut outcome = Outcome::default();
    let targets: Vec<Entry> = asked.iter().map(|key| target(key)).collect();
    read(answer, &targets, "b", &mut outcome);
    outcome
}

#[test]
fn every_failure_of_an_answer_counts() {
    let answer = DeleteObjectsOutput::builder()
        .errors(refused("b", "SlowDown"))
        .errors(refused("c", "InternalError"))
        .errors(refused("d", "NoSuchVersion"))
        .build();
    let outcome = outcome(answer, &["a", "b", "c", "d"]);
    assert_eq!(outcome.gone, 2);
    let again: Vec<_> = outcome.again.iter().map(|target| (target.key.as_str(), target.tries)).collect();
    assert_eq!(again, [("b", 1), ("c", 1)]);
    assert_eq!(outcome.slow_down, Some(None));
    assert!(outcome.failed.is_none());
}

#[test]
fn a_denied_key_is_final_and_explained() {
    let answer = DeleteObjectsOutput::builder().errors(refused("a", "AccessDenied")).build();
    let failed = outcome(answer, &["a"]).failed.unwrap();
    assert_eq!(failed.kind(), Kind::Denied);
    assert!(failed.what_next().unwrap().contains("s3:DeleteObjectVersion"));
    assert!(why_denied("Access Denied because object protected by object lock.").contains("retention"));
}

#[test]
fn characters_that_xml_lacks_are_known() {
    assert!("tab\t, ünïcode, \u{1f600}".chars().all(in_xml));
    assert!(
        ['\0', '\u{1}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'].into_iter().all(|letter| !in_xml(letter))
    );
}
