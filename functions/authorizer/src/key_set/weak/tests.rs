use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_tests::choices::Choices;
use keygate_tests::roca;
use keygate_tests::signer::Signer;
use keygate_tests::small_order;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn bytes(jwk: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(jwk[member].as_str().unwrap())
        .unwrap()
}

/// Big-endian numbers, as long as they come.
fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![0; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        for (j, y) in b.iter().rev().enumerate() {
            digits[i + j] += u32::from(*x) * u32::from(*y);
        }
    }
    carried(digits)
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![0; a.len().max(b.len()) + 1];
    for number in [a, b] {
        for (digit, byte) in digits.iter_mut().zip(number.iter().rev()) {
            *digit += u32::from(*byte);
        }
    }
    carried(digits)
}

/// From digits that begin with the lowest and may be too large for a byte.
fn carried(digits: Vec<u32>) -> Vec<u8> {
    let mut carry = 0;
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits {
        carry += digit;
        bytes.push(u8::try_from(carry & 0xff).unwrap());
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    bytes.into_iter().rev().collect()
}

fn product_of(primes: impl Iterator<Item = u32>) -> Vec<u8> {
    primes.fold(vec![1], |number, prime| {
        product(&number, &prime.to_be_bytes())
    })
}

/// k·M + 65537^a, which leaves the same residues as the flawed library's primes.
fn factor(multiple: &[u8], exponent: usize) -> Vec<u8> {
    let power = (0..exponent).fold(vec![1], |power, _| product(&power, &[1, 0, 1]));
    sum(&product(multiple, &product_of(PRIMES.into_iter())), &power)
}

#[test]
fn a_real_key_of_the_flawed_library_s_kind_is_found() {
    assert!(is_roca(&bytes(&roca::signer("1").jwk(), "n")));
}

#[test]
fn the_primes_are_the_odd_ones_below_168() {
    let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    let primes: Vec<u32> = (3..168).filter(is_prime).collect();
    assert_eq!(PRIMES.to_vec(), primes);
}

#[test]
fn each_prime_alone_speaks_against_a_modulus_by_the_residues_that_are_no_powers() {
    let modulus = product(&factor(&[0x5a; 40], 3), &factor(&[0xa5; 40], 8));
    for prime in PRIMES {
        // Changes the residue modulo this prime and no other.
        let step = product_of(PRIMES.into_iter().filter(|other| *other != prime));
        let found = (0..prime)
            .filter(|times| is_roca(&sum(&modulus, &product(&step, &times.to_be_bytes()))))
            .count();
        let mut powers: Vec<u64> = (0..prime)
            .scan(1, |power, _| {
                *power = *power * 65_537 % u64::from(prime);
                Some(*power)
            })
            .collect();
        powers.sort_unstable();
        powers.dedup();
        assert_eq!(found, powers.len(), "{prime}");
    }
}

#[test]
fn ten_thousand_other_moduli_are_not_taken_for_flawed_ones() {
    let mut choices = Choices(0);
    for _ in 0..10_000 {
        let mut modulus: Vec<u8> = (0..32)
            .flat_map(|_| choices.number().to_be_bytes())
            .collect();
        modulus[0] |= 0x80;
        modulus[255] |= 1;
        assert!(!is_roca(&modulus), "{modulus:?}");
    }
    for _ in 0..3 {
        assert!(!is_roca(&bytes(&Signer::rsa("1").jwk(), "n")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_modulus_of_two_primes_of_the_flawed_form_is_found(
        multiples in any::<[[u8; 32]; 2]>(), exponents in [0..60_usize, 0..60]
    ) {
        let [p, q] = [0, 1].map(|at| factor(&multiples[at], exponents[at]));
        prop_assert!(is_roca(&product(&p, &q)));
    }
}

/// Whether anybody can sign for the key: whether the identity and zero are the signature of some
/// message, as they are when the message's hash times the key is the identity.
fn is_forgeable(key: [u8; 32]) -> bool {
    let mut signature = [0; 64];
    signature[0] = 1;
    let key = UnparsedPublicKey::new(&ED25519, key);
    (0..200_u8).any(|message| key.verify(&[message], &signature).is_ok())
}

#[test]
fn every_point_of_small_order_is_found_in_each_way_to_write_it() {
    for key in small_order::keys() {
        assert!(is_small_order(key), "{key:02x?}");
    }
    assert!(is_small_order([0; 32]));
    // The eight points themselves; the crypto library does not read the other encodings today.
    assert_eq!(
        small_order::keys().filter(|key| is_forgeable(*key)).count(),
        8
    );
}

#[test]
fn other_points_are_none_of_small_order_however_near_they_are_written() {
    for _ in 0..100 {
        let key: [u8; 32] = bytes(&Signer::ed25519("1").jwk(), "x").try_into().unwrap();
        assert!(!is_small_order(key) && !is_forgeable(key), "{key:02x?}");
    }
    for key in small_order::keys() {
        for at in 0..31 {
            let mut other = key;
            other[at] ^= 0x10;
            assert!(!is_small_order(other), "{other:02x?}");
        }
        let mut other = key;
        other[31] ^= 0x40;
        assert!(!is_small_order(other), "{other:02x?}");
    }
}
