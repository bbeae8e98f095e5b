//! Signatures of components, as minisign makes them. The trusted comment names connector and version, so that a signature
//! of one file says nothing of another.

mod key;

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::language::put;
pub use key::{SecretKey, generate};

/// Signatures are of the file's hash, not of the file.
const ALGORITHM: &[u8; 2] = b"ED";

/// A signature that was written.
#[derive(Debug)]
pub struct Signature {
    /// `FILE.wasm.minisig`.
    pub file: PathBuf,
    /// The public key, as operators write it.
    pub key: String,
}

/// Signs a component.
///
/// # Errors
/// The key cannot be read or does not open, or a file cannot be written.
pub fn sign(file: &Path, key: &Path, id: &str, version: &str) -> anyhow::Result<Signature> {
    let key = SecretKey::read(key)?;
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let text = text(&key, &bytes, &format!("id={id} version={version}"));
    let to = file.with_added_extension("minisig");
    put(&to, text.as_bytes())?;
    Ok(Signature { file: to, key: key.public() })
}

fn text(key: &SecretKey, bytes: &[u8], comment: &str) -> String {
    let signature = key.sign(blake2b_simd::blake2b(bytes).as_bytes());
    let whole = key.sign(&[&signature[..], comment.as_bytes()].concat());
    let named = [&ALGORITHM[..], &key.id(), &signature].concat();
    format!(
        "untrusted comment: signature of a Tradepost connector\n{}\ntrusted comment: {comment}\n{}\n",
        STANDARD.encode(named),
        STANDARD.encode(whole),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minisign_verifies_what_was_signed_with_its_comment() {
        let root = tempfile::tempdir().unwrap();
        let (key, file) = (root.path().join("my.key"), root.path().join("shop.wasm"));
        let public = generate(&key, None).unwrap();
        std::fs::write(&file, b"component").unwrap();
        let signature = sign(&file, &key, "org.example.shop", "1.2.0").unwrap();
        assert_eq!(signature.file, root.path().join("shop.wasm.minisig"));
        assert_eq!(signature.key, public);
        let written = minisign_verify::Signature::from_file(&signature.file).unwrap();
        assert_eq!(written.trusted_comment(), "id=org.example.shop version=1.2.0");
        let public = minisign_verify::PublicKey::from_file(root.path().join("my.key.pub")).unwrap();
        public.verify(b"component", &written, false).unwrap();
        assert!(public.verify(b"another", &written, false).is_err());
        let forged = std::fs::read_to_string(&signature.file).unwrap().replace("1.2.0", "1.3.0");
        let forged = minisign_verify::Signature::decode(&forged).unwrap();
        assert!(public.verify(b"component", &forged, false).is_err());
    }
}
