//! Calls that change something, each seen through to the end of its operation.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use azure_core::http::Method;
use serde_json::Value;

use super::answer::Said;
use super::operation::{Stage, Watch, begun, watched};
use super::{Arm, Call, is_absent};
use crate::error::{Error, Kind, Result};
use crate::providers::azure::failure::explain;

/// The pause between two checks of a deletion.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

impl Arm {
    /// Creates or replaces the resource `id` and waits for the result: while the operation runs, the error is
    /// [`Kind::NotYet`] within `budget`, and the same call polls it.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub(crate) async fn put(&self, id: &str, body: &Value, budget: Duration, call: Call<'_>) -> Result<()> {
        self.change(Method::Put, id, Some(body), budget, call).await
    }

    /// Changes the fields in `body` of the resource `id`; otherwise as [`Arm::put`].
    ///
    /// # Errors
    /// As [`Arm::put`].
    pub(crate) async fn patch(&self, id: &str, body: &Value, budget: Duration, call: Call<'_>) -> Result<()> {
        self.change(Method::Patch, id, Some(body), budget, call).await
    }

    /// Deletes the resource `id`; otherwise as [`Arm::put`]. Already gone is success.
    ///
    /// # Errors
    /// As [`Arm::put`].
    pub(crate) async fn delete(&self, id: &str, budget: Duration, call: Call<'_>) -> Result<()> {
        self.change(Method::Delete, id, None, budget, call).await
    }

    /// Deletes the resource `id` and waits until it no longer exists, which for a container or a queue is
    /// some time after the call was accepted: two consecutive reads must show nothing (Z13, Z14).
    ///
    /// # Errors
    /// As [`Arm::put`].
    pub(crate) async fn remove(&self, id: &str, budget: Duration, call: Call<'_>) -> Result<()> {
        self.delete(id, budget, call).await?;
        for _ in 0..2 {
            if self.get(id, call).await?.is_some() {
                return Err(Error::new(Kind::NotYet, "a deletion that is still under way").within(budget));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// Waits for what happens to the resource `id` already, whoever began it: as [`Arm::put`] without
    /// the call that begins it.
    ///
    /// # Errors
    /// As [`Arm::put`].
    pub(crate) async fn settle(&self, id: &str, budget: Duration, call: Call<'_>) -> Result<()> {
        let begun = [Method::Put, Method::Patch].map(|method| key(method, id));
        let key = begun.iter().find(|key| self.pending(key).is_some()).unwrap_or(&begun[0]);
        let watch = self.pending(key).unwrap_or(Watch::Resource);
        self.follow(key, id, watch, budget, call).await
    }

    async fn change(
        &self,
        method: Method,
        id: &str,
        body: Option<&Value>,
        budget: Duration,
        call: Call<'_>,
    ) -> Result<()> {
        let key = key(method, id);
        if let Some(watch) = self.pending(&key) {
            return self.follow(&key, id, watch, budget, call).await;
        }
        let deleting = method == Method::Delete;
        if deleting {
            // An operation that created or updated it ends with it, and no later call must wait for that.
            for ended in [Method::Put, Method::Patch] {
                self.forget(&self::key(ended, id));
            }
        }
        let answer = self.send(method, self.url(id, call)?, body, call).await?;
        let progress = if answer.is_success() {
            answer.require_arm(call)?;
            begun(&answer, deleting)
        } else if deleting && is_absent(&answer) {
            Stage::Done
        } else if answer.said().code == "StorageAccountOperationInProgress" && makes_account(method, id) {
            Stage::Running(Watch::MAYBE_BEGUN, answer.retry_after())
        } else {
            return Err(explain(&answer, call.action, call.target));
        };
        self.conclude(&key, progress, budget, call)
    }

    async fn follow(
        &self,
        key: &str,
        id: &str,
        watch: Watch,
        budget: Duration,
        call: Call<'_>,
    ) -> Result<()> {
        let url = match &watch {
            Watch::Status(url) | Watch::Location(url) => self.pinned(url, call)?,
            Watch::Resource | Watch::Missing(_) | Watch::Absence => self.url(id, call)?,
        };
        let answer = self.send(Method::Get, url, None, call).await?;
        if answer.is_success() {
            answer.require_arm(call)?;
        } else if !matches!(answer.status, 404 | 410) || !answer.is_arms() {
            let error = explain(&answer, call.action, call.target);
            if !error.passes() {
                self.forget(key);
            }
            return Err(error);
        }
        self.conclude(key, watched(&watch, &answer), budget, call)
    }

    fn conclude(&self, key: &str, progress: Stage, budget: Duration, call: Call<'_>) -> Result<()> {
        match progress {
            Stage::Done => {
                self.forget(key);
                Ok(())
            }
            Stage::Running(watch, wait) => {
                // An account that is only seen to be in creation may be somebody else's.
                let accepted = !matches!(watch, Watch::Resource | Watch::Missing(_));
                self.lock().insert(key.to_owned(), watch);
                let error =
                    Error::new(Kind::NotYet, "an operation of Azure that is still under way").within(budget);
                let error = if accepted { error.under_way() } else { error };
                Err(match wait {
                    Some(wait) => error.retry_after(wait),
                    None => error,
                })
            }
            Stage::Vanished => {
                self.forget(key);
                let text = format!("{} on {}: it vanished while Azure created it", call.action, call.target);
                Err(Error::new(Kind::NotYet, text)
                    .within(budget)
                    .hint("somebody may be deleting it; check the activity log of the resource group, and run again"))
            }
            Stage::Failed(Said { code, message }) => {
                self.forget(key);
                let text = format!("{} on {}: the operation ended as {code}", call.action, call.target);
                let error = Error::new(Kind::Failed, text)
                    .hint("run again; if it fails again, check the activity log of the resource group");
                Err(if message.is_empty() { error } else { error.because(message) })
            }
        }
    }

    fn pending(&self, key: &str) -> Option<Watch> {
        self.lock().get(key).cloned()
    }

    fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Watch>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the running operation may be this very call: an account can be created by one that returned an
/// error (Z3). Any other update must be requested again.
fn makes_account(method: Method, id: &str) -> bool {
    let kind = id.rsplit('/').nth(1).unwrap_or_default();
    method == Method::Put && kind.eq_ignore_ascii_case("storageAccounts")
}

fn key(method: Method, id: &str) -> String {
    format!("{method} {id}")
}
