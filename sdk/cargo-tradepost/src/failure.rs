//! Why a command failed: a sentence, and what to do about it.

use std::fmt;

/// An error with a hint; everything else a command fails with is told as it is.
#[derive(Debug)]
pub struct Hinted {
    title: String,
    hint: String,
}

impl Hinted {
    /// A sentence, and what to do, often a command to type.
    pub fn new(title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { title: title.into(), hint: hint.into() }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for Hinted {}

/// An error with its causes. Some errors tell their cause themselves: it is not told twice.
#[must_use]
pub fn sentence(error: &anyhow::Error) -> String {
    told(error.chain().map(ToString::to_string))
}

/// Words of an error and of its causes, each told once.
pub(crate) fn told(chain: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for words in chain.map(|words| words.trim_end().to_owned()) {
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    text
}

/// The hint of an error, wherever in its chain it stands.
#[must_use]
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            return Some(hinted.hint.clone());
        }
        cause.downcast_ref::<tradepost_build::Error>()?.hint()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || anyhow::anyhow!("missing field `host`\n");
        assert_eq!(sentence(&cause().context("a.toml: missing field `host`")), "a.toml: missing field `host`");
        assert_eq!(sentence(&cause().context("a.toml cannot be read")), "a.toml cannot be read: missing field `host`");
    }
}
