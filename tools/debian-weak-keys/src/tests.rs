//! Whole keys against keys that vulnerable machines are known to have made:
//! SHA-256 of SubjectPublicKeyInfo, from public collections of those keys.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::*;

fn assert_key(kind: &str, world: &str, process: u16, sha256: &str) -> Result<()> {
    let kind: Kind = kind.parse()?;
    let public_keys = kind.public_keys(world.parse()?, process..process + 1)?;
    let hashes: Vec<String> = public_keys
        .iter()
        .map(|key| format!("{:x}", Sha256::digest(key)))
        .collect();
    assert_eq!(hashes, [sha256], "{kind} {world} {process}");
    Ok(())
}

#[test]
fn c_20_known_p256_keys_are_remade() -> Result<()> {
    assert_key(
        "p256",
        "le64-rnd",
        1_000,
        "ce13e7dd0ad59fad075d15426ad322c30715a24d2b4f0b6a58cdfaf50f2b4294",
    )?;
    assert_key(
        "p256",
        "le32-nornd",
        1_000,
        "a6b40dc076534b033fc2ae352ab146329cfc6a035da1f34cb1dca24cdd0980fd",
    )?;
    assert_key(
        "p256",
        "be32-noreadrnd",
        1_000,
        "de4abf22adf229f9ded267d0260289a9c55ed71857cc29e64ae5366e6464b217",
    )?;
    assert_key(
        "p256",
        "le32-noreadrnd",
        31_337,
        "86365f150c1ea93ecb0aec43dc80b9c7bca63a99a7034f014677afc06924d582",
    )?;
    assert_key(
        "p256",
        "le64-rnd",
        0,
        "1c74de7dda3d26d6d6535a06618d65052d4f20c1661c8aef356894aa4a6a9b09",
    )?;
    Ok(())
}

#[test]
fn c_20_known_p384_keys_are_remade() -> Result<()> {
    assert_key(
        "p384",
        "be32-noreadrnd",
        1_000,
        "d175d9065a9b49894de5c04eb6964be84d1dc3a435837c1f3321c68ceca87bf4",
    )?;
    assert_key(
        "p384",
        "le64-nornd",
        20_000,
        "6f446b3b78c643f8d52eed00cc12bd80a399ff4ae637f42f1b54b33a12252665",
    )?;
    Ok(())
}

#[test]
fn c_20_known_rsa2048_keys_are_remade() -> Result<()> {
    assert_key(
        "rsa2048",
        "le64-noreadrnd",
        1_000,
        "56510da4eb530916eaa14193d592b5cff1be03a5d9f39566e55780db519b1df7",
    )?;
    assert_key(
        "rsa2048",
        "be32-noreadrnd",
        1_000,
        "ec9a766b809fe269e5ff68884d63e3841976696e3aef94a821abd4b9889fc660",
    )?;
    assert_key(
        "rsa2048",
        "be32-rnd",
        0,
        "be4db5ca6b0a05d4f97457a11cffca0f7717aa25ca0c1605281c3dcbb33aba05",
    )?;
    assert_key(
        "rsa2048",
        "le64-noreadrnd",
        0,
        "85be80f1b12bbff761d13389f194b36a63a5167194da7603226131de1f05bdd6",
    )?;
    Ok(())
}

#[test]
fn c_20_known_rsa3072_keys_are_remade() -> Result<()> {
    assert_key(
        "rsa3072",
        "be32-rnd",
        4_242,
        "37053ce0b3e7d267e4df70961ad5bfb26192f94c2560389f5670c32d59e43b48",
    )?;
    Ok(())
}

#[test]
fn c_20_known_rsa4096_keys_are_remade() -> Result<()> {
    assert_key(
        "rsa4096",
        "be32-rnd",
        4_242,
        "c9988a3699c62ca5af958d672660b1b61526d3688f9e60381168a5f65fcc4f4b",
    )?;
    Ok(())
}

/// The one published check of all nine worlds: SHA-1 over the sorted SHA-1 of
/// the moduli of process 32767, in the text form of `openssl rsa -modulus`.
#[test]
fn c_20_process_32767_is_remade_in_every_world() {
    let mut lines = Vec::new();
    for world in World::ALL {
        for modulus in rsa::moduli(world, 32_767..32_768, 2048) {
            let text = format!("Modulus={modulus:X}\n");
            lines.push(format!("{:x}\n", Sha1::digest(text)));
        }
    }
    lines.sort();
    assert_eq!(
        format!("{:x}", Sha1::digest(lines.concat())),
        "2a910e906624766546114d300ca6b671c7acc08c"
    );
}
