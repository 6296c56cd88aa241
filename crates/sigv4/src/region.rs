//! Regions, which every signature names, and the hosts that serve AWS's services in each.
//!
//! A region belongs to a partition (the commercial regions, China, the sovereign and the isolated
//! ones), and each partition has its own domain. The patterns and domains are those of the
//! partition list that the AWS SDKs share. As in the SDKs, a region that matches no pattern is
//! assumed to be a new commercial one.

use std::fmt;

/// A set of regions with their own domain and ARN namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    id: &'static str,
    /// The prefix of its regions' names, before the place and the number.
    start: &'static str,
    /// The name of its pseudo-region, or empty.
    global: &'static str,
    domain: &'static str,
    dual_stack_domain: &'static str,
}

const COMMERCIAL: Partition = Partition {
    id: "aws",
    start: "",
    global: "aws-global",
    domain: "amazonaws.com",
    dual_stack_domain: "api.aws",
};

/// All partitions but the commercial one.
const PARTITIONS: [Partition; 7] = [
    Partition {
        id: "aws-cn",
        start: "cn-",
        global: "aws-cn-global",
        domain: "amazonaws.com.cn",
        dual_stack_domain: "api.amazonwebservices.com.cn",
    },
    Partition {
        id: "aws-eusc",
        start: "eusc-de-",
        global: "",
        domain: "amazonaws.eu",
        dual_stack_domain: "api.amazonwebservices.eu",
    },
    Partition {
        id: "aws-iso",
        start: "us-iso-",
        global: "aws-iso-global",
        domain: "c2s.ic.gov",
        dual_stack_domain: "api.aws.ic.gov",
    },
    Partition {
        id: "aws-iso-b",
        start: "us-isob-",
        global: "aws-iso-b-global",
        domain: "sc2s.sgov.gov",
        dual_stack_domain: "api.aws.scloud",
    },
    Partition {
        id: "aws-iso-e",
        start: "eu-isoe-",
        global: "aws-iso-e-global",
        domain: "cloud.adc-e.uk",
        dual_stack_domain: "api.cloud-aws.adc-e.uk",
    },
    Partition {
        id: "aws-iso-f",
        start: "us-isof-",
        global: "aws-iso-f-global",
        domain: "csp.hci.ic.gov",
        dual_stack_domain: "api.aws.hci.ic.gov",
    },
    Partition {
        id: "aws-us-gov",
        start: "us-gov-",
        global: "aws-us-gov-global",
        domain: "amazonaws.com",
        dual_stack_domain: "api.aws",
    },
];

impl Partition {
    /// Returns the partition that a region belongs to.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_sigv4::region::Partition;
    ///
    /// assert_eq!(Partition::of("us-iso-east-1").domain(), "c2s.ic.gov");
    /// assert_eq!(Partition::of("xx-somewhere-9").id(), "aws");
    /// ```
    #[must_use]
    pub fn of(region: &str) -> Self {
        let has = |partition: &&Self| {
            (!partition.global.is_empty() && region == partition.global)
                || region
                    .strip_prefix(partition.start)
                    .is_some_and(is_place_and_number)
        };
        PARTITIONS.iter().find(has).copied().unwrap_or(COMMERCIAL)
    }

    /// Returns the partition's name, as in the second part of an ARN.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the domain of the partition's services.
    #[must_use]
    pub const fn domain(&self) -> &'static str {
        self.domain
    }

    /// Returns the domain of the partition's dual-stack hosts.
    #[must_use]
    pub const fn dual_stack_domain(&self) -> &'static str {
        self.dual_stack_domain
    }
}

/// Which of a region's hosts of a service to use. The default is the IPv4 host without FIPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    fips: bool,
    dual_stack: bool,
}

impl Variant {
    /// Selects the host whose cryptographic modules are validated under FIPS 140.
    #[must_use]
    pub const fn with_fips(mut self, yes: bool) -> Self {
        self.fips = yes;
        self
    }

    /// Selects the host that is reachable over IPv6 as well.
    #[must_use]
    pub const fn with_dual_stack(mut self, yes: bool) -> Self {
        self.dual_stack = yes;
        self
    }

    /// Returns whether the FIPS host is selected.
    #[must_use]
    pub const fn is_fips(&self) -> bool {
        self.fips
    }

    /// Returns whether the dual-stack host is selected.
    #[must_use]
    pub const fn is_dual_stack(&self) -> bool {
        self.dual_stack
    }
}

