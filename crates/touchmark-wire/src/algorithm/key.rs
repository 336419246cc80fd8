//! Public keys: as they travel ([`CoseKey`]) and checked ([`PublicKey`]).

use super::{Algorithm, Row, SIGNATURE_LENGTH, SignatureError, SignedBytes, TABLE};
use crate::codec::{self, Malformed};
use crate::hash::{Digest, Hasher};
use core::fmt;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A public key as it travels: the shape is known, the point is *not* checked.
///
/// Encoded as the deterministic COSE_Key (RFC 9052 §7, RFC 9053 §7.1 and §7.2)
/// `{1: kty, -1: crv, -2: x, -3: y}`; EC2 keys carry the whole y coordinate, OKP keys have none.
/// The curve determines the algorithm. Cheap to read, compare and hash: state entries hold this,
/// and only who checks signatures makes the [`PublicKey`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoseKey {
    algorithm: Algorithm,
    x: [u8; 32],
    /// Zero where the algorithm's keys have no y.
    y: [u8; 32],
}

/// COSE_Key labels (RFC 9052 §7.1, RFC 9053 §7.1).
const KTY: i8 = 1;
const CRV: i8 = -1;
const X: i8 = -2;
const Y: i8 = -3;

impl CoseKey {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = 75;

    /// An EC2 key from its two coordinates (big-endian).
    pub(crate) const fn ec2(algorithm: Algorithm, x: [u8; 32], y: [u8; 32]) -> Self {
        Self { algorithm, x, y }
    }

    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, Self::LIMIT)
    }

    /// A P-256 key from its affine coordinates, big-endian.
    pub const fn es256(x: [u8; 32], y: [u8; 32]) -> Self {
        Self::ec2(Algorithm::Es256, x, y)
    }

    /// A secp256k1 key from its affine coordinates, big-endian.
    pub const fn es256k(x: [u8; 32], y: [u8; 32]) -> Self {
        Self::ec2(Algorithm::Es256k, x, y)
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032 §5.1.5).
    pub const fn ed25519(encoded: [u8; 32]) -> Self {
        Self { algorithm: Algorithm::Ed25519, x: encoded, y: [0; 32] }
    }

    /// The algorithm that the key's curve determines.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The x coordinate (EC2) or the whole public key (OKP).
    pub const fn x(&self) -> &[u8; 32] {
        &self.x
    }

    /// The y coordinate of an EC2 key.
    pub fn y(&self) -> Option<&[u8; 32]> {
        self.algorithm.row().has_y.then_some(&self.y)
    }

    /// The uncompressed point of an EC2 key (SEC 1 §2.3.3): 0x04 ‖ x ‖ y.
    pub fn to_sec1(&self) -> Option<[u8; 65]> {
        let y = self.y()?;
        let mut point = [0x04; 65];
        point[1..33].copy_from_slice(&self.x);
        point[33..].copy_from_slice(y);
        Some(point)
    }

    /// SHA-256 of the encoded COSE_Key, which has the required members alone in deterministic order:
    /// the key's thumbprint (RFC 9679), and its name in next-key commitments.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        Encoder::new(&mut hasher)
            .encode(self)
            .expect("hashing cannot fail and the encoder returns no error of its own");
        hasher.finish()
    }

    /// Checks the point, so that the key can check signatures.
    pub fn check(&self) -> Result<PublicKey, KeyError> {
        PublicKey::new(*self)
    }

    fn row(&self) -> &'static Row {
        self.algorithm.row()
    }
}

impl fmt::Debug for CoseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoseKey({}, {})", self.algorithm, Digest(self.x))
    }
}

