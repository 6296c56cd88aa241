//! Proofs of possession of a key (DPoP, RFC 9449), which the sign-in service requires.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lambda_invoke_sigv4::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use zeroize::Zeroizing;

use crate::random;

/// A private key for P-256.
pub(super) struct ProofKey(EcdsaKeyPair);

impl ProofKey {
    /// Reads a key in PEM: `EC PRIVATE KEY` (RFC 5915) or `PRIVATE KEY` (PKCS#8).
    pub(super) fn from_pem(pem: &str) -> Option<Self> {
        let pem = pem.trim();
        let rest = pem.strip_prefix("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let base64 = rest.strip_suffix(&format!("-----END {label}-----"))?;
        let base64: Zeroizing<String> = Zeroizing::new(base64.split_ascii_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(base64.as_bytes()).ok()?);
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = match label {
            "PRIVATE KEY" => EcdsaKeyPair::from_pkcs8(algorithm, &der, &random),
            "EC PRIVATE KEY" => {
                let (private, public) = sec1(&der)?;
                EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random)
            }
            _ => return None,
        };
        key.ok().map(Self)
    }

    /// Signs a proof for one request.
    pub(super) fn proof(&self, method: &str, url: &str, now: Timestamp) -> Option<String> {
        // An uncompressed point: 4, then both coordinates.
        let point = self.0.public_key().as_ref();
        let (x, y) = (point.get(1..33)?, point.get(33..65)?);
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let header = json!({
            "alg": "ES256",
            "jwk": { "crv": "P-256", "kty": "EC", "x": part(x), "y": part(y) },
            "typ": "dpop+jwt",
        });
        let claims = json!({
            "htm": method,
            "htu": url,
            "iat": now.as_secs(),
            "jti": random::uuid()?,
        });
        let signed = format!(
            "{}.{}",
            part(header.to_string().as_bytes()),
            part(claims.to_string().as_bytes())
        );
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", part(signature.as_ref())))
    }
}

/// The private and the public key of an `ECPrivateKey` (RFC 5915).
fn sec1(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = value(der, 0x30)?;
    let (_version, rest) = value(sequence, 0x02)?;
    let (private, rest) = value(rest, 0x04)?;
    // The curve, which the constructor of the key checks by the public key, may be left out.
    let rest = match value(rest, 0xa0) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let (tagged, _) = value(rest, 0xa1)?;
    let (bits, _) = value(tagged, 0x03)?;
    // No unused bits.
    let public = bits.strip_prefix(&[0])?;
    Some((private, public))
}

/// Splits off the value with a tag, of at most 255 bytes.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = match rest {
        [0x81, length, rest @ ..] => (*length, rest),
        [length @ 0..=0x7f, rest @ ..] => (*length, rest),
        _ => return None,
    };
    rest.split_at_checked(usize::from(length))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    /// The key of AWS's test cases.
    const PEM: &str = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIPt/u8InPLpQeQLJTvVX+sNDzni8vMDMt3Liu+nMBigfoAoGCCqGSM49\n\
        AwEHoUQDQgAEILkGG7rNOnxiIJlMgimY1UPP8eDMFP0DAY6WGjngP4bvTAiUCQ/I\n\
        ffut2379uP+OBCm2ovGpBOJRgrl1RspUOQ==\n-----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_proof_is_a_token_that_its_own_key_verifies() {
        let key = ProofKey::from_pem(PEM).unwrap();
        let now: Timestamp = "20251119T000000Z".parse().unwrap();
        let proof = key.proof("POST", "https://h/v1/token", now).unwrap();
        let parts: Vec<&str> = proof.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            panic!("{proof}");
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
        let (header, claims_json) = (json(header), json(claims));
        assert_eq!(header["alg"], "ES256");
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(claims_json["htm"], "POST");
        assert_eq!(claims_json["htu"], "https://h/v1/token");
        assert_eq!(claims_json["iat"], now.as_secs());
        assert_eq!(claims_json["jti"].as_str().unwrap().len(), 36);
        let coordinate = |name: &str| decode(header["jwk"][name].as_str().unwrap());
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let signed = &proof[..proof.rfind('.').unwrap()];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        assert_ne!(key.proof("POST", "https://h/v1/token", now).unwrap(), proof);
    }

    #[test]
    fn other_text_is_not_a_key() {
        let lines: Vec<&str> = PEM.lines().collect();
        for end in 0..PEM.trim_end().len() {
            assert!(ProofKey::from_pem(&PEM[..end]).is_none(), "{end}");
        }
        let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4]].join("\n");
        assert!(ProofKey::from_pem(&swapped).is_none());
        assert!(ProofKey::from_pem(&PEM.replace("EC PRIVATE", "RSA PRIVATE")).is_none());
    }
}
