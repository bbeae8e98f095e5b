//! Signatures of connectors' files: minisign, beside the file, by a key that may sign for the connector's id.
//!
//! The signed comment says for which connector and version the signature is: `id=com.example.shop version=1.2.0`. So a
//! file that was signed once cannot be put in the place of another connector, and an older one not in that of a newer.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;

use crate::model::description::Description;

/// What a signature's name adds to that of its file.
pub const EXTENSION: &str = ".minisig";
/// Longest signature that is read.
const LONGEST: u64 = 16 << 10;

/// Whose signatures count, and for which connectors.
#[derive(Clone, Default)]
pub struct Signers {
    /// Files without a signature are not taken up.
    required: bool,
    signers: Vec<Signer>,
    /// What it was made from: other signers are another judge.
    raw: RawSigners,
}

/// Table `[signatures]` of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawSigners {
    /// Whether files without a valid signature are refused.
    pub require_signed: bool,
    /// Keys.
    #[serde(default)]
    pub signers: Vec<RawSigner>,
}

/// One of `[[signatures.signers]]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSigner {
    /// Public key of minisign: the second line of its `.pub` file.
    pub key: String,
    /// Ids of connectors that it may sign: `com.example.shop`, `com.example.*`, or `*`.
    pub ids: Vec<String>,
}

#[derive(Clone)]
struct Signer {
    key: PublicKey,
    /// As configured, to be named.
    text: String,
    ids: Vec<String>,
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}

impl PartialEq for Signers {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

/// A signer that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSigner {
    /// Not a key.
    #[error("`{key}` is no public key of minisign; take the line that begins with RW from the `.pub` file")]
    Key {
        /// As given.
        key: String,
    },
    /// Not a pattern of ids.
    #[error("`{pattern}` is no pattern of ids; write `com.example.shop`, `com.example.*` or `*`")]
    Pattern {
        /// As given.
        pattern: String,
    },
    /// A key without ids signs nothing.
    #[error("the key `{key}` has no `ids`; name the connectors that it may sign, e.g. `ids = [\"com.example.*\"]`")]
    NoIds {
        /// As given.
        key: String,
    },
    /// Everything would be refused.
    #[error(
        "`require-signed = true` without `[[signatures.signers]]` would refuse every connector; name whose keys count"
    )]
    NoSigners,
}

/// Why a file is not taken up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No signature is there yet.
    #[error("it waits for its signature; put {name} beside it, or remove it")]
    Missing {
        /// Name of the signature's file.
        name: String,
    },
    /// The signature cannot be read.
    #[error("its signature {name} is none of minisign; sign it again (`cargo tradepost build --sign KEY`)")]
    Malformed {
        /// Name of the signature's file.
        name: String,
    },
    /// Signed by somebody else.
    #[error(
        "it is signed with a key that is not among `[[signatures.signers]]`; if you trust who signed it, add their public key \
         to the configuration with the ids that it may sign"
    )]
    UnknownKey,
    /// The bytes are others.
    #[error("its signature does not fit its bytes: one of the two was changed; get both again from who made it")]
    Tampered,
    /// The comment says nothing.
    #[error(
        "the signed comment `{comment}` does not say `id=... version=...`; sign it again (`cargo tradepost build --sign KEY`)"
    )]
    Comment {
        /// As signed.
        comment: String,
    },
    /// The key may not sign for the connector.
    #[error(
        "the key {key} may sign {ids}, but this is `{id}`; if that is meant, add it to the `ids` of the key in the configuration"
    )]
    NotItsKey {
        /// The key, shortened.
        key: String,
        /// What it may sign.
        ids: String,
        /// The connector.
        id: String,
    },
    /// Signed as something else.
    #[error(
        "it was signed as `{signed}`, but says of itself that it is `{says}`; get the file that belongs to the signature"
    )]
    Mismatch {
        /// By the signature.
        signed: String,
        /// By itself.
        says: String,
    },
}

