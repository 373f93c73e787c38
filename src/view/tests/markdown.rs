//! What a reviewer reads in a pull request.

use insta::assert_snapshot;

use super::fixtures;
use crate::view::markdown;

#[test]
fn a_first_plan_is_a_table_a_graph_and_the_outputs() {
    assert_snapshot!(markdown::plan(&fixtures::create()), @r#"
    ### wbstore: provision `acme` in account 123456789012, us-east-1

    **Plan: 4 to create, 0 to update, 0 to delete.**

    | | action | resource | waits for | remarks |
    |---|---|---|---|---|
    | `+` | create | `aws/queue/acme-wandb` |  |  |
    | `+` | create | `aws/bucket/acme-wandb` |  |  |
    | `+` | create | `aws/cors/acme-wandb` | `aws/bucket/acme-wandb` |  |
    | `+` | create | `aws/notification/acme-wandb` | `aws/queue/acme-wandb`<br>`aws/bucket/acme-wandb` |  |

    <details><summary>11 fields</summary>

    | resource | field | now | planned |
    |---|---|---|---|
    | `aws/queue/acme-wandb` | `encryption` | _not set_ | `"SSE-SQS"` |
    | `aws/queue/acme-wandb` | `policy` | _not set_ | `[{"action":"sqs:SendMessage","principal":"s3.amazonaws.com","sid":"wbstore-acme"}]` |
    | `aws/queue/acme-wandb` | `receive_wait_seconds` | _not set_ | `20` |
    | `aws/bucket/acme-wandb` | `public_access_blocked` | _not set_ | `true` |
    | `aws/bucket/acme-wandb` | `region` | _not set_ | `"us-east-1"` |
    | `aws/bucket/acme-wandb` | `tags.wbstore:deployment` | _not set_ | `"acme"` |
    | `aws/cors/acme-wandb` | `expose` | _not set_ | `["ETag"]` |
    | `aws/cors/acme-wandb` | `max_age_seconds` | _not set_ | `3000` |
    | `aws/cors/acme-wandb` | `methods` | _not set_ | `["GET", "PUT", "HEAD"]` |
    | `aws/cors/acme-wandb` | `origins` | _not set_ | `["https://wandb.acme.com"]` |
    | `aws/notification/acme-wandb` | `events` | _not set_ | `["s3:ObjectCreated:*"]` |

    </details>

    ```mermaid
    graph LR
      s0["create aws/queue/acme-wandb"]
      s1["create aws/bucket/acme-wandb"]
      s2["create aws/cors/acme-wandb"]
      s3["create aws/notification/acme-wandb"]
      s1 --> s2
      s0 --> s3
      s1 --> s3
    ```

    - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration:

    ```
    BUCKET=s3://acme-wandb
    BUCKET_QUEUE=sqs://acme-wandb
    AWS_REGION=us-east-1
    ```

    To apply exactly this plan: `wbstore provision … --expect 2cd76ff389e534c882f9cd226f8b9e45`
    "#);
}

#[test]
fn an_update_folds_the_fields_away() {
    assert_snapshot!(markdown::plan(&fixtures::update()), @r#"
    ### wbstore: provision `acme` in account 123456789012, us-east-1

    **Plan: 1 to create, 2 to update, 0 to delete, 1 unchanged; 2 entries of others kept.**

    | | action | resource | waits for | remarks |
    |---|---|---|---|---|
    | `~` | update | `aws/queue/acme-wandb` |  |  |
    |  | unchanged | `aws/bucket/acme-wandb` |  | versioning is on; old versions are kept and cost |
    | `~` | update | `aws/cors/acme-wandb` |  | keeps 2 entries of others: docs-site, cdn |
    | `+` | create | `aws/notification/acme-wandb` | `aws/queue/acme-wandb` |  |

    <details><summary>5 fields</summary>

    | resource | field | now | planned |
    |---|---|---|---|
    | `aws/queue/acme-wandb` | `policy` | `[{"action":"sqs:*","condition":"none at all","principal":"*","sid":"wbstore-acme"}]` | `[{"action":"sqs:SendMessage","principal":"s3.amazonaws.com","sid":"wbstore-acme"}]` |
    | `aws/cors/acme-wandb` | `expose` | _not set_ | `["ETag"]` |
    | `aws/cors/acme-wandb` | `max_age_seconds` | `"3000"` | `3000` |
    | `aws/cors/acme-wandb` | `methods` | `["GET", "PUT"]` | `["GET", "PUT", "HEAD"]` |
    | `aws/notification/acme-wandb` | `events` | _not set_ | `["s3:ObjectCreated:*"]` |

    </details>

    ```mermaid
    graph LR
      s0["update aws/queue/acme-wandb"]
      s1["update aws/cors/acme-wandb"]
      s2["create aws/notification/acme-wandb"]
      s0 --> s2
    ```

    - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Server configuration:

    ```
    BUCKET=s3://acme-wandb
    BUCKET_QUEUE=sqs://acme-wandb
    AWS_REGION=us-east-1
    ```

    To apply exactly this plan: `wbstore provision … --expect 31aa59a63c36ad2883d999f16ea82528`
    "#);
}

#[test]
fn a_teardown_draws_what_goes_with_what() {
    assert_snapshot!(markdown::plan(&fixtures::teardown()), @r#"
    ### wbstore: tear down `acme` in account 123456789012, us-east-1

    **Plan: 0 to create, 0 to update, 4 to delete.**

    | | action | resource | waits for | remarks |
    |---|---|---|---|---|
    | `-` | delete | `aws/queue/acme-wandb` |  |  |
    | `-` | delete | `aws/bucket/acme-wandb` |  |  |
    | `-` | delete | `aws/cors/acme-wandb` |  | deleted with `aws/bucket/acme-wandb` |
    | `-` | delete | `aws/notification/acme-wandb` |  | deleted with `aws/bucket/acme-wandb` |

    ```mermaid
    graph LR
      s0["delete aws/queue/acme-wandb"]
      s1["delete aws/bucket/acme-wandb"]
      s2["delete aws/cors/acme-wandb"]
      s3["delete aws/notification/acme-wandb"]
      s1 -.->|deletes| s2
      s1 -.->|deletes| s3
    ```

    - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out

    Digest: `10b24b9ed8cb2488cb7fb7dc7952ada7`
    "#);
}

#[test]
fn words_of_others_stay_words() {
    assert_snapshot!(markdown::plan(&fixtures::refused()), @r#"
    ### wbstore: provision `acme` in account 123456789012, us-east-1

    **Refused: 3 steps cannot be applied, so nothing is changed.**

    | | action | resource | waits for | remarks |
    |---|---|---|---|---|
    | `!` | refuse | `aws/queue/acme-wandb` |  | it belongs to the deployment \`acme\|staging\`<br>**hint:** choose another name, or use that deployment's \`--name\` |
    | `!` | refuse | `aws/bucket/acme-wandb` |  | its region is eu-west-1 and cannot be changed in place<br>**hint:** request its existing region, or choose another name |
    | `!` | refuse | `aws/cors/acme-wandb` |  | failed to read aws/cors/acme-wandb: AccessDenied: \[2Jnot for @<!-- -->you \| \`now\` &lt;b&gt;<br>**hint:** grant s3:GetBucketCORS |

    <details><summary>1 field</summary>

    | resource | field | now | planned |
    |---|---|---|---|
    | `aws/bucket/acme-wandb` | `region` | `"eu-west-1"` | `"us-east-1"` |

    </details>

    - the CORS rule also allows HEAD and exposes ETag, which the guide leaves out
    "#);
}

#[test]
fn an_empty_plan_is_one_sentence_and_the_outputs() {
    assert_snapshot!(markdown::plan(&fixtures::unchanged()), @"
    ### wbstore: provision `acme` in account 123456789012, us-east-1

    **No changes: all resources of acme exist and are as described.**

    Server configuration:

    ```
    BUCKET=s3://acme-wandb
    BUCKET_QUEUE=sqs://acme-wandb
    AWS_REGION=us-east-1
    ```
    ");
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_header() {
    for plan in fixtures::all() {
        let page = markdown::plan(&plan);
        let mut width = None;
        for line in page.lines() {
            if !line.starts_with('|') {
                width = None;
                continue;
            }
            let cells = line.replace(r"\|", "").matches('|').count();
            assert_eq!(*width.get_or_insert(cells), cells, "{line}");
        }
    }
}
