//! How each fault is carried out.

use std::sync::Arc;

use hyper::Method;
use hyper::header::DATE;

use super::outcome::Outcome;
use super::reword::reworded;
use super::{Shared, faithful, in_its_place};
use crate::call::Call;
use crate::dialect::Service;
use crate::fault::{Armed, Failure, Fault, Keys, Side};
use crate::reply::{self, Reply};

/// Seconds. More than this, and no cloud trusts a signature's time.
const ALLOWED_SKEW: i64 = 15 * 60;

pub(super) async fn answer(shared: &Arc<Shared>, call: &Arc<Call>, armed: &Armed) -> Outcome {
    match armed.fault() {
        Fault::DropBefore => Outcome::Nothing,
        Fault::DropAfter => {
            faithful(shared, call).await;
            Outcome::Nothing
        }
        Fault::Hang(Side::Before) => match armed.hang().await {
            true => Outcome::Whole(faithful(shared, call).await),
            false => Outcome::Nothing,
        },
        Fault::Hang(Side::After) => {
            let reply = faithful(shared, call).await;
            match armed.hang().await {
                true => Outcome::Whole(reply),
                false => Outcome::Nothing,
            }
        }
        Fault::Delay(delay) => {
            let reply = faithful(shared, call).await;
            tokio::time::sleep(*delay).await;
            Outcome::Whole(reply)
        }
        Fault::Truncate => Outcome::Half(faithful(shared, call).await),
        Fault::Fail(failure, side) => {
            if *side == Side::After {
                faithful(shared, call).await;
            }
            Outcome::Whole(failure.spell(call).reply(call))
        }
        // A HEAD has no body to hold an error.
        Fault::OkWithError(failure) if call.service == Service::S3 && call.method != Method::HEAD => {
            Outcome::Whole(failure.spell(call).reply_as(200, call))
        }
        Fault::OkWithError(_) => Outcome::Whole(faithful(shared, call).await),
        Fault::Html => Outcome::Whole(web_page(502)),
        Fault::Portal => Outcome::Whole(web_page(200)),
        Fault::Stale => Outcome::Whole(match shared.state.remembered(call) {
            Some(reply) => reply,
            None => faithful(shared, call).await,
        }),
        Fault::KeyErrors(failure, keys) => {
            Outcome::Whole(delete_some(shared, call, armed, failure, keys).await)
        }
        Fault::Skew(seconds) => Outcome::Whole(skewed(shared, call, *seconds).await),
        Fault::Reword(words) => Outcome::Whole(reworded(faithful(shared, call).await, words)),
    }
}

/// What becomes of a request that is passed on as it comes; `None` when it may flow. As such a request
/// has no end, nothing can strike after it.
pub(super) async fn before_it_flows(call: &Call, armed: &Armed) -> Option<Outcome> {
    match armed.fault() {
        Fault::DropBefore | Fault::DropAfter | Fault::Truncate => Some(Outcome::Nothing),
        Fault::Fail(failure, _) => Some(Outcome::Whole(failure.spell(call).reply(call))),
        Fault::Html => Some(Outcome::Whole(web_page(502))),
        Fault::Portal => Some(Outcome::Whole(web_page(200))),
        Fault::Hang(_) => (!armed.hang().await).then_some(Outcome::Nothing),
        Fault::Delay(delay) => {
            tokio::time::sleep(*delay).await;
            None
        }
        Fault::OkWithError(_) | Fault::Stale | Fault::KeyErrors(..) | Fault::Skew(_) | Fault::Reword(_) => {
            None
        }
    }
}

fn web_page(status: u16) -> Reply {
    reply::reply(
        status,
        "text/html",
        "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>",
    )
}

/// Takes the failing keys out of the request, lets the emulator delete the rest, and adds the
/// errors to its answer.
async fn delete_some(
    shared: &Arc<Shared>,
    call: &Arc<Call>,
    armed: &Armed,
    failure: &Failure,
    keys: &Keys,
) -> Reply {
    let Ok(document) = roxmltree::Document::parse(call.text()) else {
        return faithful(shared, call).await;
    };
    let error = failure.spell(call);
    let (mut rest, mut errors, mut end) = (String::new(), String::new(), 0);
    let mut spared = 0;
    for object in document.descendants().filter(|node| node.tag_name().name() == "Object") {
        let text =
            |name| object.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
        let key = text("Key").unwrap_or_default();
        if !armed.fails_key(keys, key) {
            spared += 1;
            continue;
        }
        let range = object.range();
        rest.push_str(&call.text()[end..range.start]);
        end = range.end;
        let version = text("VersionId").map(|id| format!("<VersionId>{id}</VersionId>")).unwrap_or_default();
        errors.push_str(&format!(
            "<Error><Key>{}</Key>{version}<Code>{}</Code><Message>{}</Message></Error>",
            reply::escape(key),
            error.code,
            reply::escape(&error.message),
        ));
    }
    rest.push_str(&call.text()[end..]);
    if spared == 0 {
        return delete_result(&errors);
    }
    let shorter = Arc::new(call.with_body(rest));
    let reply = in_its_place(shared, call, shorter).await;
    if errors.is_empty() || !reply.status().is_success() {
        return reply;
    }
    let answered = String::from_utf8_lossy(reply.body());
    match answered.rsplit_once("</DeleteResult>") {
        Some((done, _)) => {
            let body = format!("{done}{errors}</DeleteResult>");
            reply.map(|_| body.into())
        }
        // Nothing to report on the others: the request was a quiet one.
        None => delete_result(&errors),
    }
}

fn delete_result(errors: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{errors}</DeleteResult>"
    );
    reply::reply(200, "application/xml", body)
}

/// Refuses a signature that is too old by the service's own clock, and tells that clock's time in
/// every answer, so that a client can set its own by it.
async fn skewed(shared: &Arc<Shared>, call: &Arc<Call>, seconds: i64) -> Reply {
    let theirs = jiff::Timestamp::now().as_second() + seconds;
    let mut reply = match call.signed_at() {
        Some(signed) if (signed - theirs).abs() > ALLOWED_SKEW => {
            call.dialect.too_skewed(theirs, ALLOWED_SKEW, call).reply(call)
        }
        _ => faithful(shared, call).await,
    };
    if let Ok(moment) = jiff::Timestamp::from_second(theirs) {
        let date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply::set(&mut reply, DATE.as_str(), &date);
    }
    reply
}
