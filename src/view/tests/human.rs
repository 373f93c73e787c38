//! What a person reads at a terminal, with the styles taken off.

use anstream::adapter::strip_str;
use insta::assert_snapshot;

use super::fixtures;
use crate::plan::Plan;
use crate::view::human::{self, Extent};
use crate::view::markdown;

fn plain(plan: &Plan) -> String {
    shown(plan, Extent::Whole, None)
}

fn shown(plan: &Plan, extent: Extent, width: Option<usize>) -> String {
    strip_str(&human::plan(plan, extent, width)).to_string()
}

const EXTENTS: [Extent; 4] = [Extent::Troubles, Extent::Short, Extent::Whole, Extent::Verbose];

#[test]
fn a_first_plan_shows_every_field_and_what_waits_for_what() {
    assert_snapshot!(plain(&fixtures::create()), @r#"

    Plan to provision acme in account 123456789012, us-east-1

      + create  aws/queue/acme-wandb
          + allows s3.amazonaws.com to send from arn:aws:s3:::acme-wandb of account 123456789012 (sqs:SendMessage)
          + encryption:           "SSE-SQS"
          + receive_wait_seconds: 20

      + create  aws/bucket/acme-wandb
          + public_access_blocked: true
          + region:                "us-east-1"

      + create  aws/cors/acme-wandb
          + expose:          ["ETag"]
          + max_age_seconds: 3000
          + methods:         ["GET", "PUT", "HEAD"]
          + origins:         ["https://wandb.acme.com"]

      + create  aws/notification/acme-wandb
          + events: ["s3:ObjectCreated:*"]

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    Not shown: policy documents, ids and marks (`--verbose` shows them).
    Plan: 4 to create, 0 to update, 0 to delete.
    To apply exactly this plan later: --expect 2cd76ff389e534c882f9cd226f8b9e45
    "#);
}

#[test]
fn an_update_shows_old_and_new_and_what_it_keeps() {
    assert_snapshot!(plain(&fixtures::update()), @r#"

    Plan to provision acme in account 123456789012, us-east-1

      ~ update  aws/queue/acme-wandb
          - allows everybody sqs:*
          + allows s3.amazonaws.com to send from arn:aws:s3:::acme-wandb of account 123456789012 (sqs:SendMessage)

        unchanged aws/bucket/acme-wandb
          note: versioning is on; old versions are kept and cost

      ~ update  aws/cors/acme-wandb
          + expose:          ["ETag"]
          ~ max_age_seconds: "3000" -> 3000
          ~ methods:         ["GET", "PUT"] -> ["GET", "PUT", "HEAD"]
          keeps 2 entries of others: docs-site, cdn

      + create  aws/notification/acme-wandb
          + events: ["s3:ObjectCreated:*"]

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    Not shown: policy documents (`--verbose` shows them).
    Plan: 1 to create, 2 to update, 0 to delete, 1 unchanged; 2 entries of others kept.
    To apply exactly this plan later: --expect 31aa59a63c36ad2883d999f16ea82528
    "#);
}

#[test]
fn a_teardown_shows_what_goes_with_what() {
    assert_snapshot!(plain(&fixtures::teardown()), @"

    Plan to tear down acme in account 123456789012, us-east-1

      - delete  aws/queue/acme-wandb

      - delete  aws/bucket/acme-wandb

      - delete  aws/cors/acme-wandb
          deleted with aws/bucket/acme-wandb

      - delete  aws/notification/acme-wandb
          deleted with aws/bucket/acme-wandb

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Plan: 0 to create, 0 to update, 4 to delete.
    To apply exactly this plan later: --expect 10b24b9ed8cb2488cb7fb7dc7952ada7
    ");
}

#[test]
fn a_plan_that_assumes_something_has_no_digest() {
    for text in [plain(&fixtures::offline()), markdown::plan(&fixtures::offline())] {
        assert!(text.contains("the region is assumed to be us-east-1"), "{text}");
        let (_, end) = text.rsplit_once("No digest: ").expect(&text);
        assert!(!text.contains("--expect ") && end.contains("online plan"), "{text}");
    }
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    assert_snapshot!(plain(&fixtures::refused()), @r#"

    Plan to provision acme in account 123456789012, us-east-1

      ! refuse  aws/queue/acme-wandb
          because it belongs to the deployment `acme|staging`
          hint: choose another name, or use that deployment's `--name`

      ! refuse  aws/bucket/acme-wandb
          ~ region: "eu-west-1" -> "us-east-1"
          because its region is eu-west-1 and cannot be changed in place
          hint: request its existing region, or choose another name

      ! refuse  aws/cors/acme-wandb
          because failed to read aws/cors/acme-wandb: AccessDenied: [2Jnot for @you | `now` <b>
          hint: grant s3:GetBucketCORS

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Refused: 3 steps cannot be applied, so nothing is changed.
    "#);
}

#[test]
fn adopting_and_releasing_are_told_apart_from_making_and_deleting() {
    assert_snapshot!(plain(&fixtures::adopt()), @"

    Plan to provision acme in account 123456789012, us-east-1, adopting resources without a mark

      > adopt   aws/queue/acme-wandb
          > gets this deployment's mark

      > adopt   aws/bucket/acme-wandb
          > gets this deployment's mark

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    Not shown: ids and marks (`--verbose` shows them).
    Plan: 0 to create, 0 to update, 0 to delete, 2 to adopt.
    To apply exactly this plan later: --expect 927e4a7fd1e08e9192edf58e92be32f8
    ");
    assert_snapshot!(plain(&fixtures::release()), @"

    Plan to tear down acme in account 123456789012, us-east-1

      . keep    aws/queue/acme-wandb
          because it has no wbstore mark

      - delete  aws/cors/acme-wandb
          keeps 1 entry of others: cdn

      < release aws/bucket/acme-wandb
          < loses this deployment's mark and is kept

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Plan: 0 to create, 0 to update, 1 to delete, 1 to release, 1 kept; 1 entry of others kept.
    To apply exactly this plan later: --expect 237e03314a44c713328d70fbe92fee56
    ");
}

#[test]
fn an_empty_plan_says_so_in_the_words_of_its_goal() {
    assert_snapshot!(plain(&fixtures::unchanged()), @"
    Plan to provision acme in account 123456789012, us-east-1

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    No changes: all resources of acme exist and are as described.
    ");
    assert_snapshot!(plain(&fixtures::gone()), @"
    Plan to tear down acme in account 123456789012, us-east-1

    Nothing to delete: acme does not exist.
    ");
}

#[test]
fn a_deletion_shows_the_data_that_it_deletes() {
    assert_snapshot!(plain(&fixtures::full()), @"

    Plan to tear down acme in account 123456789012, us-east-1

      - delete  aws/queue/acme-wandb
          - about 2 messages

      - delete  aws/objects/acme-wandb
          - 12 objects (3.4 kB)

      - delete  aws/bucket/acme-wandb

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Plan: 0 to create, 0 to update, 3 to delete.
    To apply exactly this plan later: --expect 57b4134335030363fb3b5b6ea4387f86
    ");
}

#[test]
fn a_plan_that_is_applied_at_once_has_a_line_for_each_step() {
    assert_snapshot!(shown(&fixtures::update(), Extent::Short, None), @"

    Plan to provision acme in account 123456789012, us-east-1

      ~ update  aws/queue/acme-wandb: policy
        unchanged aws/bucket/acme-wandb
          note: versioning is on; old versions are kept and cost
      ~ update  aws/cors/acme-wandb: expose, max_age_seconds, methods
      + create  aws/notification/acme-wandb

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Not shown: the fields of each resource (`--verbose` shows them).
    Plan: 1 to create, 2 to update, 0 to delete, 1 unchanged; 2 entries of others kept.
    Digest: 31aa59a63c36ad2883d999f16ea82528
    ");
    assert_snapshot!(shown(&fixtures::full(), Extent::Short, None), @"

    Plan to tear down acme in account 123456789012, us-east-1

      - delete  aws/queue/acme-wandb: about 2 messages
      - delete  aws/objects/acme-wandb: 12 objects (3.4 kB)
      - delete  aws/bucket/acme-wandb

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Not shown: the fields of each resource (`--verbose` shows them).
    Plan: 0 to create, 0 to update, 3 to delete.
    Digest: 57b4134335030363fb3b5b6ea4387f86
    ");
    let refused = shown(&fixtures::refused(), Extent::Short, None);
    let whole = plain(&fixtures::refused());
    for line in refused.lines().filter(|line| line.starts_with("      ")) {
        assert!(whole.contains(line), "{line}");
    }
    assert!(refused.matches("hint:").count() == 3, "{refused}");
}

#[test]
fn a_verbose_plan_has_every_field_of_every_resource() {
    let text = shown(&fixtures::update(), Extent::Verbose, None);
    assert_snapshot!(text, @r#"

    Plan to provision acme in account 123456789012, us-east-1

      ~ update  aws/queue/acme-wandb
          - allows everybody sqs:*
          + allows s3.amazonaws.com to send from arn:aws:s3:::acme-wandb of account 123456789012 (sqs:SendMessage)
          ~ policy: [{"action":"sqs:*","condition":"none at all","principal":"*","sid":"wbstore-acme"}] -> [{"action":"sqs:SendMessage","principal":"s3.amazonaws.com","sid":"wbstore-acme"}]

        unchanged aws/bucket/acme-wandb
          note: versioning is on; old versions are kept and cost

      ~ update  aws/cors/acme-wandb
          + expose:          ["ETag"]
          ~ max_age_seconds: "3000" -> 3000
          ~ methods:         ["GET", "PUT"] -> ["GET", "PUT", "HEAD"]
          keeps 2 entries of others: docs-site, cdn

      + create  aws/notification/acme-wandb
          + events: ["s3:ObjectCreated:*"]
          waits for aws/queue/acme-wandb

    Notes
      - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    Plan: 1 to create, 2 to update, 0 to delete, 1 unchanged; 2 entries of others kept.
    To apply exactly this plan later: --expect 31aa59a63c36ad2883d999f16ea82528
    "#);
    for plan in fixtures::all() {
        let text = shown(&plan, Extent::Verbose, None);
        for step in plan.steps.iter().filter(|step| step.action.acts()) {
            for change in &step.changes {
                assert!(text.contains(&format!("{}:", change.field)), "{}: {text}", change.field);
            }
        }
    }
}

#[test]
fn a_quiet_plan_is_what_went_wrong() {
    assert_eq!(shown(&fixtures::create(), Extent::Troubles, None), "");
    assert_snapshot!(shown(&fixtures::update(), Extent::Troubles, None), @"
    unchanged aws/bucket/acme-wandb
      note: versioning is on; old versions are kept and cost
    ");
    assert!(shown(&fixtures::refused(), Extent::Troubles, None).matches("! refuse").count() == 3);
}

#[test]
fn a_narrow_terminal_gets_the_same_words() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for plan in fixtures::all() {
        for extent in EXTENTS {
            let whole = words(&shown(&plan, extent, None));
            for width in 20..300 {
                let text = shown(&plan, extent, Some(width));
                assert_eq!(words(&text), whole, "{width}");
                for line in text.lines().filter(|line| line.chars().count() > width) {
                    // A sign, a verb or a label, and one word or one command that is too long for the rest.
                    let (before, _) = line.split_once('`').unwrap_or((line, ""));
                    assert!(before.split_whitespace().count() <= 3, "{width}: {line}");
                }
            }
        }
    }
    assert_snapshot!(shown(&fixtures::update(), Extent::Whole, Some(40)), @r#"

    Plan to provision acme in account
    123456789012, us-east-1

      ~ update  aws/queue/acme-wandb
          - allows everybody sqs:*
          + allows s3.amazonaws.com to send
              from arn:aws:s3:::acme-wandb
              of account 123456789012
              (sqs:SendMessage)

        unchanged aws/bucket/acme-wandb
          note: versioning is on; old
              versions are kept and cost

      ~ update  aws/cors/acme-wandb
          + expose:          ["ETag"]
          ~ max_age_seconds: "3000" -> 3000
          ~ methods:         ["GET", "PUT"]
              -> ["GET", "PUT", "HEAD"]
          keeps 2 entries of others:
              docs-site, cdn

      + create  aws/notification/acme-wandb
          + events: ["s3:ObjectCreated:*"]

    Notes
      - the CORS rule also allows HEAD and
        exposes ETag, which the guide leaves
        out

    Server configuration
      BUCKET=s3://acme-wandb
      BUCKET_QUEUE=sqs://acme-wandb
      AWS_REGION=us-east-1

    Not shown: policy documents (`--verbose`
    shows them).
    Plan: 1 to create, 2 to update, 0 to
    delete, 1 unchanged; 2 entries of others
    kept.
    To apply exactly this plan later:
    --expect
    31aa59a63c36ad2883d999f16ea82528
    "#);
}

#[test]
fn no_control_character_reaches_the_terminal_and_no_style_is_left_open() {
    for plan in fixtures::all() {
        for (extent, width) in EXTENTS.into_iter().flat_map(|extent| [(extent, None), (extent, Some(30))]) {
            let styled = human::plan(&plan, extent, width);
            let text = strip_str(&styled).to_string();
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            for line in styled.lines().filter(|line| line.contains("\u{1b}[")) {
                let (_, last) = line.rsplit_once("\u{1b}[").unwrap();
                assert!(last.starts_with("0m"), "{line:?}");
            }
        }
    }
}
