//! Whose request it is: forwarding headers count only from configured proxies.

use std::{net::IpAddr, str::FromStr};

use axum::http::HeaderMap;
use serde::{Deserialize, Deserializer};

/// Networks whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_length: u8,
}

impl TrustedProxies {
    /// The address of the client: the last one in `X-Forwarded-For` that is not a proxy of ours, if `peer` is one.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let forwarded = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut addresses: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut client = peer;
        while let Some(address) = addresses.pop().and_then(|text| text.parse().ok()) {
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        client
    }

    /// Whether it is a proxy of ours.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, true),
            IpAddr::V6(address) => (address.to_bits(), false),
        };
        let ((one, one_is_v4), (other, other_is_v4)) = (bits(self.address), bits(address));
        let shift = 128 - u32::from(self.prefix_length);
        one_is_v4 == other_is_v4 && (one ^ other).checked_shr(shift).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is neither an address nor a network such as 10.0.0.0/8");
        let (address, prefix_length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| refused())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = prefix_length.unwrap_or(longest);
        if prefix_length > longest {
            Err(refused())
        } else {
            Ok(Self { address, prefix_length })
        }
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<String> = credo_config::list::deserialize(deserializer)?;
        let networks = texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &str) -> String {
        let proxies = TrustedProxies(proxies.iter().map(|text| text.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        proxies.client_address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn forwarding_headers_count_from_proxies_alone() {
        assert_eq!(client(&[], "203.0.113.9", "192.0.2.1"), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", "192.0.2.1"), "192.0.2.1");
        assert_eq!(
            client(&["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 192.0.2.1, 10.9.9.9"),
            "192.0.2.1"
        );
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", "nonsense"), "10.1.2.3");
        assert_eq!(client(&["2001:db8::/32"], "2001:db8::1", "2001:db9::1"), "2001:db9::1");
        assert_eq!(client(&["0.0.0.0/0"], "10.1.2.3", ""), "10.1.2.3");
    }

    #[test]
    fn malformed_networks_are_refused() {
        for text in ["10.0.0.0/33", "10.0.0", "x", "::/129", "10.0.0.0/"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
