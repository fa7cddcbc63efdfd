//! The networks that a key may be used from.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

/// How many networks a key has at most.
pub const MAX_NETWORKS: usize = 20;

/// Networks (CIDR, IPv4 and IPv6), each once; none is anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(BTreeSet<IpNet>);

/// Texts that are no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNetworks {
    /// One text is no network.
    #[error("{0:?} is not a network such as 192.0.2.0/24 or 2001:db8::/32")]
    Form(String),
    /// An address within a network stands for it: which of the two is meant is not plain.
    #[error(
        "{given} is an address within a network: write {network}, or /{full} for the one address"
    )]
    HostBits {
        /// As it was given.
        given: IpNet,
        /// The network that the address is in.
        network: IpNet,
        /// The prefix length of one address.
        full: u8,
    },
    /// A request from an IPv4 network never comes as one of these addresses.
    #[error("{given} is an IPv4 network in IPv6 notation: write {network}")]
    Mapped {
        /// As it was given.
        given: IpNet,
        /// The same in IPv4 notation.
        network: IpNet,
    },
    /// There are too many.
    #[error("there may be at most {MAX_NETWORKS} networks")]
    TooMany,
}

impl Networks {
    /// Reads networks.
    ///
    /// # Errors
    /// What is no network in CIDR notation, or over [`MAX_NETWORKS`] of them.
    pub fn read<T: AsRef<str>>(texts: &[T]) -> Result<Self, MalformedNetworks> {
        if texts.len() > MAX_NETWORKS {
            return Err(MalformedNetworks::TooMany);
        }
        let networks = texts.iter().map(|text| network(text.as_ref()));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// The networks as a key's record keeps them.
    #[must_use]
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn network(text: &str) -> Result<IpNet, MalformedNetworks> {
    let given: IpNet = text
        .parse()
        .map_err(|_| MalformedNetworks::Form(text.chars().take(64).collect()))?;
    let network = given.trunc();
    if let Some(network) = mapped(network) {
        return Err(MalformedNetworks::Mapped { given, network });
    }
    if given == network {
        return Ok(given);
    }
    Err(MalformedNetworks::HostBits {
        given,
        network,
        full: given.max_prefix_len(),
    })
}

/// The IPv4 network that an IPv6 one stands for (RFC 4291 section 2.5.5.2).
fn mapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let address = network.addr().to_ipv4_mapped()?;
    let length = network.prefix_len().checked_sub(96)?;
    Some(Ipv4Net::new(address, length).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_both_families_are_kept_once_each() {
        let networks = Networks::read(&["2001:DB8::/32", "192.0.2.7/32", "192.0.2.7/32"]).unwrap();
        assert_eq!(networks.to_texts(), ["192.0.2.7/32", "2001:db8::/32"]);
        assert_eq!(Networks::read::<&str>(&[]), Ok(Networks::default()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "192.0.2.0",
            "192.0.2.0/33",
            "::/129",
            "example.com/8",
            "10.0.0.1/8",
            "::ffff:192.0.2.0/120",
            "::ffff:0.0.0.0/96",
        ] {
            assert!(Networks::read(&[text]).is_err(), "{text}");
        }
        let many = vec!["192.0.2.0/24"; MAX_NETWORKS + 1];
        assert_eq!(Networks::read(&many), Err(MalformedNetworks::TooMany));
    }
}
