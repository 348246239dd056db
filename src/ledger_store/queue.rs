use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What waits for the thread that writes. It takes many at once, because a transaction costs about as much as ten entries do,
/// whatever is in it.
///
/// Those who were told of the last transaction may well come again in a moment, and whoever came while it was written waits
/// already. So many are waited for, but not for long; who comes alone does not wait.
pub(super) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    enough: Condvar,
}

struct Waiting<T> {
    items: Vec<T>,
    /// How many the thread sleeps for; `None`: it is at work.
    wanted: Option<usize>,
    /// How many it took last.
    taken: usize,
    is_closed: bool,
}

/// How long a transaction waits for further entries at most.
const GATHERING: Duration = Duration::from_micros(500);

/// The most entries of one transaction.
const MOST_AT_ONCE: usize = 1024;

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let waiting = Waiting { items: Vec::new(), wanted: None, taken: 0, is_closed: false };
        Self { waiting: Mutex::new(waiting), enough: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Puts one in line. Where nothing is taken any more it is dropped.
    pub(super) fn put(&self, item: T) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        waiting.items.push(item);
        let is_enough = waiting.wanted.is_some_and(|wanted| waiting.items.len() >= wanted);
        drop(waiting);
        if is_enough {
            self.enough.notify_one();
        }
    }

    /// Waits for some, and takes them in the order in which they came. `None`: it is closed, and empty.
    pub(super) fn take(&self) -> Option<Vec<T>> {
        let mut waiting = self.lock();
        let likely = waiting.taken + waiting.items.len();
        waiting = self.sleep(waiting, 1, None);
        if likely > 1 {
            waiting = self.sleep(waiting, likely.min(MOST_AT_ONCE), Some(GATHERING));
        }
        waiting.taken = waiting.items.len().min(MOST_AT_ONCE);
        if waiting.taken == 0 {
            return None;
        }
        let later = if waiting.items.len() > MOST_AT_ONCE { waiting.items.split_off(MOST_AT_ONCE) } else { Vec::new() };
        Some(std::mem::replace(&mut waiting.items, later))
    }

    /// Takes no more. What waits is still taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.enough.notify_one();
    }

    /// Closes it when it is dropped, and drops what waits then.
    pub(super) fn closing(&self) -> impl Drop + '_ {
        Closing(self)
    }

    /// Sleeps until so many wait, it is closed, or the time is over.
    fn sleep<'a>(
        &self,
        mut waiting: MutexGuard<'a, Waiting<T>>,
        wanted: usize,
        most: Option<Duration>,
    ) -> MutexGuard<'a, Waiting<T>> {
        waiting.wanted = Some(wanted);
        let too_few = |waiting: &mut Waiting<T>| waiting.items.len() < wanted && !waiting.is_closed;
        let mut waiting = match most {
            None => self.enough.wait_while(waiting, too_few).unwrap_or_else(PoisonError::into_inner),
            Some(most) => {
                self.enough.wait_timeout_while(waiting, most, too_few).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        waiting.wanted = None;
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a queue with the thread that takes from it.
struct Closing<'a, T>(&'a Queue<T>);

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.is_closed = true;
        waiting.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::{MOST_AT_ONCE, Queue};

    #[test]
    fn what_waits_is_taken_in_order_and_the_rest_later() {
        let queue = Queue::default();
        (0..MOST_AT_ONCE + 3).for_each(|item| queue.put(item));
        assert_eq!(queue.take(), Some((0..MOST_AT_ONCE).collect()));
        queue.put(7);
        assert_eq!(queue.take(), Some(vec![MOST_AT_ONCE, MOST_AT_ONCE + 1, MOST_AT_ONCE + 2, 7]));
    }

    #[test]
    fn what_is_put_is_taken_once_whoever_puts_it() {
        let queue = Arc::new(Queue::default());
        let putting = |from: usize| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (from..from + 2000).for_each(|item| queue.put(item)))
        };
        let putting: Vec<_> = [0, 2000, 4000].into_iter().map(putting).collect();
        let mut taken = Vec::new();
        while taken.len() < 6000 {
            taken.extend(queue.take().unwrap());
        }
        for thread in putting {
            thread.join().unwrap();
        }
        taken.sort_unstable();
        assert_eq!(taken, (0..6000).collect::<Vec<_>>());
    }

    #[test]
    fn one_that_is_closed_ends_when_it_is_empty() {
        let queue = Queue::default();
        queue.put(1);
        queue.close();
        queue.put(2);
        assert_eq!((queue.take(), queue.take()), (Some(vec![1]), None));
    }

    #[test]
    fn who_waits_when_the_taker_is_gone_is_dropped() {
        let (queue, item) = (Queue::default(), Arc::new(()));
        queue.put(Arc::clone(&item));
        drop(queue.closing());
        queue.put(Arc::clone(&item));
        assert_eq!((Arc::strong_count(&item), queue.take()), (1, None));
    }
}
