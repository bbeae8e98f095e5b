//! Hides placed secrets wherever they come back.

use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::capability::Secret;

const MASK: &[u8] = b"***";
/// Shorter values are not masked: they would blot out unrelated text and are no secrets.
const SHORTEST: usize = 4;

/// The forms in which the platform's secrets may come back. Grows when a log-in yields a token.
#[derive(Default)]
pub(super) struct Masker {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    forms: Vec<Vec<u8>>,
    automaton: Option<Arc<AhoCorasick>>,
}

impl Masker {
    pub(super) fn add(&self, secret: &Secret) {
        let value = secret.expose();
        if value.len() < SHORTEST {
            return;
        }
        let json = serde_json::Value::String(value.to_owned()).to_string();
        let forms = [
            value.to_owned(),
            json[1..json.len() - 1].to_owned(),
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            STANDARD.encode(value),
            URL_SAFE_NO_PAD.encode(value),
        ];
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if !state.forms.contains(&form.clone().into_bytes()) {
                state.forms.push(form.into_bytes());
            }
        }
        // Only fails beyond millions of patterns; then nothing new is masked, and the old automaton stays.
        if let Ok(automaton) = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&state.forms) {
            state.automaton = Some(Arc::new(automaton));
        }
    }

    pub(super) fn text(&self, text: &str) -> String {
        match self.automaton() {
            None => text.to_owned(),
            Some(automaton) => {
                let masked = automaton.replace_all_bytes(text.as_bytes(), &vec![MASK; automaton.patterns_len()]);
                String::from_utf8_lossy(&masked).into_owned()
            }
        }
    }

    pub(super) fn stream(&self) -> Stream {
        let automaton = self.automaton();
        let keep = automaton.as_ref().map_or(0, |automaton| automaton.max_pattern_len().saturating_sub(1));
        Stream { automaton, keep, carry: Vec::new() }
    }

    fn automaton(&self) -> Option<Arc<AhoCorasick>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).automaton.clone()
    }
}

/// Masks bytes that arrive in pieces, also where a secret lies across two of them.
pub(super) struct Stream {
    automaton: Option<Arc<AhoCorasick>>,
    keep: usize,
    carry: Vec<u8>,
}

impl Stream {
    /// Takes a piece and returns what is safe to hand on.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.carry.extend_from_slice(piece);
        let safe = self.carry.len().saturating_sub(self.keep);
        self.emit(safe)
    }

    /// The rest.
    pub(super) fn end(mut self) -> Vec<u8> {
        let all = self.carry.len();
        self.emit(all)
    }

    fn emit(&mut self, safe: usize) -> Vec<u8> {
        let Some(automaton) = &self.automaton else { return std::mem::take(&mut self.carry) };
        let mut out = Vec::with_capacity(safe);
        let mut done = 0;
        for found in automaton.find_iter(&self.carry) {
            // A match that begins in the kept tail may still grow; it is looked at again with the next piece.
            if found.start() >= safe {
                break;
            }
            out.extend_from_slice(&self.carry[done..found.start()]);
            out.extend_from_slice(MASK);
            done = found.end();
        }
        if done < safe {
            out.extend_from_slice(&self.carry[done..safe]);
            done = safe;
        }
        self.carry.drain(..done);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker() -> Masker {
        let masker = Masker::default();
        masker.add(&Secret::new("s3cret/val\"ue".into()));
        masker
    }

    #[test]
    fn every_form_is_masked() {
        let masker = masker();
        for form in ["s3cret/val\"ue", "s3cret/val\\\"ue", "s3cret%2Fval%22ue", "czNjcmV0L3ZhbCJ1ZQ=="] {
            let text = masker.text(&format!("a {form} b"));
            assert!(!text.contains(form) && text.contains("***"), "{form}: {text}");
        }
        assert_eq!(masker.text("nothing here"), "nothing here");
    }

    #[test]
    fn a_secret_across_pieces_is_masked() {
        let text = b"xx s3cret/val\"ue yy s3cret/val\"ue";
        for cut in 0..text.len() {
            let mut stream = masker().stream();
            let mut out = stream.push(&text[..cut]);
            out.extend(stream.push(&text[cut..]));
            out.extend(stream.end());
            assert_eq!(out, b"xx *** yy ***", "cut at {cut}");
        }
    }

    #[test]
    fn short_values_mask_nothing() {
        let masker = Masker::default();
        masker.add(&Secret::new("abc".into()));
        assert_eq!(masker.text("abcabc"), "abcabc");
    }
}
