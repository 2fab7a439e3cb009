//! `EC_KEY_generate_key` of OpenSSL 0.9.8.

use anyhow::{Context, Result};
use p256::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey,
    bigint::ArrayEncoding,
    sec1::{FromEncodedPoint, ModulusSize, ToEncodedPoint},
};

use crate::{generator::Generator, random, world::World};

/// The public point, uncompressed, of the key on curve `C` that `process`
/// makes in `world`.
pub fn point<C>(world: World, process: u16) -> Result<Vec<u8>>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromEncodedPoint<C> + ToEncodedPoint<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let mut generator = Generator::new(world, process);
    let order = C::ORDER.to_be_byte_array();
    let zeros = order.iter().take_while(|byte| **byte == 0).count();
    let scalar = random::below(&mut generator, &order[zeros..]);
    let secret = SecretKey::<C>::from_slice(&scalar)
        .ok()
        .context("the scalar is zero")?;
    let public: PublicKey<C> = secret.public_key();
    Ok(public.to_encoded_point(false).as_bytes().to_vec())
}
