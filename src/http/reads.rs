//! The reads of one look: what several resources look at is requested once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, Shared};

use super::Answer;
use crate::error::Result;

/// What a look can share.
pub(crate) trait Shareable: Clone + Send + Sync + 'static {
    /// The HTTP status.
    fn status(&self) -> u16;
}

impl Shareable for Answer {
    fn status(&self) -> u16 {
        self.status
    }
}

tokio::task_local! {
    static LOOK: Reads;
}

/// An answer that has come or is coming.
type Coming<A> = Shared<BoxFuture<'static, Result<A>>>;

/// What one look has requested so far, by URL. It is dropped with the look: a later one has to see what has changed.
#[derive(Clone, Default)]
pub(crate) struct Reads(Arc<Mutex<HashMap<String, Box<dyn Any + Send>>>>);

impl Reads {
    /// Does `look`, whose reads are part of these.
    pub(crate) async fn within<T>(&self, look: impl Future<Output = T>) -> T {
        LOOK.scope(self.clone(), look).await
    }

    fn of_this_look() -> Option<Self> {
        LOOK.try_with(Self::clone).ok()
    }

    fn coming<A: Shareable>(
        &self,
        url: &str,
        read: impl FnOnce() -> BoxFuture<'static, Result<A>>,
    ) -> Coming<A> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = all.get(url).and_then(|there| there.downcast_ref::<Coming<A>>()).cloned();
        there.unwrap_or_else(|| {
            let coming = read().shared();
            all.insert(url.to_owned(), Box::new(coming.clone()));
            coming
        })
    }

    /// A failure that passes is no answer to whoever asks again.
    fn forget<A: Shareable>(&self, url: &str, read: &Coming<A>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = all.get(url).and_then(|there| there.downcast_ref::<Coming<A>>());
        if there.is_some_and(|there| there.ptr_eq(read)) {
            all.remove(url);
        }
    }
}

/// The answer at `url`, which `read` requests unless this look has done so.
///
/// # Errors
/// Those of `read`.
pub(crate) async fn once_a_look<A: Shareable>(
    url: &str,
    read: impl FnOnce() -> BoxFuture<'static, Result<A>>,
) -> Result<A> {
    let Some(reads) = Reads::of_this_look() else { return read().await };
    let coming = reads.coming(url, read);
    let answer = coming.clone().await;
    let is_final = match &answer {
        Ok(answer) => matches!(answer.status(), 200..300 | 404),
        Err(error) => !error.passes(),
    };
    if !is_final {
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
