//! One promise, and the list of them, in the encoding of TLS (RFC 6962 sections 3.2 and 3.3, RFC 5246 section 4).

use jiff::Timestamp;

/// Why bytes are no promise, or no list of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signed certificate timestamp: {0}")]
pub struct SctError(String);

impl SctError {
    fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// A signed certificate timestamp of version 1: what a log promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sct {
    /// SHA-256 of the log's key.
    pub log_id: [u8; 32],
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// What nobody has defined yet; signed all the same.
    pub extensions: Vec<u8>,
    /// HashAlgorithm of TLS: 4 is SHA-256.
    pub hash: u8,
    /// SignatureAlgorithm of TLS: 1 is RSA, 3 is ECDSA.
    pub algorithm: u8,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Sct {
    /// When the log says that it took the certificate; `None` when no clock shows such a time.
    pub fn moment(&self) -> Option<Timestamp> {
        let milliseconds = i64::try_from(self.timestamp).ok()?;
        Timestamp::from_millisecond(milliseconds).ok()
    }

    /// Reads a promise that fills `bytes`.
    ///
    /// # Errors
    /// When it is of another version, is cut off, or something follows.
    pub fn decode(bytes: &[u8]) -> Result<Self, SctError> {
        let mut input = Cursor(bytes);
        match input.byte("the version")? {
            0 => {}
            other => {
                return Err(SctError::new(format!(
                    "expected version 1 (the byte 0), saw the byte {other}"
                )));
            }
        }
        let log_id = input.array("the log's identifier")?;
        let timestamp = u64::from_be_bytes(input.array("the timestamp")?);
        let extensions = input.opaque("the extensions")?.to_vec();
        let hash = input.byte("the hash algorithm")?;
        let algorithm = input.byte("the signature algorithm")?;
        let signature = input.opaque("the signature")?.to_vec();
        input.finish("the signature")?;
        Ok(Self {
            log_id,
            timestamp,
            extensions,
            hash,
            algorithm,
            signature,
        })
    }

    /// The bytes that [`Sct::decode`] reads.
    ///
    /// # Errors
    /// When extensions or signature are longer than the encoding can say.
    pub fn encode(&self) -> Result<Vec<u8>, SctError> {
        let mut out = Vec::with_capacity(47 + self.extensions.len() + self.signature.len());
        out.push(0);
        out.extend_from_slice(&self.log_id);
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        opaque(&mut out, &self.extensions)?;
        out.extend_from_slice(&[self.hash, self.algorithm]);
        opaque(&mut out, &self.signature)?;
        Ok(out)
    }
}

/// A `SignedCertificateTimestampList` of `scts`: what stands in the OCTET STRING of the extension.
///
/// # Errors
/// When there are none, or more than a list can hold.
pub fn encode_list(scts: &[Sct]) -> Result<Vec<u8>, SctError> {
    if scts.is_empty() {
        return Err(SctError::new("a list must have one"));
    }
    let mut all = Vec::new();
    for sct in scts {
        opaque(&mut all, &sct.encode()?)?;
    }
    let mut out = Vec::with_capacity(all.len() + 2);
    opaque(&mut out, &all)?;
    Ok(out)
}

/// Reads a list that fills `bytes`.
///
/// # Errors
/// When it is empty, cut off, or has anything else than promises of version 1.
pub fn decode_list(bytes: &[u8]) -> Result<Vec<Sct>, SctError> {
    let mut input = Cursor(bytes);
    let mut all = Cursor(input.opaque("the list")?);
    input.finish("the list")?;
    if all.0.is_empty() {
        return Err(SctError::new("a list must have one"));
    }
    let mut scts = Vec::new();
    while !all.0.is_empty() {
        scts.push(Sct::decode(all.opaque("an entry of the list")?)?);
    }
    Ok(scts)
}

/// Length in two bytes, contents.
pub(super) fn opaque(out: &mut Vec<u8>, content: &[u8]) -> Result<(), SctError> {
    let length = u16::try_from(content.len())
        .map_err(|_| SctError::new(format!("{} bytes do not fit into a list", content.len())))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
    Ok(())
}

/// Bytes that are still to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], SctError> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return Err(SctError::new(format!(
                "{what} has {length} bytes, but only {} are left",
                self.0.len()
            )));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LENGTH: usize>(&mut self, what: &str) -> Result<[u8; LENGTH], SctError> {
        let mut array = [0; LENGTH];
        array.copy_from_slice(self.take(LENGTH, what)?);
        Ok(array)
    }

    fn byte(&mut self, what: &str) -> Result<u8, SctError> {
        let [byte] = self.array(what)?;
        Ok(byte)
    }

    fn opaque(&mut self, what: &str) -> Result<&'a [u8], SctError> {
        let length = u16::from_be_bytes(self.array(what)?);
        self.take(usize::from(length), what)
    }

    fn finish(&self, what: &str) -> Result<(), SctError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            let left = self.0.len();
            Err(SctError::new(format!("{left} bytes after {what}")))
        }
    }
}
