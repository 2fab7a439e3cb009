//! Keys as the objects of a token: finding, making, taking in, and signing with them. All of it runs on a thread that holds
//! a session.

use aws_lc_rs::rand;
use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType as Kind, ObjectClass, ObjectHandle};
use reseal_pki::key::{KeyPolicy, PublicKey};

use super::super::signer::{KeyType, SoftwareKey};
use super::{Session, TokenError, TokenName, encode};

/// Bytes of the identifiers that new keys get.
const ID_LENGTH: usize = 16;

/// Why something was not done.
pub(super) enum Failure {
    /// The module refused a call.
    Module(Error),
    /// It answered, and that will not do.
    Said(TokenError),
}

impl Failure {
    pub(super) fn told(self, token: &TokenName) -> TokenError {
        match self {
            Self::Said(error) => error,
            Self::Module(error) => TokenError::Call {
                token: token.clone(),
                reason: error.to_string(),
            },
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Said(error)
    }
}

/// A key in the token, by its name.
#[derive(Clone, Debug)]
pub(in crate::embedded) struct Found {
    pub(super) label: String,
    pub(super) id: Vec<u8>,
    pub(super) key_type: KeyType,
    pub(super) public_key: PublicKey,
}

/// The key pair with this label, if there is one.
pub(super) fn find(session: &mut Session<'_>, label: &str) -> Result<Option<Found>, Failure> {
    let unfit = |reason: &str| TokenError::Unfit {
        label: label.to_owned(),
        reason: reason.to_owned(),
    };
    let private = session.raw.find_objects(&[
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Token(true),
        Attribute::Label(label.into()),
    ])?;
    let private = match private[..] {
        [] => return Ok(None),
        [private] => private,
        _ => {
            return Err(unfit(
                "there are several with this label: remove those that are not meant",
            )
            .into());
        }
    };
    let mut id = Vec::new();
    // What the token does not tell is held against it.
    let (mut is_sensitive, mut is_extractable, mut signs) = (false, true, false);
    let attributes = [
        AttributeType::Id,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Sign,
    ];
    for attribute in session.raw.get_attributes(private, &attributes)? {
        match attribute {
            Attribute::Id(value) => id = value,
            Attribute::Sensitive(value) => is_sensitive = value,
            Attribute::Extractable(value) => is_extractable = value,
            Attribute::Sign(value) => signs = value,
            _ => {}
        }
    }
    if !is_sensitive || is_extractable {
        return Err(unfit(
            "the token would hand it out: make one that is sensitive and not extractable",
        )
        .into());
    }
    if !signs {
        return Err(unfit("it may not sign (CKA_SIGN)").into());
    }
    let (key_type, public_key) = public_half(session, label, &id)?;
    session
        .handles
        .insert((label.to_owned(), id.clone()), private);
    Ok(Some(Found {
        label: label.to_owned(),
        id,
        key_type,
        public_key,
    }))
}

/// The public key that lies beside the private key with this label and id.
fn public_half(
    session: &Session<'_>,
    label: &str,
    id: &[u8],
) -> Result<(KeyType, PublicKey), Failure> {
    let unfit = |reason: String| TokenError::Unfit {
        label: label.to_owned(),
        reason,
    };
    // Identifiers are given by whoever makes a key, and two may have the same.
    let mut wanted = vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Id(id.to_vec()),
        Attribute::Label(label.into()),
    ];
    let mut public = session.raw.find_objects(&wanted)?;
    if public.is_empty() {
        wanted.pop();
        public = session.raw.find_objects(&wanted)?;
    }
    let [public] = public[..] else {
        let (id, count) = (hex::encode(id), public.len());
        let reason =
            format!("there are {count} public keys with its id {id} beside it, expected one");
        return Err(unfit(reason).into());
    };
    let attributes = [
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let (mut curve, mut point, mut modulus, mut exponent) = (None, None, None, None);
    for attribute in session.raw.get_attributes(public, &attributes)? {
        match attribute {
            Attribute::EcParams(value) => curve = Some(value),
            Attribute::EcPoint(value) => point = Some(value),
            Attribute::Modulus(value) => modulus = Some(value),
            Attribute::PublicExponent(value) => exponent = Some(value),
            _ => {}
        }
    }
    let spki = match (curve, point, modulus, exponent) {
        (Some(curve), Some(point), ..) => encode::ec_spki(&curve, &point),
        (.., Some(modulus), Some(exponent)) => encode::rsa_spki(&modulus, &exponent),
        _ => return Err(unfit("it is neither RSA nor ECDSA".to_owned()).into()),
    };
    let key = PublicKey::from_spki_der(&spki).map_err(|error| unfit(error.to_string()))?;
    if let Some(problem) = key.problems(&KeyPolicy::default()).first() {
        return Err(unfit(problem.to_string()).into());
    }
    let key_type = KeyType::ALL
        .into_iter()
        .find(|kind| kind.is_of(&key))
        .ok_or_else(|| {
            unfit(format!(
                "it is {} with {} bits, expected p256, p384, rsa3072 or rsa4096",
                key.algorithm().name(),
                key.size_bits()
            ))
        })?;
    Ok((key_type, key))
}

/// Has the token make a key pair that never leaves it.
pub(super) fn make(
    session: &mut Session<'_>,
    label: &str,
    key_type: KeyType,
) -> Result<Found, Failure> {
    let mut id = vec![0; ID_LENGTH];
    rand::fill(&mut id).map_err(|_| TokenError::Unfit {
        label: label.to_owned(),
        reason: "the random generator of the system gave no bytes for its id".to_owned(),
    })?;
    let mut public = public_template(label, &id);
    let mechanism = match (encode::curve(key_type), encode::modulus_bits(key_type)) {
        (Some(curve), _) => {
            public.push(Attribute::EcParams(curve.to_vec()));
            Mechanism::EccKeyPairGen
        }
        (None, bits) => {
            let bits = u64::from(bits.unwrap_or_default());
            public.push(Attribute::ModulusBits(bits.into()));
            public.push(Attribute::PublicExponent(vec![1, 0, 1]));
            Mechanism::RsaPkcsKeyPairGen
        }
    };
    let private = private_template(label, &id);
    session
        .raw
        .generate_key_pair(&mechanism, &public, &private)?;
    read_back(session, label)
}

/// Takes a key into the token, which never hands it out again.
pub(super) fn take_in(
    session: &mut Session<'_>,
    label: &str,
    key: &SoftwareKey,
) -> Result<Found, Failure> {
    // The same after an interruption: the public half may be there already.
    let id = key.public_key().spki_sha256()[..ID_LENGTH].to_vec();
    let there = session.raw.find_objects(&[
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Id(id.clone()),
        Attribute::Label(label.into()),
    ])?;
    let unreadable = || TokenError::Unfit {
        label: label.to_owned(),
        reason: "its parts cannot be read".to_owned(),
    };
    if there.is_empty() {
        let public = public_object(label, &id, key).ok_or_else(unreadable)?;
        session.raw.create_object(&public)?;
    }
    let private = private_object(label, &id, key).ok_or_else(unreadable)?;
    let made = session.raw.create_object(&private);
    wipe(private);
    made.map_err(|error| TokenError::TakesNone(error.to_string()))?;
    read_back(session, label)
}

/// The numbers of an RSA key as attributes, in the order in which they are read.
const RSA_NUMBERS: [fn(Vec<u8>) -> Attribute; 8] = [
    Attribute::Modulus,
    Attribute::PublicExponent,
    Attribute::PrivateExponent,
    Attribute::Prime1,
    Attribute::Prime2,
    Attribute::Exponent1,
    Attribute::Exponent2,
    Attribute::Coefficient,
];

fn public_object(label: &str, id: &[u8], key: &SoftwareKey) -> Option<Vec<Attribute>> {
    let mut object = public_template(label, id);
    object.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
    if let Some(curve) = encode::curve(key.key_type()) {
        let point = encode::ec_point(key.public_key().raw_public_key());
        object.push(Attribute::KeyType(Kind::EC));
        object.push(Attribute::EcParams(curve.to_vec()));
        object.push(Attribute::EcPoint(point));
    } else {
        let parts = encode::RsaParts::of_pkcs8(&key.to_pkcs8().ok()?)?;
        let numbers = RSA_NUMBERS.into_iter().zip(parts.numbers()).take(2);
        object.push(Attribute::KeyType(Kind::RSA));
        object.extend(numbers.map(|(of, number)| of(number.to_vec())));
    }
    Some(object)
}

/// To be wiped after use.
fn private_object(label: &str, id: &[u8], key: &SoftwareKey) -> Option<Vec<Attribute>> {
    let mut object = private_template(label, id);
    object.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
    if let Some(curve) = encode::curve(key.key_type()) {
        object.push(Attribute::KeyType(Kind::EC));
        object.push(Attribute::EcParams(curve.to_vec()));
        object.push(Attribute::Value(key.scalar()?.to_vec()));
    } else {
        let parts = encode::RsaParts::of_pkcs8(&key.to_pkcs8().ok()?)?;
        let numbers = RSA_NUMBERS.into_iter().zip(parts.numbers());
        object.push(Attribute::KeyType(Kind::RSA));
        object.extend(numbers.map(|(of, number)| of(number.to_vec())));
    }
    Some(object)
}

/// What was made, as it is found from now on.
fn read_back(session: &mut Session<'_>, label: &str) -> Result<Found, Failure> {
    find(session, label)?.ok_or_else(|| {
        TokenError::Unfit {
            label: label.to_owned(),
            reason: "the token says that it was made, and does not show it".to_owned(),
        }
        .into()
    })
}

fn public_template(label: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Label(label.into()),
        Attribute::Id(id.to_vec()),
    ]
}