/// What a valid signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Connector.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The signature itself.
    pub text: String,
}

impl Signers {
    /// Reads keys and patterns.
    ///
    /// # Errors
    /// The first that is none.
    pub fn new(raw: RawSigners) -> Result<Self, InvalidSigner> {
        let mut signers = Vec::new();
        for RawSigner { key: text, ids } in &raw.signers {
            let key = PublicKey::from_base64(text.trim()).map_err(|_| InvalidSigner::Key { key: text.clone() })?;
            if ids.is_empty() {
                return Err(InvalidSigner::NoIds { key: text.clone() });
            }
            if let Some(pattern) = ids.iter().find(|pattern| !is_pattern(pattern)) {
                return Err(InvalidSigner::Pattern { pattern: pattern.clone() });
            }
            signers.push(Signer { key, text: text.trim().to_owned(), ids: ids.clone() });
        }
        if raw.require_signed && signers.is_empty() {
            return Err(InvalidSigner::NoSigners);
        }
        Ok(Self { required: raw.require_signed, signers, raw })
    }

    /// Whether files need a signature.
    #[must_use]
    pub fn required(&self) -> bool {
        self.required
    }

    /// Judges the bytes by a signature's text; `name` is that of the signature's file.
    ///
    /// # Errors
    /// A sentence with what to do.
    pub fn verify(&self, name: &str, bytes: &[u8], text: &str) -> Result<Signed, SignatureError> {
        let malformed = |_| SignatureError::Malformed { name: name.to_owned() };
        let signature = Signature::decode(text).map_err(malformed)?;
        let mut known = false;
        let verified = self.signers.iter().find(|signer| match signer.key.verify(bytes, &signature, false) {
            Ok(()) => true,
            Err(minisign_verify::Error::UnexpectedKeyId) => false,
            Err(_) => {
                known = true;
                false
            }
        });
        let Some(signer) = verified else {
            return Err(if known { SignatureError::Tampered } else { SignatureError::UnknownKey });
        };
        let comment = signature.trusted_comment();
        let field = |name: &str| {
            let mut values = comment.split_whitespace().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            values.next().filter(|value| !value.is_empty() && values.next().is_none()).map(str::to_owned)
        };
        let (Some(id), Some(version)) = (field("id"), field("version")) else {
            return Err(SignatureError::Comment { comment: comment.to_owned() });
        };
        // Keys of one signer may be bound to different ids.
        let may = self
            .signers
            .iter()
            .filter(|other| other.text == signer.text)
            .any(|signer| signer.ids.iter().any(|pattern| covers(pattern, &id)));
        if !may {
            let key: String = signer.text.chars().take(12).chain(['…']).collect();
            return Err(SignatureError::NotItsKey { key, ids: signer.ids.join(", "), id });
        }
        Ok(Signed { id, version, text: text.to_owned() })
    }

    /// Judges a file by the signature that lies beside it.
    ///
    /// # Errors
    /// A sentence with what to do.
    pub fn verify_file(&self, path: &Path, bytes: &[u8]) -> Result<Signed, SignatureError> {
        let beside = beside(path);
        let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(meta) = std::fs::metadata(&beside) else { return Err(SignatureError::Missing { name }) };
        // Opening a pipe would wait for somebody who writes.
        if !meta.is_file() {
            return Err(SignatureError::Malformed { name });
        }
        let mut text = String::new();
        let read = std::fs::File::open(&beside).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
        match read {
            Ok(length) if length as u64 <= LONGEST => self.verify(&name, bytes, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SignatureError::Missing { name }),
            Ok(_) | Err(_) => Err(SignatureError::Malformed { name }),
        }
    }
}

impl Signed {
    /// Compares with what the connector says of itself.
    ///
    /// # Errors
    /// It is another one.
    pub fn agrees(&self, description: &Description) -> Result<(), SignatureError> {
        if self.id == description.id && self.version == description.version {
            return Ok(());
        }
        Err(SignatureError::Mismatch {
            signed: format!("{} {}", self.id, self.version),
            says: format!("{} {}", description.id, description.version),
        })
    }
}