impl<C> Encode<C> for CoseKey {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let row = self.row();
        e.map(if row.has_y { 4 } else { 3 })?;
        e.i8(KTY)?.u8(row.kty)?.i8(CRV)?.u8(row.crv)?.i8(X)?.bytes(&self.x)?;
        if row.has_y {
            e.i8(Y)?.bytes(&self.y)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for CoseKey {
    /// Accepts the labels in the one order that the encoder writes.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let entries = d.map()?;
        label(d, KTY)?;
        let kty = d.u8()?;
        label(d, CRV)?;
        let crv = d.u8()?;
        let row = TABLE
            .iter()
            .find(|row| row.kty == kty && row.crv == crv)
            .filter(|row| entries == Some(if row.has_y { 4 } else { 3 }))
            .ok_or_else(|| minicbor::decode::Error::message("unknown kind of public key"))?;
        label(d, X)?;
        let x = coordinate(d)?;
        let y = if row.has_y {
            label(d, Y)?;
            coordinate(d)?
        } else {
            [0; 32]
        };
        Ok(Self { algorithm: row.algorithm, x, y })
    }
}

fn label(d: &mut Decoder<'_>, expected: i8) -> Result<(), minicbor::decode::Error> {
    if d.i8()? == expected {
        Ok(())
    } else {
        Err(minicbor::decode::Error::message("another COSE_Key label than expected"))
    }
}

fn coordinate(d: &mut Decoder<'_>) -> Result<[u8; 32], minicbor::decode::Error> {
    d.bytes()?
        .try_into()
        .map_err(|_| minicbor::decode::Error::message("coordinate is not 32 bytes"))
}

/// A public key whose point has been checked; made by nothing but that check.
///
/// EC2: both coordinates are below the field's prime and the point is on the curve (the point at
/// infinity has no such coordinates). Ed25519: canonical encoding and prime order, so neither of
/// small order nor with a torsion component.
///
/// Holds the decoded point, which makes each verification cheaper than from bytes.
#[derive(Clone)]
pub struct PublicKey {
    cose: CoseKey,
    point: Point,
}

#[derive(Clone)]
enum Point {
    #[cfg(feature = "es256")]
    Es256(super::es256::Point),
    #[cfg(feature = "ed25519")]
    Ed25519(super::ed25519::Point),
    #[cfg(feature = "es256k")]
    Es256k(super::es256k::Point),
}

impl PublicKey {
    /// Checks `cose`.
    #[allow(unreachable_code, unused_variables, reason = "a build may have no algorithm at all")]
    pub fn new(cose: CoseKey) -> Result<Self, KeyError> {
        let point = match cose.algorithm {
            #[cfg(feature = "es256")]
            Algorithm::Es256 => super::es256::Point::check(&cose).map(Point::Es256)?,
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => super::ed25519::Point::check(&cose).map(Point::Ed25519)?,
            #[cfg(feature = "es256k")]
            Algorithm::Es256k => super::es256k::Point::check(&cose).map(Point::Es256k)?,
            #[allow(unreachable_patterns, reason = "reachable where a feature is off")]
            algorithm => return Err(KeyError::NotCompiled(algorithm)),
        };
        Ok(Self { cose, point })
    }

    /// Reads the one accepted encoding (see [`CoseKey`]) and checks the point.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        CoseKey::decode(bytes).map_err(KeyError::Malformed)?.check()
    }

    /// The key as it travels.
    pub const fn cose(&self) -> &CoseKey {
        &self.cose
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.cose.algorithm
    }

    /// SHA-256 of the encoded COSE_Key.
    pub fn digest(&self) -> Digest {
        self.cose.digest()
    }

    #[cfg(all(feature = "alloc", feature = "ed25519"))]
    pub(super) fn ed25519(&self) -> Option<&super::ed25519::Point> {
        #[allow(unreachable_patterns, reason = "a build may have no other algorithm")]
        match &self.point {
            Point::Ed25519(point) => Some(point),
            _ => None,
        }
    }

    #[allow(unused_variables, reason = "used by every algorithm, of which none may be compiled")]
    pub(super) fn verify(
        &self,
        message: &SignedBytes<'_>,
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), SignatureError> {
        match self.point {
            #[cfg(feature = "es256")]
            Point::Es256(ref point) => point.verify(message, signature),
            #[cfg(feature = "ed25519")]
            Point::Ed25519(ref point) => point.verify(message, signature),
            #[cfg(feature = "es256k")]
            Point::Es256k(ref point) => point.verify(message, signature),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.cose == other.cose
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.cose.algorithm, Digest(self.cose.x))
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.cose.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        <CoseKey as Decode<C>>::decode(d, ctx)?
            .check()
            .map_err(|_| minicbor::decode::Error::message("not a valid public key"))
    }
}

/// Why bytes are not a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the one encoding of a COSE_Key of a known kind.
    Malformed(Malformed),
    /// A coordinate is out of range or not in its one encoding.
    Encoding,
    /// No such point on the curve.
    NotOnCurve,
    /// A point outside the group of prime order (Ed25519), or its identity.
    NotPrimeOrder,
    /// This build leaves the algorithm out; another may accept the key.
    NotCompiled(Algorithm),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "malformed public key: {malformed}"),
            Self::Encoding => f.write_str("a coordinate of the public key is out of range"),
            Self::NotOnCurve => f.write_str("the public key is not a point of its curve"),
            Self::NotPrimeOrder => f.write_str("the public key is not of prime order"),
            Self::NotCompiled(algorithm) => write!(f, "this build cannot check {algorithm}"),
        }
    }
}

impl core::error::Error for KeyError {}
