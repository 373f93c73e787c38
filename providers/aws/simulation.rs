//! Whether IAM would allow the calls of a policy, without sending them.
//!
//! IAM evaluates the policies of the identity, its permissions boundary and the organization's service control policies
//! (IAM API reference, `SimulatePrincipalPolicy`). The policies of buckets, queues and keys take no part.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use futures::future::try_join_all;
use serde_json::Value;

use super::failure::failure;
use crate::doctor::Permission;
use crate::error::{Error, Kind, Result};
use crate::retry::unless_busy;

/// A teardown's statements, as `policy/operator.json` names them.
const TEARDOWN: &str = "Teardown";

/// The actions of one statement on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    actions: Vec<String>,
    resource: String,
    /// Condition keys, each with a value that meets the condition.
    context: Vec<(String, String)>,
    only_for_teardown: bool,
}

/// The statements of `policy`, a document of `policy --for operator`.
pub(super) fn statements(policy: &Value) -> Vec<Statement> {
    let one = |statement: &Value| {
        let actions = strings(&statement["Action"]);
        let context: Vec<_> = statement["Condition"]["StringEquals"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        let only_for_teardown = statement["Sid"].as_str().is_some_and(|id| id.starts_with(TEARDOWN));
        let resources = strings(&statement["Resource"]).into_iter();
        let on_each = resources.map(move |resource| Statement {
            actions: actions.clone(),
            resource,
            context: context.clone(),
            only_for_teardown,
        });
        on_each.collect::<Vec<_>>()
    };
    policy["Statement"].as_array().into_iter().flatten().flat_map(one).collect()
}

/// The strings of `value`, which is a list or a single one.
fn strings(value: &Value) -> Vec<String> {
    let single = value.as_str().into_iter();
    let listed = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    single.chain(listed).map(str::to_owned).collect()
}

/// How many permissions `statements` have, and those that the caller lacks.
///
/// # Errors
/// [`Kind::Refused`] where the caller is none that IAM simulates; [`Kind::Denied`] where it may not ask.
pub(super) async fn simulate(
    iam: &Client,
    caller: &str,
    statements: &[Statement],
) -> Result<(usize, Vec<Permission>)> {
    let principal = principal_of(caller)?;
    let missing = match all_simulated(iam, &principal, statements).await {
        // The session of a role does not show the path of the role, without which there is none of that name.
        Err(error) if error.kind() == Kind::Failed && principal.contains(":role/") => {
            let principal = role_with_path(iam, &principal).await?;
            all_simulated(iam, &principal, statements).await?
        }
        missing => missing?,
    };
    Ok((statements.iter().map(|statement| statement.actions.len()).sum(), missing))
}

/// The user or role of the caller, as IAM's simulator names it.
fn principal_of(caller: &str) -> Result<String> {
    let fields: Vec<&str> = caller.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, resource] = fields[..] else {
        return Err(Error::refused("the ARN of the credentials cannot be read"));
    };
    let mut parts = resource.split('/');
    match (service, parts.next(), parts.next()) {
        ("iam", Some("user"), Some(_)) => Ok(caller.to_owned()),
        ("sts", Some("assumed-role"), Some(role)) => {
            Ok(format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        ("iam", Some("root"), _) => Err(Error::refused(
            "IAM simulates no call of an account's root user, whom only the organization's policies restrict",
        )),
        _ => Err(Error::refused("IAM simulates calls of users and roles only")),
    }
}

async fn role_with_path(iam: &Client, principal: &str) -> Result<String> {
    let name = principal.rsplit('/').next().unwrap_or_default();
    let role = unless_busy(|| async {
        let answer = iam.get_role().role_name(name).send().await;
        answer.map_err(|error| failure(error, "iam:GetRole", name))
    });
    let role = role.await?.role;
    role.map(|role| role.arn)
        .ok_or_else(|| Error::new(Kind::Failed, format!("iam:GetRole on {name}: the response has no role")))
}

async fn all_simulated(iam: &Client, principal: &str, statements: &[Statement]) -> Result<Vec<Permission>> {
    let each = statements.iter().map(|statement| simulated(iam, principal, statement));
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

/// What `principal` lacks of `statement`.
async fn simulated(iam: &Client, principal: &str, statement: &Statement) -> Result<Vec<Permission>> {
    let context = |(key, value): &(String, String)| entry(key, value, ContextKeyTypeEnum::String);
    let secure = entry("aws:SecureTransport", "true", ContextKeyTypeEnum::Boolean);
    let entries: Vec<_> = statement.context.iter().map(context).chain([secure]).collect();
    let (mut denied, mut marker) = (vec![], None);
    loop {
        let page = unless_busy(|| async {
            let call = iam
                .simulate_principal_policy()
                .policy_source_arn(principal)
                .set_action_names(Some(statement.actions.clone()))
                .resource_arns(&statement.resource)
                .set_context_entries(Some(entries.clone()))
                .set_marker(marker.clone());
            call.send().await.map_err(|error| failure(error, "iam:SimulatePrincipalPolicy", principal))
        })
        .await?;
        let lacks =
            |result: &&EvaluationResult| result.eval_decision != PolicyEvaluationDecisionType::Allowed;
        denied.extend(page.evaluation_results().iter().filter(lacks).map(|result| Permission {
            name: result.eval_action_name.clone(),
            target: statement.resource.clone(),
            only_for_teardown: statement.only_for_teardown,
        }));
        match page.marker.filter(|_| page.is_truncated) {
            Some(next) => marker = Some(next),
            None => return Ok(denied),
        }
    }
}

fn entry(key: &str, value: &str, kind: ContextKeyTypeEnum) -> ContextEntry {
    ContextEntry::builder().context_key_name(key).context_key_values(value).context_key_type(kind).build()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn users_and_roles_are_simulated() {
        let user = "arn:aws:iam::123456789012:user/team/ada";
        assert_eq!(principal_of(user).unwrap(), user);
        let session = "arn:aws-cn:sts::123456789012:assumed-role/ci/i-1";
        assert_eq!(principal_of(session).unwrap(), "arn:aws-cn:iam::123456789012:role/ci");
        for other in ["arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:federated-user/a", "x", ""]
        {
            assert_eq!(principal_of(other).unwrap_err().kind(), Kind::Refused, "{other}");
        }
    }

    #[test]
    fn a_policy_is_asked_for_resource_by_resource_under_its_conditions() {
        let policy = json!({"Statement": [
            {"Sid": "ReadQueues", "Action": ["sqs:A", "sqs:B"], "Resource": ["q1", "q2"]},
            {"Sid": "TeardownBucket", "Action": "s3:D", "Resource": "b",
             "Condition": {"StringEquals": {"kms:ViaService": "s3"}}},
        ]});
        let statements = statements(&policy);
        let resources: Vec<_> = statements.iter().map(|statement| statement.resource.as_str()).collect();
        assert_eq!(resources, ["q1", "q2", "b"]);
        assert_eq!(statements[2].context, [("kms:ViaService".to_owned(), "s3".to_owned())]);
        assert!(statements[2].only_for_teardown && !statements[0].only_for_teardown);
    }
}
