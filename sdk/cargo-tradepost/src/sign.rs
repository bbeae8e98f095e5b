//! Signatures of components, as minisign makes them. The trusted comment names connector and version, so that a signature
//! of one file says nothing of another.

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use minisign::{KeyPair, PublicKey, SecretKeyBox};

use crate::failure::Hinted;
use crate::language::put;

/// A signature that was written.
#[derive(Debug)]
pub struct Signature {
    /// `FILE.wasm.minisig`.
    pub file: PathBuf,
    /// Id of the key.
    pub key: String,
}

/// Signs a component.
///
/// # Errors
/// The key cannot be read or does not open, or a file cannot be written.
pub fn sign(file: &Path, key: &Path, id: &str, version: &str) -> anyhow::Result<Signature> {
    let text = std::fs::read_to_string(key).map_err(|error| {
        let hint = format!("make one with `cargo tradepost keygen {}`", key.display());
        Hinted::new(format!("the key {} cannot be read: {error}", key.display()), hint)
    })?;
    let boxed = SecretKeyBox::from_string(&text).with_context(|| format!("{} is no minisign key", key.display()))?;
    // One without password opens by itself; the other asks on the terminal.
    let secret = boxed
        .clone()
        .into_unencrypted_secret_key()
        .or_else(|_| boxed.into_secret_key(None))
        .with_context(|| format!("the key {} does not open", key.display()))?;
    let public = PublicKey::from_secret_key(&secret)?;
    let data = BufReader::new(File::open(file).with_context(|| format!("{} cannot be read", file.display()))?);
    let comment = format!("id={id} version={version}");
    let signature =
        minisign::sign(Some(&public), &secret, data, Some(&comment), Some("signature of a Tradepost connector"))?;
    let to = file.with_added_extension("minisig");
    put(&to, signature.to_string().as_bytes())?;
    Ok(Signature { file: to, key: name(&public) })
}

/// Makes a pair of keys: `KEY` and `KEY.pub`. Nothing is overwritten.
///
/// # Errors
/// A file is there already or cannot be written.
pub fn generate(key: &Path, password: bool) -> anyhow::Result<String> {
    let comment = Some("key for Tradepost connectors");
    // With a password it asks on the terminal.
    let pair =
        if password { KeyPair::generate_encrypted_keypair(None)? } else { KeyPair::generate_unencrypted_keypair()? };
    let KeyPair { pk: public, sk } = pair;
    let secret = sk.to_box(comment)?;
    write_new(key, &secret.to_string(), 0o600)?;
    write_new(&key.with_added_extension("pub"), &public.to_box()?.to_string(), 0o644)?;
    Ok(name(&public))
}

fn name(public: &PublicKey) -> String {
    public.to_base64()
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path).map_err(|error| {
        Hinted::new(
            format!("{} cannot be made: {error}", path.display()),
            "name another file; a key is never overwritten",
        )
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use minisign::SignatureBox;

    use super::*;

    #[test]
    fn what_was_signed_is_verified_with_its_comment() {
        let root = tempfile::tempdir().unwrap();
        let (key, file) = (root.path().join("my.key"), root.path().join("shop.wasm"));
        let public = generate(&key, false).unwrap();
        std::fs::write(&file, b"component").unwrap();
        let signature = sign(&file, &key, "org.example.shop", "1.2.0").unwrap();
        assert_eq!(
            (signature.file.as_path(), signature.key),
            (root.path().join("shop.wasm.minisig").as_path(), public.clone())
        );
        let boxed = SignatureBox::from_file(&signature.file).unwrap();
        assert_eq!(boxed.trusted_comment().unwrap(), "id=org.example.shop version=1.2.0");
        let public = PublicKey::from_base64(&public).unwrap();
        minisign::verify(&public, &boxed, &b"component"[..], true, false, false).unwrap();
        assert!(minisign::verify(&public, &boxed, &b"another"[..], true, false, false).is_err());
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let key = root.path().join("my.key");
        generate(&key, false).unwrap();
        let before = std::fs::read(&key).unwrap();
        assert!(generate(&key, false).is_err());
        assert_eq!(std::fs::read(&key).unwrap(), before);
    }
}
