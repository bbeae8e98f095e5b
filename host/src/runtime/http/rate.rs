//! The platform's rate limits: one bucket per declared rate, shared by all actions. Requests that wait are admitted by
//! class, so that a first product push of hours holds up no order; every tenth turn goes to the lowest class.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use crate::model::description::Rate;
use crate::runtime::power::{Class, Response};

const CLASSES: usize = 4;
/// Every so many turns the lowest waiting class goes first.
const SHARE: u32 = 10;

/// All buckets of a platform.
pub(super) struct Rates {
    buckets: Vec<Arc<Bucket>>,
}

struct Bucket {
    name: String,
    limiter: DefaultDirectRateLimiter,
    interval: Duration,
    concurrent: Option<Arc<Semaphore>>,
    remaining_header: Option<String>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: [VecDeque<oneshot::Sender<()>>; CLASSES],
    served: u32,
    serving: bool,
    paused_until: Option<Instant>,
}

/// A turn; dropped when the answer is there.
pub(super) struct Turn(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Rates {
    pub(super) fn new(rates: &[Rate]) -> Self {
        Self { buckets: rates.iter().map(|rate| Arc::new(Bucket::new(rate))).collect() }
    }

    /// Waits for a turn, at most `patience`.
    ///
    /// # Errors
    /// Seconds after which it is worth asking again.
    pub(super) async fn admit(&self, rate: Option<&str>, class: Class, patience: Duration) -> Result<Turn, u32> {
        let Some(bucket) = self.bucket(rate) else { return Ok(Turn(None)) };
        if let Some(wait) = bucket.paused_for().filter(|wait| *wait > patience) {
            return Err(seconds(wait));
        }
        let turn = async {
            let permit = match &bucket.concurrent {
                // The semaphore is never closed.
                Some(semaphore) => Arc::clone(semaphore).acquire_owned().await.ok(),
                None => None,
            };
            bucket.turn(class).await;
            Turn(permit)
        };
        timeout(patience, turn).await.map_err(|_| seconds(bucket.interval.max(Duration::from_secs(1))))
    }

    /// Takes `Retry-After` and the declared header into account; returns the platform's wish to wait.
    pub(super) fn learn(&self, rate: Option<&str>, response: &Response) -> Option<Duration> {
        let header = |name: &str| {
            response.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let bucket = self.bucket(rate);
        let wish =
            (matches!(response.status, 429 | 503)).then(|| header("retry-after").and_then(retry_after)).flatten();
        let wish = wish.or_else(|| {
            let bucket = bucket?;
            let left = header(bucket.remaining_header.as_deref()?)?.split('/').next()?.trim().parse::<f64>().ok()?;
            (left < 1.0).then_some(bucket.interval)
        });
        if let (Some(wish), Some(bucket)) = (wish, bucket) {
            let until = Instant::now() + wish;
            let mut queue = bucket.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.paused_until = Some(queue.paused_until.map_or(until, |paused| paused.max(until)));
        }
        wish
    }

    fn bucket(&self, rate: Option<&str>) -> Option<&Arc<Bucket>> {
        match rate {
            Some(name) => self.buckets.iter().find(|bucket| bucket.name == name).or(self.buckets.first()),
            None => self.buckets.first(),
        }
    }
}

impl Bucket {
    fn new(rate: &Rate) -> Self {
        // Requests per second may be a small fraction; the bucket counts time per request.
        let per_second = rate.per_second.max(Decimal::new(1, 6));
        let nanos = (Decimal::from(1_000_000_000) / per_second).to_u64().unwrap_or(u64::MAX).max(1);
        let interval = Duration::from_nanos(nanos);
        let burst = NonZeroU32::new(rate.burst.max(1)).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        Self {
            name: rate.name.clone(),
            limiter: RateLimiter::direct(quota),
            interval,
            concurrent: rate.concurrent.map(|most| Arc::new(Semaphore::new(most.max(1) as usize))),
            remaining_header: rate.remaining_header.clone(),
            queue: Mutex::default(),
        }
    }

    fn paused_for(&self) -> Option<Duration> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let left = queue.paused_until?.saturating_duration_since(Instant::now());
        if left.is_zero() {
            queue.paused_until = None;
            return None;
        }
        Some(left)
    }

    async fn turn(self: &Arc<Self>, class: Class) {
        let (sender, receiver) = oneshot::channel();
        let serve = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting[class as usize].push_back(sender);
            !std::mem::replace(&mut queue.serving, true)
        };
        if serve {
            tokio::spawn(Arc::clone(self).serve());
        }
        // The sender is only dropped unsent when the runtime shuts down.
        drop(receiver.await);
    }

    /// Hands out turns until nobody waits.
    async fn serve(self: Arc<Self>) {
        loop {
            while let Some(wait) = self.paused_for() {
                tokio::time::sleep(wait).await;
            }
            while let Err(not_until) = self.limiter.check() {
                tokio::time::sleep(not_until.wait_time_from(DefaultClock::default().now())).await;
            }
            loop {
                let next = {
                    let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                    match queue.pop() {
                        Some(next) => next,
                        None => {
                            queue.serving = false;
                            return;
                        }
                    }
                };
                // One who gave up waiting does not cost a turn.
                if next.send(()).is_ok() {
                    break;
                }
            }
        }
    }
}

