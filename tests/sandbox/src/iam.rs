//! Users with few permissions.

use hyper::Method;

use crate::Error;
use crate::upstream::Upstream;

const NAME: &str = "sandbox";

/// A user's access key.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Makes the account's user anew, with one inline policy.
pub(crate) async fn user(upstream: &Upstream, account: &str, policy: &str) -> Result<Key, Error> {
    // There is one user in an account, and each call gives it another policy and another key.
    let created = call(upstream, account, "CreateUser", &[]).await;
    if let Err(error) = created
        && !error.to_string().contains("EntityAlreadyExists")
    {
        return Err(error);
    }
    let document = [("PolicyName", NAME), ("PolicyDocument", policy)];
    call(upstream, account, "PutUserPolicy", &document).await?;
    let answer = call(upstream, account, "CreateAccessKey", &[]).await?;
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    match (element("AccessKeyId"), element("SecretAccessKey")) {
        (Some(id), Some(secret)) => Ok(Key { id, secret }),
        _ => Err(Error::new(format!("no access key in the emulator's answer: {answer}"))),
    }
}

async fn call(
    upstream: &Upstream,
    account: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Result<String, Error> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", action), ("Version", "2010-05-08"), ("UserName", NAME)])
        .extend_pairs(fields)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = upstream
        .ask(account, "us-east-1", "iam", (Method::POST, "/"), &headers, body)
        .await
        .map_err(|error| Error::new(format!("iam:{action}: {error}")))?;
    let answer = String::from_utf8_lossy(reply.body()).into_owned();
    match reply.status().is_success() {
        true => Ok(answer),
        false => Err(Error::new(format!("iam:{action}: {answer}"))),
    }
}