/// Where the signature of a file lies.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(EXTENSION);
    PathBuf::from(name)
}

fn is_pattern(pattern: &str) -> bool {
    let name = pattern.strip_suffix(".*").unwrap_or(pattern);
    pattern == "*" || (!name.is_empty() && !name.contains('*') && !name.contains(char::is_whitespace))
}

fn covers(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => id.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        None => pattern == id,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;

    use super::*;

    fn sign(keys: &KeyPair, bytes: &[u8], comment: &str) -> String {
        minisign::sign(None, &keys.sk, Cursor::new(bytes), Some(comment), None).unwrap().into_string()
    }

    fn signers(keys: &KeyPair, ids: &[&str]) -> Signers {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let signers = vec![RawSigner { key: keys.pk.to_base64(), ids }];
        Signers::new(RawSigners { require_signed: true, signers }).unwrap()
    }

    #[test]
    fn a_signature_counts_for_its_bytes_its_key_and_its_id() {
        let (ours, theirs) =
            (KeyPair::generate_unencrypted_keypair().unwrap(), KeyPair::generate_unencrypted_keypair().unwrap());
        let signers = signers(&ours, &["com.example.*"]);
        let verify = |bytes: &[u8], text: &str| signers.verify("shop.wasm.minisig", bytes, text);
        let good = sign(&ours, b"code", "id=com.example.shop version=1.2.0");
        let signed = verify(b"code", &good).unwrap();
        assert_eq!((signed.id.as_str(), signed.version.as_str()), ("com.example.shop", "1.2.0"));

        assert_eq!(verify(b"c0de", &good), Err(SignatureError::Tampered));
        let other = good.replace("version=1.2.0", "version=9.9.9");
        assert_eq!(verify(b"code", &other), Err(SignatureError::Tampered), "the comment is signed too");
        let foreign = sign(&theirs, b"code", "id=com.example.shop version=1.2.0");
        assert_eq!(verify(b"code", &foreign), Err(SignatureError::UnknownKey));
        assert!(matches!(verify(b"code", "nonsense"), Err(SignatureError::Malformed { .. })));
        for comment in ["timestamp:1", "id=com.example.shop", "id=a id=b version=1", "id= version=1"] {
            let text = sign(&ours, b"code", comment);
            assert!(matches!(verify(b"code", &text), Err(SignatureError::Comment { .. })), "{comment}");
        }
        for id in ["com.example", "com.examples.shop", "org.example.shop", "com.example."] {
            let text = sign(&ours, b"code", &format!("id={id} version=1"));
            assert!(matches!(verify(b"code", &text), Err(SignatureError::NotItsKey { .. })), "{id}");
        }
    }

    #[test]
    fn keys_and_patterns_are_checked_when_they_are_read() {
        let keys = KeyPair::generate_unencrypted_keypair().unwrap();
        let new = |key: &str, ids: &[&str]| {
            let ids = ids.iter().map(|id| (*id).to_owned()).collect();
            Signers::new(RawSigners { require_signed: true, signers: vec![RawSigner { key: key.into(), ids }] })
        };
        let key = keys.pk.to_base64();
        assert!(new(&key, &["com.example.*", "*", "org.a.b"]).is_ok());
        assert!(matches!(new("RWnonsense", &["*"]), Err(InvalidSigner::Key { .. })));
        assert!(matches!(new(&key, &[]), Err(InvalidSigner::NoIds { .. })));
        for pattern in ["com.*.shop", "com.example*", "", "a b"] {
            assert!(matches!(new(&key, &[pattern]), Err(InvalidSigner::Pattern { .. })), "{pattern}");
        }
        let none = RawSigners { require_signed: true, signers: Vec::new() };
        assert_eq!(Signers::new(none), Err(InvalidSigner::NoSigners));
    }
}
