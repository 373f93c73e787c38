//! `StreamingPull`:
//! <https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1#google.pubsub.v1.Subscriber>.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedSender};
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use prost::Message;
use serde_json::json;
use tokio::time::sleep;

use super::super::Shared;
use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::grpc;
use super::super::refusal::{Answer, Refusal};
use super::super::server::Body;
use super::emulator::Emulator;
use super::names::Name;
use super::resources::Subscription;
use super::{SERVICE, messages, rpc};

const PATH: &str = "/google.pubsub.v1.Subscriber/StreamingPull";
const PAUSE: Duration = Duration::from_millis(10);
/// What a client may have in hand when it sets no limit.
const AT_ONCE: usize = 1000;

type Requests = Messages<v1::StreamingPullRequest>;
type Sender = UnboundedSender<io::Result<Frame<Bytes>>>;

/// What arrives on a stream, message by message.
struct Messages<M> {
    body: Incoming,
    read: Vec<u8>,
    /// How the other side says that it ended.
    trailers: HeaderMap,
    kind: PhantomData<M>,
}

impl<M: Message + Default> Messages<M> {
    fn new(body: Incoming) -> Self {
        Self { body, read: vec![], trailers: HeaderMap::new(), kind: PhantomData }
    }

    /// `None` when there is no more to come.
    async fn next(&mut self) -> Option<Answer<M>> {
        loop {
            if let Some((frame, rest)) = grpc::next(&self.read) {
                let message = grpc::read(frame);
                self.read = rest.to_vec();
                return Some(message);
            }
            match self.body.frame().await?.ok()?.into_data() {
                Ok(data) => self.read.extend(data),
                Err(frame) => self.trailers = frame.into_trailers().unwrap_or_default(),
            }
        }
    }
}

/// Opens a stream, which ends when the client goes or the subscription does.
pub(in super::super) async fn pull(shared: &Arc<Shared>, parts: Parts, body: Incoming) -> Response<Body> {
    let asked = Asked::new(parts, Bytes::new(), &shared.address);
    let mut requests = Messages::new(body);
    match open(shared, &asked, &mut requests).await {
        Ok((caller, name, first)) => {
            let (sender, receiver) = mpsc::unbounded();
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                let ended = match &shared.emulator {
                    Some(emulator) => relay(&shared, emulator, &name, (first, requests), &sender).await,
                    None => converse(&shared, &caller, &name, requests, &sender).await,
                };
                let refusal = ended.err();
                // The client may be gone, and then it does not matter how it ended.
                let _ = sender.unbounded_send(Ok(Frame::trailers(grpc::trailers(refusal.as_ref()))));
            });
            grpc::started(StreamBody::new(receiver).boxed_unsync())
        }
        Err(refusal) => grpc::reply::<()>(Err(refusal)),
    }
}

async fn open(
    shared: &Shared,
    asked: &Asked,
    requests: &mut Requests,
) -> Answer<(Caller, Name, v1::StreamingPullRequest)> {
    let caller = Caller::known(asked)?;
    shared.state().serves(SERVICE, asked.header("x-goog-user-project"))?;
    let first =
        requests.next().await.unwrap_or_else(|| Err(Refusal::invalid("The stream has no request.")))?;
    let state = shared.state();
    let name = Name::read(&state, &first.subscription)?;
    if !(10..=600).contains(&first.stream_ack_deadline_seconds) {
        return Err(Refusal::invalid("Invalid stream_ack_deadline_seconds: it must be between 10 and 600."));
    }
    messages::consume(&state, &caller, &name)?;
    Ok((caller, name, first))
}

/// Lets the emulator have the conversation, but for what the subscription's filter holds back: the
/// emulator knows no filters.
async fn relay(
    shared: &Shared,
    emulator: &Emulator,
    name: &Name,
    (first, mut requests): (v1::StreamingPullRequest, Requests),
    sender: &Sender,
) -> Answer<()> {
    let (up, body) = mpsc::unbounded();
    let tell = |request: &v1::StreamingPullRequest| {
        // An emulator that no longer listens says so in its answer.
        let _ = up.unbounded_send(Ok(Frame::data(grpc::frame(request))));
    };
    tell(&first);
    let forth = async {
        while let Some(request) = requests.next().await {
            tell(&request?);
        }
        Ok(())
    };
    let back = async {
        let response = emulator.stream(PATH, StreamBody::new(body).boxed_unsync()).await?;
        let head = response.headers().clone();
        let mut responses = Messages::<v1::StreamingPullResponse>::new(response.into_body());
        while let Some(response) = responses.next().await {
            let mut response = response?;
            let held = hold_back(shared, name, &mut response.received_messages);
            if !held.is_empty() {
                tell(&v1::StreamingPullRequest { ack_ids: held, ..v1::StreamingPullRequest::default() });
            }
            if sender.unbounded_send(Ok(Frame::data(grpc::frame(&response)))).is_err() {
                break;
            }
        }
        grpc::status(&head).and(grpc::status(&responses.trailers))
    };
    tokio::select! {
        ended = forth => ended,
        ended = back => ended,
    }
}

/// Takes out what the filter does not let through, and gives the ids by which to acknowledge it.
fn hold_back(shared: &Shared, name: &Name, received: &mut Vec<v1::ReceivedMessage>) -> Vec<String> {
    let filter = shared.state().subscriptions.get(name.as_str()).and_then(Subscription::filter);
    let Some(filter) = filter else { return vec![] };
    let admits = |one: &mut v1::ReceivedMessage| {
        let attributes = one.message.iter().flat_map(|message| &message.attributes);
        let attributes = attributes.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        filter.admits(Some(&attributes))
    };
    received.extract_if(.., |one| !admits(one)).map(|one| one.ack_id).collect()
}

/// Has the conversation with what is in memory.
async fn converse(
    shared: &Shared,
    caller: &Caller,
    name: &Name,
    mut requests: Requests,
    sender: &Sender,
) -> Answer<()> {
    loop {
        let pause = async {
            sleep(PAUSE).await;
            messages::consume(&shared.state(), caller, name)?;
            messages::take(shared, name, AT_ONCE).await
        };
        let response = tokio::select! {
            request = requests.next() => match request {
                Some(request) => heed(shared, caller, name, request?).await?,
                None => return Ok(()),
            },
            received = pause => {
                let received = received?;
                if received.is_empty() {
                    continue;
                }
                let received_messages = received.iter().map(rpc::received_message).collect();
                v1::StreamingPullResponse { received_messages, ..v1::StreamingPullResponse::default() }
            }
        };
        if sender.unbounded_send(Ok(Frame::data(grpc::frame(&response)))).is_err() {
            return Ok(());
        }
    }
}

/// Does what a later request says. One that says nothing keeps the stream alive, and is answered in
/// kind.
async fn heed(
    shared: &Shared,
    caller: &Caller,
    name: &Name,
    request: v1::StreamingPullRequest,
) -> Answer<v1::StreamingPullResponse> {
    if !request.ack_ids.is_empty() {
        let body = json!({"ackIds": request.ack_ids});
        messages::settle(shared, caller, name, "acknowledge", &body).await?;
    }
    for (id, seconds) in request.modify_deadline_ack_ids.iter().zip(request.modify_deadline_seconds) {
        let body = json!({"ackIds": [id], "ackDeadlineSeconds": seconds});
        messages::settle(shared, caller, name, "modifyAckDeadline", &body).await?;
    }
    Ok(v1::StreamingPullResponse::default())
}