/// Returns the host of a service in a region: `{service}.{region}.{domain of its partition}`. With
/// FIPS it begins with `{service}-fips.`; with dual stack it has the partition's dual-stack domain.
/// Every partition has all four variants. These are the rules for Lambda and most other services in
/// `endpoint-rule-set-1.json`, which the AWS SDKs share.
///
/// # Errors
///
/// If the region cannot be part of a host name: it is empty, longer than 63 bytes, or has a byte
/// other than a letter, a digit or an inner hyphen.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::region::{Variant, host};
///
/// let (usual, fips) = (Variant::default(), Variant::default().with_fips(true));
/// assert_eq!(host("lambda", "eu-central-1", usual)?, "lambda.eu-central-1.amazonaws.com");
/// assert_eq!(host("lambda", "us-east-1", fips)?, "lambda-fips.us-east-1.amazonaws.com");
/// assert_eq!(host("sts", "eu west 1", usual).unwrap_err().offset(), Some(2));
/// # Ok::<(), lambda_invoke_sigv4::region::RegionError>(())
/// ```
pub fn host(service: &str, region: &str, variant: Variant) -> Result<String, RegionError> {
    check(region)?;
    let partition = Partition::of(region);
    let fips = if variant.fips { "-fips" } else { "" };
    let domain = match variant.dual_stack {
        true => partition.dual_stack_domain,
        false => partition.domain,
    };
    Ok(format!("{service}{fips}.{region}.{domain}"))
}

/// Checks that a region can be part of a host name and of a signature's scope.
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

/// Why a text is not a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegionError {
    /// The text is empty.
    Empty,
    /// The text is longer than a label of a host name may be.
    TooLong {
        /// The text's length, in bytes.
        length: usize,
    },
    /// A byte is not allowed in a label of a host name, or not at this place.
    Byte {
        /// The offset, in bytes.
        offset: usize,
        /// The byte.
        byte: u8,
    },
}

impl RegionError {
    /// The longest label of a host name, in bytes (RFC 1035, section 2.3.4).
    pub const MAX_LENGTH: usize = 63;

    /// Returns the offset of the first byte that is not allowed.
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
            Self::Empty => f.write_str("the region is empty, expected the form eu-central-1"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "the region has {length} bytes, but at most {} are allowed",
                    Self::MAX_LENGTH
                )
            }
            Self::Byte { offset, byte } => write!(
                f,
                "the region has {:?} at byte {offset}; letters, digits and inner hyphens are \
                 allowed",
                char::from(*byte)
            ),
        }
    }
}

impl std::error::Error for RegionError {}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Variant = Variant {
        fips: false,
        dual_stack: false,
    };

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
            // Names that almost match a pattern fall back, as in the shared rule set.
            ("cn-north", "amazonaws.com"),
            ("cn-north-east-1", "amazonaws.com"),
            ("us-iso-east-x", "amazonaws.com"),
            ("us-iso-a_b-1", "c2s.ic.gov"),
            ("us-iso-a.b-1", "amazonaws.com"),
            ("eusc-fr-west-1", "amazonaws.com"),
            ("", "amazonaws.com"),
        ] {
            assert_eq!(Partition::of(region).domain(), expected, "{region}");
        }
    }

    #[test]
    fn each_partition_has_its_name_and_its_domain_for_dual_stack() {
        for (region, id, domain) in [
            ("us-east-1", "aws", "api.aws"),
            ("us-gov-west-1", "aws-us-gov", "api.aws"),
            ("cn-north-1", "aws-cn", "api.amazonwebservices.com.cn"),
            ("eusc-de-east-1", "aws-eusc", "api.amazonwebservices.eu"),
            ("us-iso-east-1", "aws-iso", "api.aws.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "api.aws.scloud"),
            ("eu-isoe-west-1", "aws-iso-e", "api.cloud-aws.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "api.aws.hci.ic.gov"),
        ] {
            let partition = Partition::of(region);
            let found = (partition.id(), partition.dual_stack_domain());
            assert_eq!(found, (id, domain), "{region}");
        }
    }

    #[test]
    fn a_variant_says_what_it_selects() {
        for fips in [false, true] {
            for dual_stack in [false, true] {
                let variant = USUAL.with_fips(fips).with_dual_stack(dual_stack);
                assert_eq!(variant.is_fips(), fips);
                assert_eq!(variant.is_dual_stack(), dual_stack);
            }
        }
    }

    #[test]
    fn rejects_what_cannot_be_in_a_host_with_its_position() {
        assert_eq!(host("lambda", "", USUAL), Err(RegionError::Empty));
        assert_eq!(
            host("lambda", &"a".repeat(63), USUAL).unwrap().len(),
            63 + "lambda..amazonaws.com".len()
        );
        assert_eq!(
            host("lambda", &"a".repeat(64), USUAL),
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
                host("lambda", region, USUAL).unwrap_err().offset(),
                Some(offset),
                "{region:?}"
            );
        }
    }
}
