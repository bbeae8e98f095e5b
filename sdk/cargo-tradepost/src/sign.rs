//! Keys and signatures of components, as minisign makes them. The trusted comment names connector and version, so that a
//! signature of one file says nothing of another.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};

use crate::failure::Hinted;
use crate::language::put;

/// What stands first in a key with a password: `Ed`, `Sc`, `B2` in base64.
const WITH_PASSWORD: &str = "RWRTY0Iy";

/// A signature that was written.
#[derive(Debug)]
pub struct Signature {
    /// `FILE.wasm.minisig`.
    pub file: PathBuf,
    /// The public key, as operators write it.
    pub key: String,
}

/// A secret key that was opened.
pub struct Signer(SecretKey);

impl Signer {
    /// Opens a key. Asks for its password on the terminal where it has one.
    ///
    /// # Errors
    /// The key cannot be read or does not open.
    pub fn open(key: &Path) -> anyhow::Result<Self> {
        let ask =
            || password(&format!("Password of {}: ", key.display()), "sign where there is one, or with a key without");
        open(key, ask).map(Self)
    }

    /// Signs the bytes of a component that lie, or will lie, in this file.
    ///
    /// # Errors
    /// The signature cannot be written.
    pub fn sign(&self, bytes: &[u8], file: &Path, id: &str, version: &str) -> anyhow::Result<Signature> {
        let (trusted, untrusted) = (format!("id={id} version={version}"), "signature of a Tradepost connector");
        let signature = minisign::sign(None, &self.0, Cursor::new(bytes), Some(&trusted), Some(untrusted))
            .with_context(|| format!("{} cannot be signed", file.display()))?;
        let to = beside(file);
        put(&to, signature.to_string().as_bytes())?;
        Ok(Signature { file: to, key: PublicKey::from_secret_key(&self.0)?.to_base64() })
    }
}

/// Where the signature of a file lies.
#[must_use]
pub fn beside(file: &Path) -> PathBuf {
    file.with_added_extension("minisig")
}

/// Asks for a password on the terminal; `instead` is what to do where there is none.
///
/// # Errors
/// There is no terminal, or it was closed.
pub fn password(prompt: &str, instead: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(prompt).map_err(|error| match error.raw_os_error() {
        // `/dev/tty` cannot be opened.
        Some(_) => Hinted::new("there is no terminal to ask for the password on", instead).into(),
        None => error.into(),
    })
}

/// Makes a pair of keys, `KEY` and `KEY.pub`, and gives the public one. Nothing is overwritten.
///
/// # Errors
/// A file is there already or cannot be written.
pub fn generate(path: &Path, password: Option<String>) -> anyhow::Result<String> {
    let public_path = path.with_added_extension("pub");
    // Asked before a password costs its second of work; `write_new` holds against whoever comes between.
    for path in [path, &public_path] {
        if path.exists() {
            return Err(taken(path).into());
        }
    }
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password))?,
        None => KeyPair::generate_unencrypted_keypair()?,
    };
    write_new(path, &pair.sk.to_box(Some("secret key for Tradepost connectors"))?.to_string(), 0o600)?;
    let public = pair.pk.to_base64();
    write_new(&public_path, &format!("untrusted comment: public key for Tradepost connectors\n{public}\n"), 0o644)?;
    Ok(public)
}

fn open(path: &Path, password: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<SecretKey> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = format!("make one with `cargo tradepost keygen {}`", path.display());
        Hinted::new(format!("the key {} cannot be read: {error}", path.display()), hint)
    })?;
    let kept = SecretKeyBox::from(text);
    let has_password = kept.to_string().lines().nth(1).is_some_and(|line| line.starts_with(WITH_PASSWORD));
    let opened =
        if has_password { kept.into_secret_key(Some(password()?)) } else { kept.into_unencrypted_secret_key() };
    opened.with_context(|| format!("the key {} does not open", path.display()))
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut file = match File::options().write(true).create_new(true).mode(mode).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(path).into()),
        made => made.with_context(|| format!("{} cannot be made", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
}

fn taken(path: &Path) -> Hinted {
    Hinted::new(format!("{} is there already", path.display()), "name another file; a key is never overwritten")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_verifies_what_was_signed_with_its_comment() {
        let root = tempfile::tempdir().unwrap();
        let (key, file) = (root.path().join("my.key"), root.path().join("shop.wasm"));
        let public = generate(&key, None).unwrap();
        std::fs::write(&file, b"component").unwrap();
        let signer = Signer::open(&key).unwrap();
        // What was looked at is signed, whatever has become of the file.
        std::fs::write(&file, b"another").unwrap();
        let signature = signer.sign(b"component", &file, "org.example.shop", "1.2.0").unwrap();
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

    #[test]
    fn a_password_is_asked_for_where_there_is_one_and_must_be_right() {
        let root = tempfile::tempdir().unwrap();
        let (hidden, plain) = (root.path().join("hidden.key"), root.path().join("plain.key"));
        generate(&hidden, Some("right".into())).unwrap();
        generate(&plain, None).unwrap();
        assert!(open(&plain, || anyhow::bail!("it has no password")).is_ok());
        assert!(open(&hidden, || Ok("right".into())).is_ok());
        let wrong = open(&hidden, || Ok("wrong".into())).unwrap_err();
        assert!(format!("{wrong:#}").ends_with("hidden.key does not open: Wrong password for that key"), "{wrong:#}");
    }

    #[test]
    fn a_damaged_key_does_not_open() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("my.key");
        generate(&path, None).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        // A digit of the secret key: what stands before it is not under the checksum.
        let at = whole.find('\n').unwrap() + 100;
        let other = if whole.as_bytes()[at] == b'x' { "y" } else { "x" };
        let mut damaged = whole.clone();
        damaged.replace_range(at..=at, other);
        for text in [damaged.as_str(), &whole[..at], "untrusted comment: nothing else", "", "a\nb\n"] {
            std::fs::write(&path, text).unwrap();
            let refused = open(&path, || anyhow::bail!("it has no password")).unwrap_err();
            assert!(format!("{refused:#}").contains("my.key does not open: "), "{refused:#}");
        }
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("my.key");
        generate(&path, None).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(generate(&path, None).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // A public key that others hold is one too, and no secret key is left beside it.
        let other = root.path().join("other.key");
        let hint = crate::failure::hint(&generate(&path, None).unwrap_err()).unwrap();
        assert!(hint.contains("never overwritten"), "{hint}");
        std::fs::write(root.path().join("other.key.pub"), "theirs").unwrap();
        assert!(generate(&other, None).is_err());
        assert!(!other.exists());
    }

    #[test]
    fn a_key_in_a_folder_that_is_not_there_is_another_mistake() {
        let root = tempfile::tempdir().unwrap();
        let refused = generate(&root.path().join("none/my.key"), None).unwrap_err();
        assert!(format!("{refused:#}").contains("none/my.key cannot be made: No such file"), "{refused:#}");
        assert_eq!(crate::failure::hint(&refused), None);
    }
}
