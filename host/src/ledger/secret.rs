//! Secrets at rest: sealed with XChaCha20-Poly1305 under the data folder's key, bound to platform and name, so that a
//! value copied to another row does not open.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{LedgerError, Tx, View, micros};
use crate::capability::Secret;
use crate::model::{PlatformCode, PlatformId};

/// The key that seals secrets.
#[derive(Clone)]
pub struct SealKey(XChaCha20Poly1305);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(***)")
    }
}

impl SealKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    fn seal(&self, bound: &str, secret: &Secret) -> Result<Vec<u8>, LedgerError> {
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|error| LedgerError::Conflict {
            message: format!("the secret was not stored: the system gives no random numbers ({error})"),
        })?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: bound.as_bytes() };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| LedgerError::Conflict { message: "the secret was not stored: it is too long".into() })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, bound: &str, sealed: &[u8]) -> Result<Secret, LedgerError> {
        let refused = || LedgerError::Conflict {
            message: format!(
                "the secret `{bound}` does not open with this key; use the key file that it was stored with, or enter \
                 the secret again with `tradepost platform set`"
            ),
        };
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or_else(refused)?;
        let payload = Payload { msg: sealed, aad: bound.as_bytes() };
        let bytes = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| refused())?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| refused())
    }
}

fn bound(platform: &PlatformCode, name: &str) -> String {
    format!("{platform}/{name}")
}

impl View<'_> {
    /// Names of the secrets a platform has: `credential/field`.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn secret_names(&self, platform: PlatformId) -> Result<Vec<String>, LedgerError> {
        let mut statement =
            self.connection.prepare_cached("SELECT name FROM secret WHERE platform = ?1 ORDER BY name")?;
        let rows = statement.query_map([platform.0], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The secrets of a platform by name.
    ///
    /// # Errors
    /// One that does not open with this key.
    pub fn secrets(
        &self,
        key: &SealKey,
        platform: PlatformId,
    ) -> Result<std::collections::BTreeMap<String, Secret>, LedgerError> {
        let code = self.platform(platform)?.code;
        let mut statement = self.connection.prepare_cached("SELECT name, sealed FROM secret WHERE platform = ?1")?;
        let rows =
            statement.query_map([platform.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        rows.map(|row| {
            let (name, sealed) = row?;
            let secret = key.open(&bound(&code, &name), &sealed)?;
            Ok((name, secret))
        })
        .collect()
    }
}

impl Tx<'_> {
    /// Seals and stores a secret; replaces the one of this name.
    ///
    /// # Errors
    /// Of SQLite, or without random numbers.
    pub fn set_secret(
        &self,
        key: &SealKey,
        platform: PlatformId,
        name: &str,
        secret: &Secret,
    ) -> Result<(), LedgerError> {
        let code = self.platform(platform)?.code;
        let sealed = key.seal(&bound(&code, name), secret)?;
        self.connection
            .prepare_cached(
                "INSERT INTO secret (platform, name, sealed, set_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (platform, name) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at",
            )?
            .execute((platform.0, name, sealed, micros(self.now())))?;
        Ok(())
    }

    /// Drops the secrets of a platform, or of all of them.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn drop_secrets(&self, platform: Option<PlatformId>) -> Result<usize, LedgerError> {
        Ok(self
            .connection
            .prepare_cached("DELETE FROM secret WHERE ?1 IS NULL OR platform = ?1")?
            .execute([platform.map(|platform| platform.0)])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_key_and_under_its_name() {
        let key = SealKey::new(&[7; 32]);
        let sealed = key.seal("shop/login/password", &Secret::new("päss".into())).unwrap();
        assert_eq!(key.open("shop/login/password", &sealed).unwrap().expose(), "päss");
        assert!(key.open("erp/login/password", &sealed).is_err(), "bound to its platform");
        assert!(SealKey::new(&[8; 32]).open("shop/login/password", &sealed).is_err());
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert!(key.open("shop/login/password", &bent).is_err());
        assert!(key.open("shop/login/password", &sealed[..10]).is_err());
        assert!(!format!("{key:?}").contains('7'));
    }
}
