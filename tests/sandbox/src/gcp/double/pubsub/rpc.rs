//! The unary calls of `google.pubsub.v1` that have to do with messages:
//! <https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1>.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1;
use hyper::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::refusal::{Answer, Refusal};
use super::super::server::Body;
use super::super::{grpc, time};
use super::names::Name;
use super::{SERVICE, messages};

pub(in super::super) async fn answer(shared: &Shared, asked: &Asked) -> Response<Body> {
    let caller = match admit(shared, asked) {
        Ok(caller) => caller,
        Err(refusal) => return grpc::reply::<()>(Err(refusal)),
    };
    let method = asked.path.rsplit('/').next().unwrap_or_default();
    match method {
        "Acknowledge" => grpc::reply(acknowledge(shared, &caller, asked).await),
        "ModifyAckDeadline" => grpc::reply(modify(shared, &caller, asked).await),
        "Publish" => grpc::reply(publish(shared, &caller, asked).await),
        "Pull" => grpc::reply(pull(shared, &caller, asked).await),
        _ => grpc::reply::<()>(Err(Refusal::unknown_call(&asked.path))),
    }
}

fn admit(shared: &Shared, asked: &Asked) -> Answer<Caller> {
    let caller = Caller::known(asked)?;
    shared.state().serves(SERVICE, asked.header("x-goog-user-project"))?;
    Ok(caller)
}

async fn acknowledge(shared: &Shared, caller: &Caller, asked: &Asked) -> Answer<()> {
    let request: v1::AcknowledgeRequest = grpc::message(&asked.body)?;
    let name = Name::read(&shared.state(), &request.subscription)?;
    let body = json!({"ackIds": request.ack_ids});
    messages::settle(shared, caller, &name, "acknowledge", &body).await.map(drop)
}

async fn modify(shared: &Shared, caller: &Caller, asked: &Asked) -> Answer<()> {
    let request: v1::ModifyAckDeadlineRequest = grpc::message(&asked.body)?;
    let name = Name::read(&shared.state(), &request.subscription)?;
    let body = json!({"ackIds": request.ack_ids, "ackDeadlineSeconds": request.ack_deadline_seconds});
    messages::settle(shared, caller, &name, "modifyAckDeadline", &body).await.map(drop)
}

async fn publish(shared: &Shared, caller: &Caller, asked: &Asked) -> Answer<v1::PublishResponse> {
    let request: v1::PublishRequest = grpc::message(&asked.body)?;
    let name = Name::read(&shared.state(), &request.topic)?;
    let sent = request.messages.iter().map(
        |message| json!({"data": BASE64_STANDARD.encode(&message.data), "attributes": message.attributes}),
    );
    let body = json!({"messages": sent.collect::<Vec<_>>()});
    let answer = messages::publish(shared, caller, &name, &body).await?;
    let ids = answer["messageIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(v1::PublishResponse { message_ids: ids.map(str::to_owned).collect() })
}

#[allow(deprecated, reason = "clients still send the field")]
async fn pull(shared: &Shared, caller: &Caller, asked: &Asked) -> Answer<v1::PullResponse> {
    let request: v1::PullRequest = grpc::message(&asked.body)?;
    let name = Name::read(&shared.state(), &request.subscription)?;
    let body = json!({"maxMessages": request.max_messages, "returnImmediately": request.return_immediately});
    let answer = messages::pull(shared, caller, &name, &body).await?;
    let received = answer["receivedMessages"].as_array().into_iter().flatten();
    Ok(v1::PullResponse { received_messages: received.map(received_message).collect() })
}

/// A message as gRPC has it.
pub(super) fn received_message(json: &Value) -> v1::ReceivedMessage {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = &json["message"];
    let published = message["publishTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let attributes = message["attributes"].as_object().into_iter().flatten();
    v1::ReceivedMessage {
        ack_id: text(&json["ackId"]),
        message: Some(v1::PubsubMessage {
            data: BASE64_STANDARD.decode(text(&message["data"])).unwrap_or_default(),
            attributes: attributes.map(|(key, value)| (key.clone(), text(value))).collect(),
            message_id: text(&message["messageId"]),
            publish_time: published.map(time::proto),
            ordering_key: text(&message["orderingKey"]),
        }),
        delivery_attempt: 0,
    }
}
