//! Which addresses a request may reach. Public ones; others only where the operator named host, range and port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// Reachable from the public network.
    Public,
    /// 127.0.0.0/8, `::1`.
    Loopback,
    /// RFC 1918, `fc00::/7`, `fec0::/10`.
    Private,
    /// 169.254.0.0/16, `fe80::/10`: cloud metadata lives here.
    LinkLocal,
    /// 100.64.0.0/10.
    CarrierNat,
    /// 0.0.0.0/8, `::`.
    ThisNetwork,
    /// Multicast and broadcast.
    Multicast,
    /// Documentation, benchmarking, reserved.
    Reserved,
    /// An IPv6 form that carries an IPv4 address past the check (6to4, NAT64, Teredo, compatible).
    Embedded,
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "an address of this machine",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::CarrierNat => "an address inside a carrier's network",
            Self::ThisNetwork => "an unspecified address",
            Self::Multicast => "a multicast or broadcast address",
            Self::Reserved => "a reserved address",
            Self::Embedded => "an IPv6 address that hides an IPv4 address",
        })
    }
}

/// Judges an address; IPv4-mapped IPv6 addresses are judged as the IPv4 address they are.
#[must_use]
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => classify_v4(v4),
            None => classify_v6(v6),
        },
    }
}

fn classify_v4(a: Ipv4Addr) -> AddressClass {
    let o = a.octets();
    match o {
        [127, ..] => AddressClass::Loopback,
        [0, ..] => AddressClass::ThisNetwork,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, second, ..] if (64..128).contains(&second) => AddressClass::CarrierNat,
        // Platform-internal address of a large cloud, reachable from its machines only.
        [168, 63, 129, 16] => AddressClass::LinkLocal,
        _ if a.is_private() => AddressClass::Private,
        [192, 0, 0, _] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            AddressClass::Reserved
        }
        [198, 18 | 19, ..] => AddressClass::Reserved,
        [224..=239, ..] | [255, 255, 255, 255] => AddressClass::Multicast,
        [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

fn classify_v6(a: Ipv6Addr) -> AddressClass {
    let s = a.segments();
    match s {
        _ if a.is_loopback() => AddressClass::Loopback,
        _ if a.is_unspecified() => AddressClass::ThisNetwork,
        _ if a.is_multicast() => AddressClass::Multicast,
        // Unique local and the deprecated site-local range.
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => AddressClass::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressClass::LinkLocal,
        // 6to4, Teredo, NAT64 (well-known and local-use), IPv4-compatible and IPv4-translated.
        [0x2002, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, ..] | [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            AddressClass::Embedded
        }
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => AddressClass::Reserved,
        [0x3fff, second, ..] if second < 0x1000 => AddressClass::Reserved,
        // Only 2000::/3 is handed out for the public network.
        [first, ..] if first & 0xe000 != 0x2000 => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

/// A range of addresses in CIDR form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    base: IpAddr,
    bits: u8,
}

impl Range {
    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, canonical(address)) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(base) & mask == u32::from(a) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                u128::from(base) & mask == u128::from(a) & mask
            }
            _ => false,
        }
    }
}

/// The IPv4 address for an IPv4-mapped one.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Prefix length that names just this address.
#[must_use]
pub fn host_bits(address: IpAddr) -> u8 {
    if canonical(address).is_ipv4() { 32 } else { 128 }
}

impl FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        let invalid = || InvalidRange { text: text.to_owned() };
        let (base, bits) = text.split_once('/').unwrap_or((text, ""));
        let base: IpAddr = base.parse().map_err(|_| invalid())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits: u8 = if bits.is_empty() { most } else { bits.parse().map_err(|_| invalid())? };
        if bits > most { Err(invalid()) } else { Ok(Self { base, bits }) }
    }
}

impl TryFrom<String> for Range {
    type Error = InvalidRange;

    fn try_from(text: String) -> Result<Self, InvalidRange> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.to_string()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// A text that is no address range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address range; write it like `192.168.10.0/24` or `fd00:1::/64`")]
pub struct InvalidRange {
    /// As given.
    pub text: String,
}

/// A host of this platform that may lead to an address that is not public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateException {
    /// Host as it stands in URLs, lower case.
    pub host: String,
    /// Addresses it may lead to.
    pub range: Range,
    /// Port it may be reached at.
    pub port: u16,
}

impl FromStr for PrivateException {
    type Err = InvalidException;

    fn from_str(text: &str) -> Result<Self, InvalidException> {
        let invalid = || InvalidException { text: text.to_owned() };
        let mut parts = text.split(',').map(str::trim);
        let (Some(host), Some(range), Some(port), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        Ok(Self {
            host: host.to_lowercase(),
            range: range.parse().map_err(|_| invalid())?,
            port: port.parse().map_err(|_| invalid())?,
        })
    }
}

/// A text that is no private exception.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no private exception; write host, range and port like `erp.lan,192.168.10.5/32,8000`")]
pub struct InvalidException {
    /// As given.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        use AddressClass::*;
        for (text, expected) in [
            ("93.184.216.34", Public),
            ("2606:4700::1111", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("10.1.2.3", Private),
            ("172.31.255.255", Private),
            ("172.32.0.1", Public),
            ("192.168.0.1", Private),
            ("::ffff:192.168.0.1", Private),
            ("169.254.169.254", LinkLocal),
            ("168.63.129.16", LinkLocal),
            ("100.64.0.1", CarrierNat),
            ("100.127.255.255", CarrierNat),
            ("100.128.0.1", Public),
            ("0.0.0.0", ThisNetwork),
            ("0.1.2.3", ThisNetwork),
            ("::", ThisNetwork),
            ("224.0.0.1", Multicast),
            ("255.255.255.255", Multicast),
            ("ff02::1", Multicast),
            ("198.18.0.1", Reserved),
            ("192.0.2.1", Reserved),
            ("240.0.0.1", Reserved),
            ("fd12:3456::1", Private),
            ("fec0::1", Private),
            ("fe80::1", LinkLocal),
            ("2002:7f00:1::", Embedded),
            ("64:ff9b::7f00:1", Embedded),
            ("64:ff9b:1::1", Embedded),
            ("2001:0:53aa::1", Embedded),
            ("::127.0.0.1", Embedded),
            ("::ffff:0:127.0.0.1", Embedded),
            ("2001:db8::1", Reserved),
            ("100::1", Reserved),
        ] {
            assert_eq!(classify(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn ranges() {
        let range: Range = "192.168.10.0/24".parse().unwrap();
        assert!(range.contains("192.168.10.77".parse().unwrap()));
        assert!(range.contains("::ffff:192.168.10.77".parse().unwrap()));
        assert!(!range.contains("192.168.11.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Range>().unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!("fd00::/8".parse::<Range>().unwrap().contains("fdab::1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Range>().is_err());
        assert!("erp.lan".parse::<Range>().is_err());
    }

    #[test]
    fn exceptions_name_host_range_and_port() {
        let exception: PrivateException = "ERP.lan, 192.168.10.5/32, 8000".parse().unwrap();
        assert_eq!((exception.host.as_str(), exception.port), ("erp.lan", 8000));
        for bad in ["erp.lan", "erp.lan,192.168.0.1", "erp.lan,x,1", "erp.lan,10.0.0.0/8,99999", "a,10.0.0.0/8,1,2"] {
            assert!(bad.parse::<PrivateException>().is_err(), "{bad}");
        }
    }
}
