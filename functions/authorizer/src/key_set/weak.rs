//! Public keys that are well formed and prove nothing, because anybody can sign in their name.

/// The primes of the published fingerprint: the odd ones below 168. They divide the product that the
/// flawed generator builds its primes on, whatever the key's length.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// The base of the powers that the flawed generator takes.
const GENERATOR: u32 = 65_537;

/// Whether an RSA modulus, big-endian, is one of Infineon's library (CVE-2017-15361, "ROCA"; Nemec
/// and others, "The Return of Coppersmith's Attack", CCS 2017), whose factors can be computed. Both
/// factors are k·M + (65537^a mod M), where M is a product of small primes; so modulo each of those
/// primes the modulus is a power of 65537. Of the moduli of other libraries one in 200 million
/// happens to be so.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    let step = |remainder: u32, byte: &u8| ((remainder << 8) | u32::from(*byte)) % divisor;
    number.iter().fold(0, step)
}

/// Whether a residue is one that a power of the generator leaves.
fn is_power(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == residue {
            return true;
        }
        power = power * GENERATOR % prime;
        if power == 1 {
            return false;
        }
    }
}

/// The y coordinates, little-endian, of all points of edwards25519 whose order divides 8, and the
/// other ways to write two of them: p and p + 1 fit into 255 bits too.
const SMALL_ORDER: [[u8; 32]; 7] = [
    // Order 4: 0, which is also the key of all zeros, and p.
    ends(0x00, 0x00, 0x00),
    ends(0xed, 0xff, 0x7f),
    // Order 1: 1, and p + 1.
    ends(0x01, 0x00, 0x00),
    ends(0xee, 0xff, 0x7f),
    // Order 2: p - 1.
    ends(0xec, 0xff, 0x7f),
    // Order 8: a root of d·y⁴ + 2·y² = 1, and its negative.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// A number whose bytes between the first and the last are all the same.
const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether an Ed25519 key is a point of small order, in whatever way it is written: for an eighth of
/// all messages and more, the signature of the identity and zero is then right. The last byte's
/// highest bit is the sign of x, which changes nothing about the order.
pub(super) fn is_small_order(key: [u8; 32]) -> bool {
    let [rest @ .., last] = key;
    SMALL_ORDER
        .iter()
        .any(|[low @ .., high]| *low == rest && *high == last & 0x7f)
}

#[cfg(test)]
mod tests;