/// Signs, and can do nothing else; the token keeps it.
fn private_template(label: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
        Attribute::Label(label.into()),
        Attribute::Id(id.to_vec()),
    ]
}

/// Wipes the key material in a template.
fn wipe(template: Vec<Attribute>) {
    for attribute in template {
        if let Attribute::Value(bytes)
        | Attribute::PrivateExponent(bytes)
        | Attribute::Prime1(bytes)
        | Attribute::Prime2(bytes)
        | Attribute::Exponent1(bytes)
        | Attribute::Exponent2(bytes)
        | Attribute::Coefficient(bytes) = attribute
        {
            drop(zeroize::Zeroizing::new(bytes));
        }
    }
}

/// r and s of an ECDSA signature over a digest.
pub(super) fn sign_ecdsa(
    session: &mut Session<'_>,
    found: &Found,
    digest: &[u8],
) -> Result<Vec<u8>, Failure> {
    let key = handle(session, found)?;
    Ok(session.raw.sign(&Mechanism::Ecdsa, key, digest)?)
}

/// A PKCS#1 v1.5 signature over a DigestInfo.
pub(super) fn sign_rsa(
    session: &mut Session<'_>,
    found: &Found,
    digest_info: &[u8],
) -> Result<Vec<u8>, Failure> {
    let key = handle(session, found)?;
    Ok(session.raw.sign(&Mechanism::RsaPkcs, key, digest_info)?)
}

/// The private key, looked up once in a session.
fn handle(session: &mut Session<'_>, found: &Found) -> Result<ObjectHandle, Failure> {
    let name = (found.label.clone(), found.id.clone());
    if let Some(handle) = session.handles.get(&name) {
        return Ok(*handle);
    }
    let private = session.raw.find_objects(&[
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Token(true),
        Attribute::Label(found.label.as_str().into()),
        Attribute::Id(found.id.clone()),
    ])?;
    let handle = *private.first().ok_or_else(|| TokenError::NoKey {
        token: session.token.clone(),
        label: found.label.clone(),
        id: hex::encode(&found.id),
    })?;
    session.handles.insert(name, handle);
    Ok(handle)
}
