//! Ed25519 keys in whose name anybody can sign.

/// The y coordinates of the points of small order on edwards25519, little-endian, as libsodium lists
/// them; the last two are p and p + 1, which are 0 and 1 again.
const Y: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// Every way to write them: each with both signs of x.
pub fn keys() -> impl Iterator<Item = [u8; 32]> {
    Y.iter().flat_map(|digits| {
        let byte = |at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
        let plus: [u8; 32] = std::array::from_fn(byte);
        let mut minus = plus;
        minus[31] |= 0x80;
        [plus, minus]
    })
}
