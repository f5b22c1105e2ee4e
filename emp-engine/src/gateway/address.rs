//! Which addresses may be connected to. Names are resolved once, here; the connection goes to what was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;

/// Turns a name into addresses. Tests put their own in.
#[async_trait]
pub trait Resolver: Send + Sync + std::fmt::Debug {
    /// The addresses of a name; the port is not looked at.
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Which addresses a client may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public ones only.
    Public,
    /// Those of the configured base too, wherever it is; but never a metadata service.
    Configured,
}

impl Reach {
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Configured => !is_metadata(address),
        }
    }
}

/// A refusal of ours inside reqwest's errors, to be told from a failed lookup.
#[derive(Debug, thiserror::Error)]
#[error("every address of the name is one that may not be reached")]
pub(super) struct AddressRefused;

/// A resolver for reqwest that gives checked addresses only.
pub(super) struct Checked {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) reach: Reach,
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let resolver = Arc::clone(&self.resolver);
        let reach = self.reach;
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            let allowed: Vec<SocketAddr> =
                found.iter().filter(|ip| reach.allows(**ip)).map(|ip| SocketAddr::new(*ip, 0)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(AddressRefused.into());
            }
            Ok(Box::new(allowed.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// An address of the public internet, in whatever form it is written.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let reserved =
        a == 0 || a >= 240 || (a == 192 && b == 0 && (c == 0 || c == 2)) || (a == 192 && b == 88 && c == 99);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let ours = address.is_private() || address.is_loopback() || address.is_link_local() || shared;
    !(ours
        || reserved
        || benchmark
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3; what is carved out of it is documentation, Teredo, ORCHID and benchmarks.
    let global = first & 0xe000 == 0x2000;
    let carved = first == 0x2001 && (second < 0x0200 || second == 0x0db8) || first == 0x3fff;
    global && !carved
}

/// The IPv4 address inside a v4-mapped, v4-compatible, NAT64 or 6to4 address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let low = || {
        let [.., a, b, c, d] = address.octets();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0 | 1, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => low(),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => low(),
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// An address where a cloud gives out credentials.
fn is_metadata(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| matches!(address.octets(), [169, 254, ..] | [100, 100, 100, 200]);
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] || embedded(address).is_some_and(v4)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i12_i13_i17_only_public_addresses_are_reachable() {
        for refused in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(refused.parse().unwrap()), "{refused} must be refused");
        }
        for allowed in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::"] {
            assert!(is_public(allowed.parse().unwrap()), "{allowed} must be allowed");
        }
    }

    #[test]
    fn i12_a_configured_base_is_never_a_metadata_service() {
        for refused in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"] {
            assert!(!Reach::Configured.allows(refused.parse().unwrap()), "{refused}");
        }
        assert!(Reach::Configured.allows("127.0.0.1".parse().unwrap()));
    }
}
