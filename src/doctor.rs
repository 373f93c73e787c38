//! What `doctor` finds out: about this machine by itself, and about a cloud with its credentials. Questions are
//! answered side by side, each until a deadline, and no request changes anything. No answer has the value of a
//! secret, so that all of them can be pasted into an issue.

mod certificates;
mod clock;
mod permissions;
mod proxy;
mod reads;
mod version;

use futures::future::{BoxFuture, FutureExt, Shared, join, join_all};
use tokio::sync::mpsc::unbounded_channel;

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::verify::{Check, CheckSender, Checking, Verdict, failed, inconclusive, passed};

pub(crate) use clock::clock;
pub(crate) use permissions::{Permission, Tested, judge};
pub(crate) use reads::reads;

/// The name of the question that every cloud has.
pub(crate) const CREDENTIALS: &str = "credentials";

/// One line of `doctor`, before it is answered. Nothing is sent until then.
pub(crate) struct Question {
    name: &'static str,
    answer: BoxFuture<'static, Verdict>,
    /// Whether it is a failure where something is not there.
    is_required: bool,
}

impl Question {
    pub(crate) fn new(name: &'static str, answer: impl Future<Output = Verdict> + Send + 'static) -> Self {
        Self { name, answer: answer.boxed(), is_required: true }
    }

    /// Whether it is for the credentials of a cloud.
    pub(crate) fn is_for_credentials(&self) -> bool {
        self.name == CREDENTIALS
    }

    /// The same where nothing has to be there.
    #[must_use]
    pub(crate) fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }

    async fn verdict(self, name: &str, deadline: &Deadline) -> Verdict {
        match (deadline.wait(name, self.answer).await, self.is_required) {
            (Ok(Verdict::Failed { reason, .. }), false) => passed(format!("none that can be used: {reason}")),
            (Ok(verdict), _) => verdict,
            (Err(overdue), true) => failed(
                overdue.to_string(),
                "check the network and any proxy, or allow more time with `--within`",
            ),
            (Err(overdue), false) => inconclusive(overdue.to_string()),
        }
    }
}

/// What several questions wait for; it is found out once.
pub(crate) type Common<T> = Shared<BoxFuture<'static, Result<T>>>;

pub(crate) fn common<T: Clone>(work: impl Future<Output = Result<T>> + Send + 'static) -> Common<T> {
    work.boxed().shared()
}

/// The questions about this machine.
pub(crate) fn of_this_machine() -> Vec<Question> {
    vec![
        Question::new("version", async { version::verdict() }),
        Question::new("proxy", async { proxy::verdict(|name| std::env::var(name).ok()) }),
        Question::new("certificates", certificates::verdict()),
    ]
}

/// Answers `questions` side by side, each until `deadline`, and sends the checks in the order of the questions. Each
/// comes with the name of its cloud.
pub(crate) async fn answer(
    questions: Vec<(Option<&'static str>, Question)>,
    deadline: &Deadline,
    sender: &CheckSender,
) {
    let (answers, mut receivers): (Vec<_>, Vec<_>) = questions
        .into_iter()
        .map(|(cloud, question)| {
            let (own, receiver) = unbounded_channel();
            let answer = async move {
                let name = question.name;
                let name = cloud.map_or_else(|| name.to_owned(), |cloud| format!("{cloud} {name}"));
                let verdict = question.verdict(&name, deadline).await;
                let _ = own.send(Checking::Known(Check { name, verdict }));
            };
            (answer, receiver)
        })
        .unzip();
    let in_order = async {
        for receiver in &mut receivers {
            if let Some(checking) = receiver.recv().await {
                let _ = sender.send(checking);
            }
        }
    };
    join(join_all(answers), in_order).await;
}

/// The verdict where a call failed.
pub(crate) fn faulted(error: &Error) -> Verdict {
    Verdict::Failed { reason: error.chain(), hint: error.what_next().map(str::to_owned) }
}

/// The verdict on what cannot be asked because of `error`, which another line shows with its hint.
pub(crate) fn unasked(error: &Error) -> Verdict {
    inconclusive(format!("not checked: {}", error.chain()))
}

/// The verdict on what an option would name, which is missing.
pub(crate) fn omitted(error: &Error) -> Verdict {
    let hint = error.what_next().map(|hint| format!("; {hint}")).unwrap_or_default();
    inconclusive(format!("not checked: {}{hint}", error.chain()))
}

/// Those of `names` that are set in the environment and not empty.
pub(crate) fn set_of(names: &[&'static str]) -> Vec<&'static str> {
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    names.iter().filter(is_set).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_holds_up_no_other_and_the_order_is_kept() {
        let hangs = Question::new("hangs", std::future::pending());
        let answered = Question::new(CREDENTIALS, async { passed("a") });
        let deadline = Deadline::begin(Duration::from_secs(10), CancellationToken::new());
        let (sender, mut receiver) = unbounded_channel();
        answer(vec![(Some("aws"), hangs), (None, answered)], &deadline, &sender).await;
        drop(sender);
        let mut seen = vec![];
        while let Some(Checking::Known(check)) = receiver.recv().await {
            seen.push(check);
        }
        let reason = "timed out after 10.0 s waiting for aws hangs";
        assert!(matches!(&seen[0].verdict, Verdict::Failed { reason: why, .. } if why == reason), "{seen:?}");
        assert_eq!((seen[0].name.as_str(), seen[1].name.as_str()), ("aws hangs", CREDENTIALS));
        assert_eq!(seen[1].verdict, passed("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_required_may_be_missing() {
        let deadline = Deadline::begin(Duration::from_secs(10), CancellationToken::new());
        let missing = Question::new(CREDENTIALS, async { failed("no credentials", "log in") }).optional();
        let verdict = missing.verdict("credentials", &deadline).await;
        assert_eq!(verdict, passed("none that can be used: no credentials"));
        let late = Question::new(CREDENTIALS, std::future::pending()).optional();
        let verdict = late.verdict("credentials", &deadline).await;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    }
}