impl Queue {
    fn pop(&mut self) -> Option<oneshot::Sender<()>> {
        self.served = self.served.wrapping_add(1);
        let lowest_first = self.served.is_multiple_of(SHARE);
        let mut classes: Vec<usize> = (0..CLASSES).collect();
        if lowest_first {
            classes.reverse();
        }
        classes.into_iter().find_map(|class| {
            let queue = &mut self.waiting[class];
            while queue.front().is_some_and(oneshot::Sender::is_closed) {
                queue.pop_front();
            }
            queue.pop_front()
        })
    }
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).unwrap_or(u32::MAX).max(1)
}

/// Seconds or an HTTP date.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let wait = at.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: i64, burst: u32) -> Rate {
        Rate {
            name: "api".into(),
            per_second: Decimal::from(per_second),
            burst,
            concurrent: None,
            remaining_header: Some("x-left".into()),
        }
    }

    fn response(status: u16, headers: &[(&str, &str)]) -> Response {
        Response {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: crate::runtime::power::Answer::Bytes(bytes::Bytes::new()),
            url: String::new(),
        }
    }

    #[tokio::test]
    async fn orders_go_before_products_but_products_are_not_starved() {
        let rates = Arc::new(Rates::new(&[rate(200, 1)]));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        // The first turn is free; the others queue up behind it.
        let _first = rates.admit(None, Class::Rest, Duration::from_secs(1)).await.unwrap();
        for class in std::iter::repeat_n(Class::Rest, 30).chain(std::iter::repeat_n(Class::Order, 30)) {
            let (rates, order) = (Arc::clone(&rates), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _turn = rates.admit(None, class, Duration::from_secs(10)).await.unwrap();
                order.lock().unwrap().push(class);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap();
        let last_order = order.iter().rposition(|class| *class == Class::Order).unwrap();
        let rest_before = order[..last_order].iter().filter(|class| **class == Class::Rest).count();
        assert!((2..=6).contains(&rest_before), "{rest_before} of the lowest class went before the last order");
    }

    #[tokio::test]
    async fn retry_after_holds_everybody_back() {
        let rates = Rates::new(&[rate(1000, 10)]);
        let wish = rates.learn(None, &response(429, &[("retry-after", "30")]));
        assert_eq!(wish, Some(Duration::from_secs(30)));
        let refused = rates.admit(None, Class::Order, Duration::from_secs(10)).await.err();
        assert!(refused.is_some_and(|seconds| (29..=30).contains(&seconds)), "{refused:?}");
    }

    #[tokio::test]
    async fn an_empty_bucket_header_pauses_for_one_interval() {
        let rates = Rates::new(&[rate(2, 10)]);
        assert_eq!(rates.learn(None, &response(200, &[("x-left", "0")])), Some(Duration::from_millis(500)));
        assert_eq!(rates.learn(None, &response(200, &[("x-left", "7/40")])), None);
    }

    #[test]
    fn http_dates_are_understood() {
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("soon"), None);
    }
}
