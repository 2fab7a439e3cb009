//! A new intermediate while the root's key lies offline: three steps with two files between them.
//!
//! 1. [`request_intermediate`], where the CA issues: a key, and a request for its certificate
//! 2. [`sign_intermediate`], where the root's key is: the certificate
//! 3. [`super::Rotation::with_certificate`], where the CA issues: the certificate beside its key
//!
//! The request carries a public key and the proof that somebody has the private one; what the certificate says is decided
//! where the root's key is.

use std::path::Path;

use jiff::Timestamp;
use reseal_pki::{
    certificate::{Certificate, assemble, pem, verify_signed},
    csr::Csr,
    key::KeyPolicy,
    profile::{CaSubject, IssuingAuthority, SignatureAlgorithm, authority_request},
};

use super::{
    access::Access,
    certificates::{self, Certificates, Intermediate},
    folder::{self, Files, OWNER_ONLY},
    pointer::Pointers,
    rotate::{RotateError, RotationSettings, check_dates, file, new_key, new_subject},
    signer::KeyType,
};

/// A key for an intermediate that has no certificate yet.
#[derive(Debug)]
pub struct Requested {
    /// What the intermediate will be called in the names of lists, files and addresses.
    pub id: String,
    /// Name of the key's file.
    pub key_file: String,
    /// SHA-256 of the SubjectPublicKeyInfo, for comparing by voice.
    pub key_sha256: [u8; 32],
    /// The request, PKCS#10 in PEM.
    pub request: String,
}

/// Makes a key into `folder` and a request for its certificate. It issues only when the certificate is there, too.
///
/// # Errors
/// As [`super::Rotation::prepare`], but the root's key is not needed.
pub fn request_intermediate<'a>(
    folder: &Path,
    algorithm: KeyType,
    access: impl Into<Access<'a>>,
    now: Timestamp,
) -> Result<Requested, RotateError> {
    let access = access.into();
    let _lock = folder::lock(folder)?;
    let Certificates {
        root,
        intermediates,
    } = Certificates::read(folder)?;
    check_dates(&root, &intermediates, now)?;
    if access.passphrase().is_some()
        && let Some(newest) = intermediates.last()
    {
        // A mistyped passphrase would be found out only when the key is needed.
        access.open(folder, &newest.files(), &newest.authority)?;
    }
    let key = new_key(access, algorithm, &root, &intermediates)?;
    let public_key = key.public_key();
    let id = certificates::id_of_key(public_key);
    let info = authority_request(&new_subject(&root)?, public_key.spki_der());
    let algorithm = SignatureAlgorithm::for_key(public_key)
        .ok_or_else(|| RotateError::Refused("the key is of no type a CA has".to_owned()))?;
    let request = assemble(&info, algorithm, &key.sign_here(&info)?);
    let files = Files::later(&id);
    folder::place(folder, &files.key, &file(folder, &key, access)?, OWNER_ONLY)?;
    Ok(Requested {
        id,
        key_file: files.key,
        key_sha256: public_key.spki_sha256(),
        request: pem("CERTIFICATE REQUEST", &request),
    })
}

/// The certificate for the key in `request` (PKCS#10, PEM or DER), signed with the root's key in `folder`, where nothing but
/// the root has to be. Its name is made here.
///
/// # Errors
/// When the request does not prove that its key is at hand, the key is of no type a CA has, or the root does not open.
pub fn sign_intermediate(
    folder: &Path,
    request: &str,
    settings: &RotationSettings<'_>,
    now: Timestamp,
) -> Result<IssuingAuthority, RotateError> {
    let unusable = |reason: String| RotateError::Refused(format!("the request: {reason}"));
    let root = certificates::read_root(folder)?;
    check_dates(&root, &[], now)?;
    let request = Csr::parse(request).map_err(|error| unusable(error.to_string()))?;
    let public_key = request.public_key();
    verify_signed(request.der(), public_key).map_err(|error| {
        unusable(format!(
            "it is not signed with the key that is in it: {error}"
        ))
    })?;
    if public_key.spki_sha256() == root.public_key().spki_sha256() {
        return Err(unusable("its key is the root's".to_owned()));
    }
    if !KeyType::ALL.iter().any(|kind| kind.is_of(public_key)) {
        return Err(unusable(format!(
            "its key is {} with {} bits, expected p256, p384, rsa3072 or rsa4096",
            public_key.algorithm().name(),
            public_key.size_bits()
        )));
    }
    if let Some(problem) = public_key.problems(&KeyPolicy::default()).first() {
        return Err(unusable(format!(
            "its key must not be certified: {problem}"
        )));
    }
    let root_key = settings.access.open(folder, &Files::root(), &root)?;
    let subject: CaSubject = new_subject(&root)?;
    let pointers = Pointers::new(settings.public_url)?;
    Ok(certificates::intermediate(
        (&root, &root_key),
        &subject,
        public_key,
        &pointers,
        now,
    )?)
}

/// The intermediate in `text` (PEM), if the root signed it for a key that waits in `folder` and it becomes the newest.
pub(super) fn accepted(
    folder: &Path,
    text: &str,
    access: Access<'_>,
    now: Timestamp,
) -> Result<Intermediate, RotateError> {
    let unusable = |reason: String| RotateError::Refused(format!("the certificate: {reason}"));
    let certificate =
        Certificate::from_pem_or_der(text).map_err(|error| unusable(error.to_string()))?;
    let authority = IssuingAuthority::from_der(certificate.der())
        .map_err(|error| unusable(error.to_string()))?;
    let Certificates {
        root,
        intermediates,
    } = Certificates::read(folder)?;
    verify_signed(authority.certificate_der(), root.public_key())
        .map_err(|_| unusable("the root of this CA did not sign it".to_owned()))?;
    certificates::breaches(&authority, &root).map_err(|error| unusable(error.to_string()))?;
    let new = Intermediate::new(authority, false);
    if intermediates.iter().any(|one| one.id() == new.id()) {
        return Err(unusable("it is there already".to_owned()));
    }
    let (begin, end) = (new.authority.not_before(), new.authority.not_after());
    if now < begin || now > end {
        return Err(unusable(format!(
            "it is good from {begin} to {end}, and the clock says {now:.0}"
        )));
    }
    if let Some(newest) = intermediates.last().map(|one| one.authority.not_before())
        && begin < newest
    {
        return Err(unusable(format!(
            "it begins at {begin}, before the one that issues, at {newest}: the clock was wrong where it was signed"
        )));
    }
    // Also that it is for the key that waits here, and that this can be used.
    access
        .open(folder, &new.files(), &new.authority)?
        .prove_here()?;
    Ok(new)
}
