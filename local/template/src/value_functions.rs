//! Intrinsic functions that make one value of others and ask nobody: `Fn::Base64`, `Fn::Cidr`,
//! `Fn::GetAZs`, and those of `AWS::LanguageExtensions`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keygate_model::deployment::REGION;

use super::json;
use super::resolve::Resolver;
use super::yaml::{Node, Value};

/// The zones of every region here.
const ZONES: [&str; 3] = ["a", "b", "c"];

impl Resolver<'_> {
    pub(super) fn base64(&self, argument: &Node, line: usize, place: &str) -> Value {
        match self.resolve(argument, place).map(|node| node.value) {
            Some(Value::Text(text)) => Value::Text(STANDARD.encode(text)),
            Some(Value::Unknown) => Value::Unknown,
            _ => self.wrong(line, place, "`Fn::Base64` takes a text"),
        }
    }

    /// The zones of a region, which is this machine's where the text is empty.
    pub(super) fn zones(&self, argument: &Node, line: usize, place: &str) -> Value {
        let region = match self.resolve(argument, place).map(|node| node.value) {
            Some(Value::Text(region)) if region.is_empty() => REGION.to_owned(),
            Some(Value::Text(region)) => region,
            Some(Value::Unknown) => return Value::Unknown,
            _ => return self.wrong(line, place, "`Fn::GetAZs` takes a region"),
        };
        let zones = ZONES.map(|zone| Node::text(line, format!("{region}{zone}")));
        Value::List(zones.into())
    }

    pub(super) fn cidr(&self, argument: &Node, line: usize, place: &str) -> Value {
        let Some([block, count, bits]) = self.arguments("Fn::Cidr", argument, line, place) else {
            return Value::Unknown;
        };
        let number = |node: &Node| node.as_text().and_then(|text| text.parse::<u32>().ok());
        let blocks = block
            .as_text()
            .zip(number(&count))
            .zip(number(&bits))
            .and_then(|((block, count), bits)| blocks(block, count, bits));
        match blocks {
            Some(blocks) => {
                let blocks = blocks.into_iter().map(|block| Node::text(line, block));
                Value::List(blocks.collect())
            }
            None => self.wrong(
                line,
                place,
                "`Fn::Cidr` takes a block such as 10.0.0.0/16, how many it gives (1 to 256) and the bits \
                 of each, and they must fit into it",
            ),
        }
    }

    pub(super) fn length(&self, argument: &Node, line: usize, place: &str) -> Value {
        match self.resolve(argument, place).map(|node| node.value) {
            Some(Value::List(items)) => Value::Text(items.len().to_string()),
            Some(Value::Unknown) => Value::Unknown,
            _ => self.wrong(line, place, "`Fn::Length` takes a list"),
        }
    }

    pub(super) fn to_json(&self, argument: &Node, line: usize, place: &str) -> Value {
        let resolved = self.resolve(argument, place);
        let structure =
            resolved.filter(|node| matches!(node.value, Value::List(_) | Value::Map(_)));
        match structure {
            Some(node) => match json::of(&node) {
                Some(json) => Value::Text(json.to_string()),
                None => Value::Unknown,
            },
            None => self.wrong(line, place, "`Fn::ToJsonString` takes a list or a mapping"),
        }
    }
}

/// The first blocks of `bits` host bits each within a block.
fn blocks(block: &str, count: u32, bits: u32) -> Option<Vec<String>> {
    let (address, prefix) = block.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let (width, start): (u32, u128) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let own = width.checked_sub(bits).filter(|own| *own >= prefix)?;
    let room = 1u128.checked_shl(own - prefix).unwrap_or(u128::MAX);
    if !(1..=256).contains(&count) || u128::from(count) > room || prefix > width {
        return None;
    }
    let network = match width - prefix {
        128 => 0,
        host => start >> host << host,
    };
    let made = (0..u128::from(count)).map(|index| {
        let start = network + index.checked_shl(bits).unwrap_or(0);
        let address = match u32::try_from(start) {
            Ok(start) if width == 32 => IpAddr::V4(Ipv4Addr::from_bits(start)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(start)),
        };
        format!("{address}/{own}")
    });
    Some(made.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_within_theirs() {
        let made = |block, count, bits| blocks(block, count, bits).unwrap_or_default();
        assert_eq!(
            made("192.168.1.7/24", 3, 5),
            ["192.168.1.0/27", "192.168.1.32/27", "192.168.1.64/27"]
        );
        assert_eq!(made("10.0.0.0/8", 1, 24), ["10.0.0.0/8"]);
        assert_eq!(
            made("2001:db8::/56", 2, 64),
            ["2001:db8::/64", "2001:db8:0:1::/64"]
        );
        for (block, count, bits) in [
            ("10.0.0.0/16", 0, 8),
            ("10.0.0.0/24", 2, 8),
            ("10.0.0.0/24", 1, 9),
            ("10.0.0.0/33", 1, 0),
            ("10.0.0.0", 1, 1),
            ("10.0.0.0/8", 257, 1),
        ] {
            assert_eq!(blocks(block, count, bits), None, "{block} {count} {bits}");
        }
    }
}
