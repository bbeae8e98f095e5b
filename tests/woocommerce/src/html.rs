//! What WordPress does to texts on the way in: tags and attributes outside its list are taken out,
//! a lone ampersand becomes an entity, blanks at the ends go.

const ALLOWED: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figure",
    "figcaption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Cleans a text that may hold mark-up. The content of a removed tag stays, as WordPress leaves it.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&entities(&rest[..start]));
        let tail = &rest[start..];
        if let Some(after) = tail.strip_prefix("<!--") {
            rest = after.find("-->").map_or("", |end| &after[end + 3..]);
            continue;
        }
        let opens_tag = tail[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?');
        match tail.find('>') {
            Some(end) if opens_tag => {
                out.push_str(&tag(&tail[1..end]));
                rest = &tail[end + 1..];
            }
            _ => {
                out.push_str("&lt;");
                rest = &tail[1..];
            }
        }
    }
    out.push_str(&entities(rest));
    out.trim().to_owned()
}

/// A text without any mark-up, on one line.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tag itself if its name is allowed, without event handlers and script addresses.
fn tag(inner: &str) -> String {
    let (slash, body) = match inner.strip_prefix('/') {
        Some(body) => ("/", body),
        None => ("", inner),
    };
    let name: String = body.chars().take_while(char::is_ascii_alphanumeric).collect();
    if !ALLOWED.contains(&name.to_ascii_lowercase().as_str()) {
        return String::new();
    }
    let attributes = body[name.len()..].trim();
    let (attributes, end) = match attributes.strip_suffix('/') {
        Some(attributes) => (attributes.trim(), " /"),
        None => (attributes, ""),
    };
    let mut out = format!("<{slash}{name}");
    for attribute in split_attributes(attributes) {
        let lower = attribute.to_ascii_lowercase();
        let script = lower
            .split_once('=')
            .is_some_and(|(_, value)| value.trim_start_matches(['"', '\'', ' ']).starts_with("javascript:"));
        if !lower.starts_with("on") && !script {
            out.push(' ');
            out.push_str(&attribute);
        }
    }
    out.push_str(end);
    out.push('>');
    out
}

fn split_attributes(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                if !part.is_empty() {
                    parts.push(std::mem::take(&mut part));
                }
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Ampersands that begin no entity become one; entities stay as they are.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c == '&' && !begins_entity(&text[at + 1..]) {
            out.push_str("&amp;");
        } else if c == '>' {
            out.push_str("&gt;");
        } else {
            out.push(c);
        }
    }
    out
}

fn begins_entity(rest: &str) -> bool {
    let Some(end) = rest.find(';') else {
        return false;
    };
    let name = &rest[..end];
    let name = name.strip_prefix('#').unwrap_or(name);
    !name.is_empty() && name.len() <= 10 && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A slug: lower-case letters, digits and hyphens; German letters are written out.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().replace("&amp;", " ").chars() {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'é' | 'è' | 'ê' => out.push('e'),
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_is_not_allowed() {
        assert_eq!(clean("<p onclick=\"x()\">Hi</p><script>alert(1)</script>  "), "<p>Hi</p>alert(1)");
        assert_eq!(clean("<a href=\"javascript:x\" title=\"a b\">l</a>"), "<a title=\"a b\">l</a>");
        assert_eq!(clean("one<!-- no -->two<br />"), "onetwo<br />");
    }

    #[test]
    fn writes_entities() {
        assert_eq!(clean("Salt & Pepper &amp; more < 5"), "Salt &amp; Pepper &amp; more &lt; 5");
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        let once = clean("<p>Größe > 40 & „weich“ 🧣</p>\n\n");
        assert_eq!(clean(&once), once);
    }

    #[test]
    fn slugs_are_ascii() {
        assert_eq!(slug("Große Tasse „Möwe“ 0,4 l"), "grosse-tasse-moewe-0-4-l");
    }
}
