//! Keys in minisign's format, with or without a password.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blake2b_simd::Params as Blake2b;
use ed25519_compact::{KeyPair, Noise, Seed};
use scrypt::Params as Scrypt;

use crate::failure::Hinted;

const ED25519: &[u8; 2] = b"Ed";
const SCRYPT: &[u8; 2] = b"Sc";
const NO_PASSWORD: &[u8; 2] = b"\0\0";
const BLAKE2B: &[u8; 2] = b"B2";
/// What minisign takes: a second of work and a gibibyte at scrypt's `r` of 8.
const OPERATIONS: u64 = 33_554_432;
const MEMORY: u64 = 1_073_741_824;
/// Algorithms, salt, limits; then what a password hides: id, secret key, checksum.
const OPEN: usize = 54;
const HIDDEN: usize = 8 + 64 + 32;

/// A key that is open.
pub struct SecretKey {
    id: [u8; 8],
    secret: ed25519_compact::SecretKey,
}

impl SecretKey {
    /// Reads a file; asks for the password on the terminal where it has one.
    ///
    /// # Errors
    /// It cannot be read, is no key, or does not open.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = format!("make one with `cargo tradepost keygen {}`", path.display());
            Hinted::new(format!("the key {} cannot be read: {error}", path.display()), hint)
        })?;
        let ask = || Ok(rpassword::prompt_password(format!("Password of {}: ", path.display()))?);
        Self::decode(&text, ask).with_context(|| format!("the key {} does not open", path.display()))
    }

    fn decode(text: &str, ask: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<Self> {
        let line = text.lines().nth(1).context("it is no minisign key: it has one line")?;
        let bytes = STANDARD.decode(line.trim()).context("it is no minisign key")?;
        ensure!(bytes.len() == OPEN + HIDDEN && bytes.starts_with(ED25519), "it is no minisign key");
        let (open, hidden) = bytes.split_at(OPEN);
        ensure!(&open[4..6] == BLAKE2B, "its checksum is of a kind that is not known");
        let mut hidden: [u8; HIDDEN] = hidden.try_into().context("it is cut short")?;
        match &open[2..4] {
            kind if kind == NO_PASSWORD => {}
            kind if kind == SCRYPT => {
                let number = |at: usize| open[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
                cover(&mut hidden, &ask()?, &open[6..38], number(38), number(46))?;
            }
            _ => bail!("its password is of a kind that is not known"),
        }
        let (id, rest) = hidden.split_at(8);
        let (secret, checksum) = rest.split_at(64);
        ensure!(check(id, secret) == checksum, "the password is wrong, or the file is damaged");
        Ok(Self { id: id.try_into()?, secret: ed25519_compact::SecretKey::from_slice(secret)? })
    }

    fn encode(&self, password: Option<&str>) -> anyhow::Result<String> {
        let mut salt = [0_u8; 32];
        let checksum = check(&self.id, &self.secret[..]);
        let mut hidden: [u8; HIDDEN] = [&self.id[..], &self.secret[..], &checksum].concat().as_slice().try_into()?;
        let (kind, operations, memory) = match password {
            None => (NO_PASSWORD, 0, 0),
            Some(password) => {
                random(&mut salt)?;
                cover(&mut hidden, password, &salt, OPERATIONS, MEMORY)?;
                (SCRYPT, OPERATIONS, MEMORY)
            }
        };
        let limits = [operations.to_le_bytes(), memory.to_le_bytes()].concat();
        let bytes = [&ED25519[..], kind, BLAKE2B, &salt, &limits, &hidden].concat();
        Ok(format!("untrusted comment: secret key for Tradepost connectors\n{}\n", STANDARD.encode(bytes)))
    }

    /// Id of the pair.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The public key, as operators write it.
    #[must_use]
    pub fn public(&self) -> String {
        STANDARD.encode([&ED25519[..], &self.id, &self.secret.public_key()[..]].concat())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        // Without noise the same file gets the same signature.
        *self.secret.sign(bytes, None::<Noise>)
    }
}

/// Makes a pair of keys, `KEY` and `KEY.pub`, and gives the public one. Nothing is overwritten.
///
/// # Errors
/// A file is there already or cannot be written.
pub fn generate(path: &Path, password: Option<&str>) -> anyhow::Result<String> {
    let (mut id, mut seed) = ([0_u8; 8], [0_u8; 32]);
    random(&mut id)?;
    random(&mut seed)?;
    let key = SecretKey { id, secret: KeyPair::from_seed(Seed::new(seed)).sk };
    write_new(path, &key.encode(password)?, 0o600)?;
    let public = key.public();
    let text = format!("untrusted comment: public key for Tradepost connectors\n{public}\n");
    write_new(&path.with_added_extension("pub"), &text, 0o644)?;
    Ok(public)
}

/// Hides with a password, or shows again.
fn cover(hidden: &mut [u8], password: &str, salt: &[u8], operations: u64, memory: u64) -> anyhow::Result<()> {
    let (log_n, p) = cost(operations, memory);
    let mut stream = vec![0; hidden.len()];
    scrypt::scrypt(password.as_bytes(), salt, &Scrypt::new(log_n, 8, p)?, &mut stream)?;
    hidden.iter_mut().zip(stream).for_each(|(byte, other)| *byte ^= other);
    Ok(())
}

/// scrypt's parameters for libsodium's limits.
fn cost(operations: u64, memory: u64) -> (u8, u32) {
    let operations = operations.max(32_768);
    let most = if operations < memory / 32 { operations / 32 } else { memory / 1024 };
    let log_n = (1..63_u8).find(|log| 1_u64 << log > most / 2).unwrap_or(63);
    let p = if operations < memory / 32 { 1 } else { ((operations / 4) >> log_n).min(0x3fff_ffff) / 8 };
    (log_n, u32::try_from(p).unwrap_or(1).max(1))
}

fn check(id: &[u8], secret: &[u8]) -> Vec<u8> {
    let whole = [&ED25519[..], id, secret].concat();
    Blake2b::new().hash_length(32).hash(&whole).as_bytes().to_vec()
}

fn random(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes).map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let made = File::options().write(true).create_new(true).mode(mode).open(path);
    let mut file = made.map_err(|error| {
        let title = format!("{} cannot be made: {error}", path.display());
        Hinted::new(title, "name another file; a key is never overwritten")
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_what_minisign_takes() {
        assert_eq!(cost(OPERATIONS, MEMORY), (20, 1));
        // libsodium's interactive limits.
        assert_eq!(cost(524_288, 16_777_216), (14, 1));
    }

    #[test]
    fn a_password_hides_and_opens() {
        let mut hidden = [7_u8; HIDDEN];
        cover(&mut hidden, "right", &[1; 32], 32_768, 16_777_216).unwrap();
        assert_ne!(hidden, [7; HIDDEN]);
        cover(&mut hidden, "right", &[1; 32], 32_768, 16_777_216).unwrap();
        assert_eq!(hidden, [7; HIDDEN]);
    }

    #[test]
    fn a_key_opens_again_unless_it_is_damaged() {
        let key = SecretKey { id: [1; 8], secret: KeyPair::from_seed(Seed::new([2; 32])).sk };
        let text = key.encode(None).unwrap();
        let read = SecretKey::decode(&text, || bail!("it has no password")).unwrap();
        assert_eq!((read.id(), read.public()), (key.id(), key.public()));
        // A digit of the secret key: what stands before it is not under the checksum.
        let at = text.find('\n').unwrap() + 1 + (OPEN + 8) * 4 / 3 + 4;
        let other = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
        let mut damaged = text.clone();
        damaged.replace_range(at..=at, other);
        assert!(SecretKey::decode(&damaged, || bail!("it has no password")).is_err());
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("my.key");
        generate(&path, None).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(generate(&path, None).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
