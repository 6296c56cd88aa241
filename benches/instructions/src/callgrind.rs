//! Reads callgrind's files.

use std::collections::BTreeMap;

use crate::Result;

/// Parts of the names of functions that do nothing but cryptography: ring's assembly code, and the
/// Rust code around it that pads, splits into blocks and chains them; and what the peer uses.
const CRYPTO: [&str; 6] = [
    "ring_core_",
    "ring::digest",
    "ring::hmac",
    "sha2::",
    "_block_data_order",
    "crypto_mac",
];

/// Functions of the C library whose cost depends more on the processor than on the number of
/// instructions.
const LIBRARY: [&str; 6] = ["memcmp", "bcmp", "memcpy", "memmove", "memset", "memchr"];

/// The cost of a contender's work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Instructions in cryptographic functions.
    pub crypto: u64,
    /// All other instructions.
    pub other: u64,
    /// Calls to functions of the C library, from anywhere.
    pub library_calls: u64,
}

impl Count {
    /// The count per item, for this many items.
    pub fn divided(self, items: u64) -> Self {
        Self {
            crypto: self.crypto / items,
            other: self.other / items,
            library_calls: self.library_calls / items,
        }
    }
}

/// Whether a function, such as `__memcmp_avx2_movbe` or `memcpy@GLIBC_2.14`, is one of [`LIBRARY`].
fn is_library(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    LIBRARY.iter().any(|known| {
        let rest = name.strip_prefix(known);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    })
}

/// Adds up the cost of each function itself in a callgrind file, and counts how often functions of
/// the C library were entered.
///
/// The format is that of valgrind's "Callgrind Format Specification", with addresses and without
/// compression: `fn=name` begins a function; lines that begin with a digit are an address, a line
/// number and a cost; the line after `calls=` is the cost of the callee, which is counted there.
/// The number of calls in `calls=` includes those from outside of the measured code, so a
/// function's entries are counted by how often its first instruction ran.
pub fn count(text: &str) -> Result<Count> {
    let (mut count, mut name, mut is_call) = (Count::default(), "", false);
    let mut entries: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            name = function;
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit()) {
            let fields: Vec<&str> = line.split(' ').collect();
            let [address, _, cost] = fields[..] else {
                return Err(format!("not an address, a line and a cost: {line}").into());
            };
            let cost: u64 = cost.parse()?;
            if std::mem::take(&mut is_call) {
                continue;
            }
            if CRYPTO.iter().any(|part| name.contains(part)) {
                count.crypto += cost;
            } else {
                count.other += cost;
            }
            if is_library(name) {
                let address = u64::from_str_radix(address.trim_start_matches("0x"), 16)?;
                let first = entries.entry(name).or_insert((address, 0));
                if address < first.0 {
                    *first = (address, 0);
                }
                if address == first.0 {
                    first.1 += cost;
                }
            }
        }
    }
    count.library_calls = entries.values().map(|(_, times)| times).sum();
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 1\npositions: instr line\nevents: Ir\n\nfl=a.rs\nfn=sign\n\
        0x10 1 100\ncfn=ring_core_0_17_sha256_block_data_order\ncalls=2 0x20 0\n0x14 1 5000\n\
        cfn=__memcmp_avx2_movbe\ncalls=400 0x30 0\n0x18 1 80\n0x1c 2 7\n\n\
        fn=ring_core_0_17_sha256_block_data_order\n0x20 0 5000\n\n\
        fn=__memcmp_avx2_movbe\n0x34 9 76\n0x30 8 4\n\ntotals: 5187\n";

    #[test]
    fn own_costs_are_added_and_calls_are_not() {
        let expected = Count {
            crypto: 5000,
            other: 187,
            library_calls: 4,
        };
        assert_eq!(count(FILE).unwrap(), expected);
    }

    #[test]
    fn library_functions_are_known_under_all_their_names() {
        for name in [
            "memcmp",
            "bcmp",
            "__memcpy_avx_unaligned_erms",
            "memset@GLIBC_2.2.5",
        ] {
            assert!(is_library(name), "{name}");
        }
        for name in ["memchr2", "core::memcmp", "sign", "memcpyx"] {
            assert!(!is_library(name), "{name}");
        }
    }
}
