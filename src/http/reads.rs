//! The reads of one look: what several resources look at is requested once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, Shared};

use super::Answer;
use crate::error::Result;

tokio::task_local! {
    static LOOK: Reads;
}

/// An answer that has come or is coming.
type Coming = Shared<BoxFuture<'static, Result<Answer>>>;

/// What one look has requested so far, by URL. It is dropped with the look: a later one has to see what has changed.
#[derive(Clone, Default)]
pub(crate) struct Reads(Arc<Mutex<HashMap<String, Coming>>>);

impl Reads {
    /// Does `look`, whose reads are part of these.
    pub(crate) async fn within<T>(&self, look: impl Future<Output = T>) -> T {
        LOOK.scope(self.clone(), look).await
    }

    fn of_this_look() -> Option<Self> {
        LOOK.try_with(Self::clone).ok()
    }

    fn coming(&self, url: &str, read: impl FnOnce() -> BoxFuture<'static, Result<Answer>>) -> Coming {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.entry(url.to_owned()) {
            Entry::Occupied(there) => there.get().clone(),
            Entry::Vacant(free) => free.insert(read().shared()).clone(),
        }
    }

    /// A failure is no answer to whoever asks again.
    fn forget(&self, url: &str, read: &Coming) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(url).is_some_and(|there| there.ptr_eq(read)) {
            all.remove(url);
        }
    }
}

/// The answer at `url`, which `read` requests unless this look has done so.
///
/// # Errors
/// Those of `read`.
pub(crate) async fn once_a_look(
    url: &str,
    read: impl FnOnce() -> BoxFuture<'static, Result<Answer>>,
) -> Result<Answer> {
    let Some(reads) = Reads::of_this_look() else { return read().await };
    let coming = reads.coming(url, read);
    let answer = coming.clone().await;
    if !matches!(&answer, Ok(answer) if answer.is_success() || answer.status == 404) {
        reads.forget(url, &coming);
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::*;

    /// Counts how often it was called, and answers with each status once.
    fn server(statuses: &'static [u16]) -> (Arc<AtomicU16>, impl Fn() -> BoxFuture<'static, Result<Answer>>) {
        let calls = Arc::new(AtomicU16::new(0));
        let counted = Arc::clone(&calls);
        let read = move || {
            let status = statuses[usize::from(counted.fetch_add(1, Ordering::Relaxed))];
            async move { Ok(Answer::new(status, [], "")) }.boxed()
        };
        (calls, read)
    }

    async fn status(read: &impl Fn() -> BoxFuture<'static, Result<Answer>>) -> u16 {
        once_a_look("https://a/b", read).await.unwrap().status
    }

    #[tokio::test]
    async fn one_look_asks_once_and_the_next_one_again() {
        let (calls, read) = server(&[200, 404, 200]);
        let look = || Reads::default();
        let first =
            look().within(async { futures::join!(status(&read), status(&read), status(&read)) }).await;
        assert_eq!((first, calls.load(Ordering::Relaxed)), ((200, 200, 200), 1));
        let second = look();
        assert_eq!(second.within(status(&read)).await, 404);
        assert_eq!(second.within(status(&read)).await, 404, "what came early serves the look that follows");
        assert_eq!((status(&read).await, calls.load(Ordering::Relaxed)), (200, 3), "outside of a look");
    }

    #[tokio::test]
    async fn a_failure_is_asked_for_again() {
        let (calls, read) = server(&[429, 200]);
        let look = Reads::default();
        assert_eq!(look.within(status(&read)).await, 429);
        assert_eq!(look.within(status(&read)).await, 200);
        assert_eq!((look.within(status(&read)).await, calls.load(Ordering::Relaxed)), (200, 2));
    }
}
