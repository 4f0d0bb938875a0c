//! How often an address asks: a bucket of tokens for each, whoever it proves to be.

use crate::http::problem::Problem;
use axum::extract::{ConnectInfo, Request};
use einthoven_auth::TooMany;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are told apart at once; the others share one bucket.
const MOST: usize = 65_536;

/// How often those that are full again are looked for where there is no room.
const SWEEP: Duration = Duration::from_secs(1);

/// A bucket for each address.
#[derive(Debug)]
pub(crate) struct Addresses {
    per_second: f64,
    /// Most tokens of a bucket.
    full: f64,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    buckets: HashMap<IpAddr, Bucket>,
    /// When those that are full again were taken out.
    swept: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// Requests that an address may send at once after a pause.
pub(crate) fn burst(per_second: u32) -> f64 {
    2.0 * f64::from(per_second)
}

impl Addresses {
    /// Each address may ask that often, and twice as often for a second.
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second),
            full: burst(per_second),
            table: Mutex::default(),
        }
    }

    /// Refuses a request of an address that asks too often.
    pub(crate) fn meter(&self, request: &Request) -> Result<(), Problem> {
        if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
            self.take(peer.ip(), Instant::now())?;
        }
        Ok(())
    }

    fn take(&self, address: IpAddr, now: Instant) -> Result<(), TooMany> {
        let (rate, full) = (self.per_second, self.full);
        let filled = |bucket: &Bucket| {
            let more = now.saturating_duration_since(bucket.at).as_secs_f64() * rate;
            (bucket.tokens + more).min(full)
        };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { buckets, swept } = &mut *table;
        let mut address = of_one_network(address);
        if buckets.len() >= MOST && !buckets.contains_key(&address) {
            // Not each time: whoever has many addresses must not make each request slow.
            if swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP) {
                buckets.retain(|_, bucket| filled(bucket) < full);
                *swept = Some(now);
            }
            if buckets.len() >= MOST {
                address = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket { tokens: full, at: now });
        let tokens = filled(bucket);
        let left = tokens - 1.0;
        *bucket = Bucket {
            tokens: if left < 0.0 { tokens } else { left },
            at: now,
        };
        if left >= 0.0 {
            return Ok(());
        }
        Err(TooMany {
            retry_after: Duration::from_secs_f64(-left / rate),
        })
    }
}

/// Who has an address of IPv6 has the 64 bits behind it too.
fn of_one_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_bucket_and_ipv6_one_for_a_network() {
        let addresses = Addresses::new(10);
        let start = Instant::now();
        let passed = |address: &str, now| {
            let address = address.parse().unwrap();
            (0..100).filter(|_| addresses.take(address, now).is_ok()).count()
        };
        assert_eq!(passed("192.0.2.1", start), 20);
        assert_eq!(passed("::ffff:192.0.2.1", start), 0);
        assert_eq!(passed("192.0.2.2", start), 20);
        assert_eq!(passed("2001:db8:0:1::1", start), 20);
        assert_eq!(passed("2001:db8:0:1:ffff::9", start), 0);
        assert_eq!(passed("2001:db8:0:2::1", start), 20);
        assert_eq!(passed("192.0.2.1", start + Duration::from_millis(501)), 5);
        let refused = addresses.take("192.0.2.2".parse().unwrap(), start).unwrap_err();
        assert_eq!(refused.retry_after_s(), 1);
    }

    #[test]
    fn there_are_only_so_many_buckets() {
        let addresses = Addresses::new(1);
        let start = Instant::now();
        for number in 0..2 * MOST as u32 {
            let _ = addresses.take(IpAddr::from(number.to_be_bytes()), start);
        }
        assert!(addresses.table.lock().unwrap().buckets.len() <= MOST + 1);
        let later = start + Duration::from_secs(10);
        assert!(addresses.take("192.0.2.1".parse().unwrap(), later).is_ok());
        assert_eq!(addresses.table.lock().unwrap().buckets.len(), 1);
    }
}
