//! Cloud Storage: gRPC, JSON and XML.

pub(super) mod bucket;
mod bucket_iam;
pub(super) mod bucket_json;
mod cors;
pub(super) mod event;
mod json;
mod names;
pub(super) mod notifications;
mod object;
pub(super) mod objects;
mod signed;

pub(super) use signed::url as signed_url;
pub(super) mod uploads;
mod xml;

use googleapis_tonic_google_storage_v2::google::iam::v1::{
    GetIamPolicyRequest, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
};
use googleapis_tonic_google_storage_v2::google::storage::v2;
use hyper::Response;
use prost::Message;

use super::asked::Asked;
use super::caller::Caller;
use super::grpc;
use super::policy::Wanted;
use super::refusal::{Answer, Refusal};
use super::server::Body;
use super::state::State;

pub(super) use json::answer as json;
pub(super) use xml::answer as xml;

const SERVICE: &str = "storage.googleapis.com";

/// `google.storage.v2.Storage`:
/// <https://cloud.google.com/storage/docs/reference/rpc/google.storage.v2>.
pub(super) fn rpc(state: &mut State, asked: &Asked, method: &str) -> Response<Body> {
    let caller = match admit(state, asked) {
        Ok(caller) => caller,
        Err(refusal) => return grpc::reply::<()>(Err(refusal)),
    };
    match method {
        "CreateBucket" => unary(asked, |request| bucket::create(state, &caller, request)),
        "GetBucket" => unary(asked, |request| bucket::get(state, &caller, &request)),
        "ListBuckets" => unary(asked, |request| bucket::list(state, &caller, &request)),
        "UpdateBucket" => unary(asked, |request| bucket::update(state, &caller, request)),
        "DeleteBucket" => unary(asked, |request| bucket::delete(state, &caller, &request)),
        "LockBucketRetentionPolicy" => unary(asked, |request| bucket::lock(state, &caller, &request)),
        "GetIamPolicy" => unary(asked, |request: GetIamPolicyRequest| {
            let version = request.options.map_or(0, |options| options.requested_policy_version);
            let bucket = names::bucket(&request.resource)?;
            Ok(bucket_iam::get(state, &caller, bucket, version.into())?.proto())
        }),
        "SetIamPolicy" => unary(asked, |request: SetIamPolicyRequest| {
            let resource = request.resource.clone();
            let bucket = names::bucket(&resource)?;
            Ok(bucket_iam::set(state, &caller, bucket, Wanted::proto(request))?.proto())
        }),
        "TestIamPermissions" => unary(asked, |request: TestIamPermissionsRequest| {
            let bucket = names::bucket(&request.resource)?;
            let permissions = bucket_iam::test(state, &caller, bucket, request.permissions);
            Ok(TestIamPermissionsResponse { permissions })
        }),
        "ListObjects" => unary(asked, |request: v2::ListObjectsRequest| {
            let bucket = names::bucket(&request.parent)?;
            let page = objects::list(state, &caller, bucket, &request)?;
            Ok(v2::ListObjectsResponse {
                objects: page.objects.iter().map(|object| object.proto(bucket)).collect(),
                prefixes: page.prefixes,
                next_page_token: page.next,
            })
        }),
        "GetObject" => unary(asked, |request: v2::GetObjectRequest| {
            let bucket = names::bucket(&request.bucket)?;
            let conditions = objects::Conditions {
                generation: request.if_generation_match,
                not_generation: request.if_generation_not_match,
                metageneration: request.if_metageneration_match,
                not_metageneration: request.if_metageneration_not_match,
            };
            let which = (request.object.as_str(), request.generation);
            Ok(objects::get(state, &caller, bucket, which, conditions)?.proto(bucket))
        }),
        "UpdateObject" => unary(asked, |request: v2::UpdateObjectRequest| {
            let object = request.object.unwrap_or_default();
            let mask = request.update_mask.unwrap_or_default().paths;
            let holds = (
                mask.iter().any(|path| path == "event_based_hold").then(|| object.event_based_hold()),
                mask.iter().any(|path| path == "temporary_hold").then_some(object.temporary_hold),
            );
            let bucket = names::bucket(&object.bucket)?;
            let which = (object.name.as_str(), object.generation);
            Ok(objects::update(state, &caller, bucket, which, holds)?.proto(bucket))
        }),
        "DeleteObject" => unary(asked, |request: v2::DeleteObjectRequest| {
            let bucket = names::bucket(&request.bucket)?;
            let conditions = objects::Conditions {
                generation: request.if_generation_match,
                not_generation: request.if_generation_not_match,
                metageneration: request.if_metageneration_match,
                not_metageneration: request.if_metageneration_not_match,
            };
            let which = (request.object.as_str(), request.generation);
            objects::delete(state, &caller, bucket, which, conditions)
        }),
        _ => grpc::reply::<()>(Err(Refusal::unknown_call(&asked.path))),
    }
}

/// What is asked of every gRPC request: that the API serves, that somebody asks, and the header by
/// which the cloud finds the bucket or the project (<https://google.aip.dev/client-libraries/4222>).
fn admit(state: &State, asked: &Asked) -> Answer<Caller> {
    let caller = Caller::known(asked)?;
    state.serves(SERVICE, asked.header("x-goog-user-project"))?;
    let routed = asked.header("x-goog-request-params").unwrap_or_default();
    if !["bucket=", "project=", "resource="].iter().any(|field| routed.contains(field)) {
        return Err(Refusal::invalid("The request lacks its routing header, x-goog-request-params."));
    }
    Ok(caller)
}

fn unary<Q, A>(asked: &Asked, handle: impl FnOnce(Q) -> Answer<A>) -> Response<Body>
where
    Q: Message + Default,
    A: Message,
{
    grpc::reply(grpc::message(&asked.body).and_then(handle))
}
