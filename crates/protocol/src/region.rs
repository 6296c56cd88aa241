//! Regions, and the host that serves Lambda in each.
//!
//! A region belongs to a partition (the commercial regions, China, the sovereign and the isolated
//! ones), and each partition has a domain of its own. The patterns and domains are those of the
//! partition list that the AWS SDKs share; a region that fits no pattern is taken to be a new one
//! of the commercial partition, as the SDKs do.

use std::fmt;

/// The start of a region's name, the whole name of its partition's pseudo-region, its domain.
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "aws-cn-global", "amazonaws.com.cn"),
    ("eusc-de-", "", "amazonaws.eu"),
    ("us-iso-", "aws-iso-global", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b-global", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e-global", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f-global", "csp.hci.ic.gov"),
    ("us-gov-", "aws-us-gov-global", COMMERCIAL),
];

const COMMERCIAL: &str = "amazonaws.com";

/// The host that serves Lambda in a region: `lambda.{region}.{domain of its partition}`.
///
/// # Errors
///
/// If the region cannot be part of a host's name: it is empty, longer than 63 bytes, or has a byte
/// that is no letter, digit or inner hyphen.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::region::host;
///
/// assert_eq!(host("eu-central-1")?, "lambda.eu-central-1.amazonaws.com");
/// assert_eq!(host("cn-north-1")?, "lambda.cn-north-1.amazonaws.com.cn");
/// assert_eq!(host("eu west 1").unwrap_err().offset(), Some(2));
/// # Ok::<(), lambda_invoke_protocol::region::RegionError>(())
/// ```
pub fn host(region: &str) -> Result<String, RegionError> {
    check(region)?;
    Ok(format!("lambda.{region}.{}", domain(region)))
}

/// The domain of a region's partition.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::region::domain;
///
/// assert_eq!(domain("us-iso-east-1"), "c2s.ic.gov");
/// assert_eq!(domain("xx-somewhere-9"), "amazonaws.com");
/// ```
#[must_use]
pub fn domain(region: &str) -> &'static str {
    let of = |(start, global, _): &&(&str, &str, &str)| {
        (!global.is_empty() && region == *global)
            || region.strip_prefix(start).is_some_and(is_place_and_number)
    };
    PARTITIONS
        .iter()
        .find(of)
        .map_or(COMMERCIAL, |(_, _, domain)| domain)
}

/// Whether a region can be part of a host's name and of a signature's scope.
///
/// # Errors
///
/// As [`host`].
pub fn check(region: &str) -> Result<(), RegionError> {
    if region.is_empty() {
        return Err(RegionError::Empty);
    }
    if region.len() > RegionError::MAX_LENGTH {
        return Err(RegionError::TooLong {
            length: region.len(),
        });
    }
    let last = region.len().saturating_sub(1);
    let allowed = |(offset, byte): (usize, u8)| {
        byte.is_ascii_alphanumeric() || (byte == b'-' && offset != 0 && offset != last)
    };
    match region.bytes().enumerate().find(|at| !allowed(*at)) {
        Some((offset, byte)) => Err(RegionError::Byte { offset, byte }),
        None => Ok(()),
    }
}

/// `\w+-\d+`
fn is_place_and_number(rest: &str) -> bool {
    rest.split_once('-').is_some_and(|(place, number)| {
        !place.is_empty()
            && place
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Why a text is no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegionError {
    /// It is empty.
    Empty,
    /// It is longer than a label of a host's name may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It has a byte that a label of a host's name cannot have there.
    Byte {
        /// Where, in bytes.
        offset: usize,
        /// Which.
        byte: u8,
    },
}

impl RegionError {
    /// The longest label of a host's name (RFC 1035, section 2.3.4).
    pub const MAX_LENGTH: usize = 63;

    /// The offset of the first byte that is not allowed.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Empty => None,
            Self::TooLong { .. } => Some(Self::MAX_LENGTH),
            Self::Byte { offset, .. } => Some(*offset),
        }
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the region is empty; one is called, say, `eu-central-1`"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "the region has {length} bytes, at most {} are possible",
                    Self::MAX_LENGTH
                )
            }
            Self::Byte { offset, byte } => write!(
                f,
                "the region has {:?} at byte {offset}; letters, digits and inner hyphens are \
                 possible",
                char::from(*byte)
            ),
        }
    }
}

impl std::error::Error for RegionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_domain() {
        for (region, expected) in [
            ("us-east-1", "amazonaws.com"),
            ("mx-central-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-northwest-1", "amazonaws.com.cn"),
            ("aws-cn-global", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-west-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
            // Near misses fall back as the shared rule set does.
            ("cn-north", "amazonaws.com"),
            ("cn-north-east-1", "amazonaws.com"),
            ("us-iso-east-x", "amazonaws.com"),
            ("eusc-fr-west-1", "amazonaws.com"),
            ("", "amazonaws.com"),
        ] {
            assert_eq!(domain(region), expected, "{region}");
        }
    }

    #[test]
    fn what_cannot_be_in_a_host_is_refused_with_its_place() {
        assert_eq!(host(""), Err(RegionError::Empty));
        assert_eq!(
            host(&"a".repeat(63)).unwrap().len(),
            63 + "lambda..amazonaws.com".len()
        );
        assert_eq!(
            host(&"a".repeat(64)),
            Err(RegionError::TooLong { length: 64 })
        );
        for (region, offset) in [
            ("-a", 0),
            ("a-", 1),
            ("a.b", 1),
            ("eu/x", 2),
            ("us-east-1\n", 9),
            ("é", 0),
        ] {
            assert_eq!(
                host(region).unwrap_err().offset(),
                Some(offset),
                "{region:?}"
            );
        }
    }
}
