//! What is in a queue.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{AzureDouble, Service};
use super::contents::succeeded;

impl AzureDouble {
    /// The bodies of up to 32 messages in a queue, without base64 where they have it.
    pub async fn messages(&self, account: &str, queue: &str) -> std::io::Result<Vec<String>> {
        let path = format!("/{account}/{queue}/messages?peekonly=true&numofmessages=32");
        let reply = self.shared.plane.ask(Service::Queue, Method::GET, &path, &[], "").await?;
        let text = String::from_utf8_lossy(reply.body());
        let document = roxmltree::Document::parse(&text).map_err(std::io::Error::other)?;
        let bodies = document.descendants().filter(|node| node.tag_name().name() == "MessageText");
        Ok(bodies
            .map(|node| {
                let text = node.text().unwrap_or_default();
                let plain = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                plain.unwrap_or_else(|| text.to_owned())
            })
            .collect())
    }

    /// Puts a message into a queue; its text may hold nothing that XML reads as its own.
    pub async fn plant_message(&self, account: &str, queue: &str, text: &str) -> std::io::Result<()> {
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let path = format!("/{account}/{queue}/messages");
        succeeded(self.shared.plane.ask(Service::Queue, Method::POST, &path, &[], body).await?)
    }
}
