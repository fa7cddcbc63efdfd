//! The networks that a key may be used from.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use crate::authorizer_events::{AuthorizerEvents, SourceNotTold};

/// How many networks a key has at most.
pub const MAX_NETWORKS: usize = 20;

/// Networks (CIDR, IPv4 and IPv6), each once; none is anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(BTreeSet<IpNet>);

/// Texts that are no list of networks which a key of this deployment can be bound to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableNetworks {
    /// The deployment's authorizer can hold no key to any.
    #[error("{0}. Leave it out, or have the API deployed with AuthorizerEvents=REQUEST")]
    SourceNotTold(#[from] SourceNotTold),
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
    /// Reads the networks of a key whose requests an authorizer with these events is to tell apart.
    ///
    /// # Errors
    /// Any network where the events do not say the source address, what is no network in CIDR
    /// notation, or over [`MAX_NETWORKS`] of them.
    pub fn read<T: AsRef<str>>(
        texts: &[T],
        events: AuthorizerEvents,
    ) -> Result<Self, UnusableNetworks> {
        events.check_networks(texts)?;
        if texts.len() > MAX_NETWORKS {
            return Err(UnusableNetworks::TooMany);
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

fn network(text: &str) -> Result<IpNet, UnusableNetworks> {
    let given: IpNet = text
        .parse()
        .map_err(|_| UnusableNetworks::Form(text.chars().take(64).collect()))?;
    let network = given.trunc();
    if let Some(network) = mapped(network) {
        return Err(UnusableNetworks::Mapped { given, network });
    }
    if given == network {
        return Ok(given);
    }
    Err(UnusableNetworks::HostBits {
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

    fn read(texts: &[&str]) -> Result<Networks, UnusableNetworks> {
        Networks::read(texts, AuthorizerEvents::Request)
    }

    #[test]
    fn no_key_is_bound_where_the_authorizer_is_not_told_the_source_address() {
        let read = |texts: &[&str]| Networks::read(texts, AuthorizerEvents::Token);
        for text in ["192.0.2.0/24", "::/0", "no network"] {
            let refused = UnusableNetworks::SourceNotTold(SourceNotTold);
            assert_eq!(read(&[text]), Err(refused));
        }
        assert_eq!(read(&[]), Ok(Networks::default()));
    }

    #[test]
    fn networks_of_both_families_are_kept_once_each() {
        let networks = read(&["2001:DB8::/32", "192.0.2.7/32", "192.0.2.7/32"]).unwrap();
        assert_eq!(networks.to_texts(), ["192.0.2.7/32", "2001:db8::/32"]);
        assert_eq!(read(&[]), Ok(Networks::default()));
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
            assert!(read(&[text]).is_err(), "{text}");
        }
        let many = vec!["192.0.2.0/24"; MAX_NETWORKS + 1];
        assert_eq!(read(&many), Err(UnusableNetworks::TooMany));
    }
}
