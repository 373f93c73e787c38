//! IAM's own evaluation of a user's policy, which the emulators do not have or do by another.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

use super::memory::Memory;
use crate::call::Call;
use crate::reply::{self, ApiError, Reply, escape};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// What the caller's policy decides on each action and resource.
pub(super) fn answer(call: &Call, memory: &Memory) -> Option<Reply> {
    if !call.is("iam:SimulatePrincipalPolicy") {
        return None;
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    let source = form.iter().find(|(name, _)| name == "PolicySourceArn").map(|(_, value)| value.as_str());
    let source = source.unwrap_or_default();
    // "a user, group, or role whose policies you want to include in the simulation"
    if ![":user/", ":group/", ":role/"].iter().any(|kind| source.contains(kind)) {
        let message = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Some(ApiError::new(400, "InvalidInput", &message).reply(call));
    }
    let members = |list: &str| {
        let prefix = format!("{list}.member.");
        form.iter().filter(move |(name, _)| name.starts_with(&prefix)).map(|(_, value)| value.clone())
    };
    let resources: Vec<String> = members("ResourceArns").collect();
    let mut results = String::new();
    for action in members("ActionNames") {
        for resource in &resources {
            let decision = if memory.allows(call, &action, resource) { "allowed" } else { "implicitDeny" };
            results.push_str(&format!(
                "<member><EvalActionName>{}</EvalActionName><EvalResourceName>{}</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>",
                escape(&action),
                escape(resource),
            ));
        }
    }
    let body = format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"{NAMESPACE}\"><SimulatePrincipalPolicyResult>\
         <IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>\
         </SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>\
         </SimulatePrincipalPolicyResponse>"
    );
    Some(reply::reply(200, "text/xml", body))
}
