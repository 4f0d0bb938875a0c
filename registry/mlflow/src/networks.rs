//! Where sources may lie. Who may name a source must not thereby reach what only this machine can reach.

use crate::Error;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use url::{Host, Url};

/// Addresses that begin alike, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The networks that sources are reached in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    only: Vec<Network>,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let (here, there, width) = match (self.address, address) {
            (IpAddr::V4(here), IpAddr::V4(there)) => (here.to_bits().into(), there.to_bits().into(), 32),
            (IpAddr::V6(here), IpAddr::V6(there)) => (here.to_bits(), there.to_bits(), 128),
            _ => return false,
        };
        let differ: u128 = here ^ there;
        differ.checked_shr(width - u32::from(self.bits)).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; say ADDRESS/BITS, such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| wrong())?;
        (bits <= width).then_some(Self { address, bits }).ok_or_else(wrong)
    }
}

impl Networks {
    /// Only these; none at all means everywhere. Addresses by which clouds tell a machine its credentials are in it where one of
    /// them is named exactly, and never otherwise.
    #[must_use]
    pub fn only(only: Vec<Network>) -> Self {
        Self { only }
    }

    /// Whether a source may lie there.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        // `::ffff:169.254.169.254` is the same machine as `169.254.169.254`.
        let address = address.to_canonical();
        let exactly = |network: &Network| network.holds(address) && is_one(network);
        if is_nowhere(address) {
            return self.only.iter().any(exactly);
        }
        self.only.is_empty() || self.only.iter().any(|network| network.holds(address))
    }

    /// Refuses an address that stands in a source's URL itself; names are looked at when they are resolved.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ => return Ok(()),
        };
        match self.allow(address) {
            true => Ok(()),
            false => Err(Error::Settings {
                setting: "url",
                why: refused(address),
            }),
        }
    }
}

fn refused(address: IpAddr) -> String {
    format!("{address} is in no network that sources may lie in; --source-networks says which do")
}

fn is_one(network: &Network) -> bool {
    network.bits == if network.address.is_ipv4() { 32 } else { 128 }
}

/// Link-local addresses, by which clouds hand out credentials, those of other clouds, and such as no server has.
fn is_nowhere(address: IpAddr) -> bool {
    const AMAZON: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address {
        IpAddr::V4(address) => {
            let own = [[100, 100, 100, 200], [192, 0, 0, 192]];
            address.is_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
                || own.contains(&address.octets())
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.is_unspecified() || address.is_multicast() || address == AMAZON
        }
    }
}

/// Resolves names as the system does, and gives only addresses that are allowed: what is connected to is what was looked at.
impl Resolve for Networks {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.clone();
        Box::pin(async move {
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> = all.iter().copied().filter(|found| networks.allow(found.ip())).collect();
            match (all.first(), allowed.is_empty()) {
                (Some(first), true) => Err(refused(first.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        Networks::only(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn metadata_addresses_are_nowhere_unless_they_are_named() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "fe80::1",
            "100.100.100.200",
            "192.0.0.192",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(!networks(&[]).allow(address), "{address}");
            assert!(!networks(&["0.0.0.0/0", "::/0"]).allow(address), "{address}");
        }
        assert!(networks(&["169.254.169.254"]).allow("169.254.169.254".parse().unwrap()));
    }

    #[test]
    fn only_named_networks_are_reached_where_some_are_named() {
        let some = networks(&["10.0.0.0/8", "192.168.7.0/24", "fd12::/16", "127.0.0.1"]);
        for (address, allowed) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.168.7.9", true),
            ("192.168.8.9", false),
            ("fd12:1::1", true),
            ("fd13::1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("::ffff:10.1.2.3", true),
        ] {
            assert_eq!(some.allow(address.parse().unwrap()), allowed, "{address}");
        }
        assert!(networks(&[]).allow("8.8.8.8".parse().unwrap()) && networks(&[]).allow("127.0.0.1".parse().unwrap()));
        assert!(networks(&["0.0.0.0/0"]).allow("8.8.8.8".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10/8", "host", "::/129", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
