//! Logs every request with `--verbose`: which operation, where to, what came back and how long it took.
//! Only the fields listed here are logged; headers, bodies and queries never are.

use std::sync::Arc;
use std::time::Instant;

use crate::mutations::Mutations;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};

/// Whether an operation of S3, SQS, STS or IAM changes anything.
fn changes_something(operation: &str) -> bool {
    !["Get", "List", "Head", "Simulate"].iter().any(|verb| operation.starts_with(verb))
}

/// Writes one record an attempt, and counts those that change something.
#[derive(Debug)]
pub(crate) struct RequestLog {
    /// What has been sent that changes something.
    pub mutations: Arc<Mutations>,
}

#[derive(Debug)]
struct Begun(Instant);

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for RequestLog {
    fn name(&self) -> &'static str {
        "RequestLog"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if bag.load::<Metadata>().is_none_or(|operation| changes_something(operation.name())) {
            self.mutations.sent();
        }
        let mut layer = Layer::new("RequestLog");
        layer.store_put(Begun(Instant::now()));
        bag.push_layer(layer);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) =
            bag.load::<Metadata>().map_or(("", ""), |metadata| (metadata.service(), metadata.name()));
        let took = bag.load::<Begun>().map_or(0, |Begun(begun)| begun.elapsed().as_millis());
        let response = context.response();
        let status = response.map_or(0, |response| response.status().as_u16());
        let id = response.and_then(|response| {
            let headers = response.headers();
            headers.get("x-amz-request-id").or_else(|| headers.get("x-amzn-requestid"))
        });
        if changes_something(operation) && status != 0 {
            self.mutations.answered(status);
        }
        tracing::info!(
            service,
            operation,
            status,
            took_ms = took,
            request_id = id.unwrap_or_default(),
            "request"
        );
        Ok(())
    }
}
