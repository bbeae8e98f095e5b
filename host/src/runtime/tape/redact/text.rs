//! Where fields stand in texts: JSON, XML, forms, and what has no format.

use std::collections::BTreeSet;

use super::json;
use super::stand_in::StandIns;

/// Sees a field's path and value and may give another value for it.
pub(super) type Visit<'a> = dyn FnMut(&[&str], &str) -> Option<String> + 'a;

/// Visits the fields of a text; `None`: it has no format that is known here.
pub(super) fn walk(text: &str, visit: &mut Visit<'_>) -> Option<String> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) {
        return Some(json::walk_text(text, visit));
    }
    if trimmed.starts_with('<') {
        return Some(walk_xml(text, visit));
    }
    let form = text.contains('=') && !text.contains(char::is_whitespace) && !text.contains(['<', '{', '"']);
    form.then(|| {
        let pair = |raw: &str| {
            let (name, value) = url::form_urlencoded::parse(raw.as_bytes()).next()?;
            let new = visit(&[&name], &value).filter(|new| *new != *value)?;
            Some(url::form_urlencoded::Serializer::new(String::new()).append_pair(&name, &new).finish())
        };
        let mut pair = pair;
        let pairs: Vec<String> = text.split('&').map(|raw| pair(raw).unwrap_or_else(|| raw.to_owned())).collect();
        pairs.join("&")
    })
}

/// Texts and attributes of XML. What is not well-formed is copied as it is.
fn walk_xml(text: &str, visit: &mut Visit<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut open, mut rest): (Vec<String>, &str) = (Vec::new(), text);
    while let Some(start) = rest.find('<') {
        let content = &rest[..start];
        out.push_str(&replaced(&open, content, visit, true));
        rest = &rest[start..];
        if let Some(inner) = rest.strip_prefix("<![CDATA[") {
            let end = inner.find("]]>").unwrap_or(inner.len());
            out.push_str("<![CDATA[");
            out.push_str(&replaced(&open, &inner[..end], visit, false));
            rest = &inner[end..];
            continue;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = &rest[..end];
        rest = &rest[end..];
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let name = |inner: &str| {
            let name = inner.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
            name.rsplit(':').next().unwrap_or_default().to_owned()
        };
        if let Some(closing) = inner.strip_prefix('/') {
            if let Some(at) = open.iter().rposition(|opened| *opened == name(closing)) {
                open.truncate(at);
            }
            out.push_str(tag);
        } else if inner.starts_with(['?', '!']) {
            out.push_str(tag);
        } else {
            open.push(name(inner));
            out.push_str(&attributes(tag, &open, visit));
            if inner.ends_with('/') {
                open.pop();
            }
        }
    }
    out.push_str(&replaced(&open, rest, visit, true));
    out
}

fn attributes(tag: &str, open: &[String], visit: &mut Visit<'_>) -> String {
    let (mut out, mut rest) = (String::with_capacity(tag.len()), tag);
    while let Some(at) = rest.find("=\"") {
        let name = rest[..at].rsplit(char::is_whitespace).next().unwrap_or_default().to_owned();
        let Some(end) = rest[at + 2..].find('"') else { break };
        let value = &rest[at + 2..at + 2 + end];
        out.push_str(&rest[..at + 2]);
        let mut path = open.to_vec();
        path.push(name);
        out.push_str(&replaced(&path, value, visit, true));
        out.push('"');
        rest = &rest[at + 3 + end..];
    }
    out.push_str(rest);
    out
}

fn replaced(path: &[String], content: &str, visit: &mut Visit<'_>, escaped: bool) -> String {
    if content.trim().is_empty() {
        return content.to_owned();
    }
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let plain = if escaped { unescape(content) } else { content.to_owned() };
    match visit(&path, &plain).filter(|new| *new != plain) {
        Some(new) if escaped => {
            new.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
        }
        Some(new) => new.replace("]]>", "]] >"),
        None => content.to_owned(),
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

/// Replaces what is personal wherever it stands: addresses of e-mail, bank accounts, and words that were learnt.
pub(super) fn free(text: &str, words: &BTreeSet<String>, stand_ins: &StandIns, url: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    // A run has no blanks: an address or an account lies within one.
    for run in text.split_inclusive(|c: char| c.is_whitespace() || "<>\"'(),;|".contains(c)) {
        let end = run.trim_end_matches(|c: char| c.is_whitespace() || "<>\"'(),;|.".contains(c)).len();
        let (run, tail) = run.split_at(end);
        if run.contains("://") {
            out.push_str(&url(run));
        } else {
            out.push_str(&of_run(run, words, stand_ins));
        }
        out.push_str(tail);
    }
    out
}

fn of_run(run: &str, words: &BTreeSet<String>, stand_ins: &StandIns) -> String {
    // In `to=a@b.example` or `mailto:a@b.example` the address begins after the sign.
    let start = run.rfind(['=', ':', '/', '&']).map_or(0, |at| at + 1);
    let (head, last) = run.split_at(start);
    if is_email(last) {
        return format!("{}{}", known(head, words, stand_ins), stand_ins.email(last));
    }
    if is_iban(last) {
        return format!("{}{}", known(head, words, stand_ins), stand_ins.iban(last));
    }
    known(run, words, stand_ins)
}

/// Words that were learnt.
fn known(run: &str, words: &BTreeSet<String>, stand_ins: &StandIns) -> String {
    let (mut out, mut word) = (String::with_capacity(run.len()), String::new());
    let end = |word: &mut String, out: &mut String| {
        if words.contains(&word.to_lowercase()) {
            out.push_str(&stand_ins.word(word));
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in run.chars() {
        if c.is_alphanumeric() {
            word.push(c);
        } else {
            end(&mut word, &mut out);
            out.push(c);
        }
    }
    end(&mut word, &mut out);
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
