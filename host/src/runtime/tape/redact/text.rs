//! Where fields stand in texts: JSON, XML, forms, and what has no format.

use std::collections::BTreeSet;

use super::stand_in::StandIns;
use super::{json, xml};

/// Sees a field's path and value and may give another value for it.
pub(super) type Visit<'a> = dyn FnMut(&[&str], &str) -> Option<String> + 'a;

/// Visits the fields of a text; `None`: it has no format that is known here.
pub(super) fn walk(text: &str, visit: &mut Visit<'_>) -> Option<String> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) {
        return Some(json::walk_text(text, visit));
    }
    if trimmed.starts_with('<') {
        return Some(xml::walk(text, visit));
    }
    let form = text.contains('=') && !text.contains(char::is_whitespace) && !text.contains(['<', '{', '"']);
    form.then(|| {
        let mut pair = |raw: &str| {
            let (name, value) = url::form_urlencoded::parse(raw.as_bytes()).next()?;
            let new = visit(&[&name], &value).filter(|new| *new != *value);
            // A name may be a value too, as in `mailto:anna@mail.example?subject=Order`.
            let other = if json::is_name(&name) { None } else { visit(&[""], &name).filter(|new| *new != *name) };
            if new.is_none() && other.is_none() {
                return None;
            }
            let (name, value) = (other.as_deref().unwrap_or(&name), new.as_deref().unwrap_or(&value));
            Some(url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish())
        };
        let pairs: Vec<String> = text.split('&').map(|raw| pair(raw).unwrap_or_else(|| raw.to_owned())).collect();
        pairs.join("&")
    })
}

/// Longest text of the alphabet of Base64 that is kept: numbers and hashes are shorter, documents and pictures are longer.
const BASE64: usize = 72;

/// Replaces what is personal wherever it stands: addresses of e-mail, bank accounts, documents in Base64, and words that were
/// learnt.
pub(super) fn free(text: &str, words: &BTreeSet<String>, stand_ins: &StandIns, url: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    // A run has no blanks: an address or an account lies within one.
    for run in text.split_inclusive(|c: char| c.is_whitespace() || "<>\"'(),;|".contains(c)) {
        let end = run.trim_end_matches(|c: char| c.is_whitespace() || "<>\"'(),;|.".contains(c)).len();
        let (run, tail) = run.split_at(end);
        if run.contains("://") || run.contains('?') && run.contains('=') {
            out.push_str(&url(run));
        } else {
            out.push_str(&of_run(run, words, stand_ins));
        }
        out.push_str(tail);
    }
    out
}

/// Replaces what is personal in a run of signs without blanks.
pub(super) fn of_run(run: &str, words: &BTreeSet<String>, stand_ins: &StandIns) -> String {
    if is_base64(run) {
        return run.chars().map(|c| if c == '=' { c } else { 'A' }).collect();
    }
    let (mut out, mut copied, mut from) = (String::with_capacity(run.len()), 0, 0);
    while let Some(at) = run[from..].find(['@', '%']).map(|found| from + found) {
        let rest = &run[at..];
        let Some(sign) = ["@", "%40"].into_iter().find(|sign| rest.starts_with(sign)) else {
            from = at + 1;
            continue;
        };
        let local = local_part(&run[copied..at]);
        let domain = domain_part(&rest[sign.len()..]);
        from = at + sign.len();
        if is_email(&format!("{local}@{domain}")) {
            out.push_str(&known(&run[copied..at - local.len()], words, stand_ins));
            out.push_str(&stand_ins.email(&format!("{local}@{domain}")).replacen('@', sign, 1));
            from += domain.len();
            copied = from;
        }
    }
    out.push_str(&known(&run[copied..], words, stand_ins));
    out
}

/// Most characters before the sign of an address, and after it (RFC 5321, 4.5.3.1). What is longer is not looked through.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// What stands before the sign of an address.
fn local_part(before: &str) -> &str {
    let fits = |c: &char| c.is_alphanumeric() || "._%+-".contains(*c);
    let length: usize = before.chars().rev().take(LOCAL).take_while(fits).map(char::len_utf8).sum();
    &before[before.len() - length..]
}

/// What stands after it.
fn domain_part(after: &str) -> &str {
    let fits = |c: &char| c.is_alphanumeric() || ".-".contains(*c);
    let length: usize = after.chars().take(DOMAIN).take_while(fits).map(char::len_utf8).sum();
    after[..length].trim_end_matches(['.', '-'])
}

fn is_base64(text: &str) -> bool {
    let has = |fits: fn(&u8) -> bool| text.as_bytes().iter().any(fits);
    text.len() > BASE64
        && text.trim_end_matches('=').bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// Words that were learnt, and accounts.
fn known(run: &str, words: &BTreeSet<String>, stand_ins: &StandIns) -> String {
    let (mut out, mut rest) = (String::with_capacity(run.len()), run);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        if words.contains(&word.to_lowercase()) {
            out.push_str(&stand_ins.word(word));
        } else if is_iban(word) {
            out.push_str(&stand_ins.iban(word));
        } else {
            out.push_str(word);
        }
        let next = rest[end..].find(char::is_alphanumeric).map_or(rest.len(), |at| end + at);
        out.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    out
}

pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let fits = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "._%+-".contains(c));
    let ends_in_letters =
        domain.rsplit_once('.').is_some_and(|(_, top)| top.len() >= 2 && top.chars().all(char::is_alphabetic));
    !local.is_empty() && fits(local) && fits(domain) && ends_in_letters
}

pub(super) fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(15..=34).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    if !bytes[..2].iter().all(u8::is_ascii_uppercase) || !bytes[2..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let turned = format!("{}{}", &text[4..], &text[..4]);
    let rest = turned
        .chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0_u32, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 });
    rest == 1
}
