//! Descriptions: Tryton's users read plain text, shops send HTML.

/// Plain text as HTML: paragraphs at blank lines, breaks at line ends.
pub(crate) fn from_text(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n").map(|paragraph| {
        let lines: Vec<String> = paragraph.trim().lines().map(escape).collect();
        format!("<p>{}</p>", lines.join("<br>"))
    });
    paragraphs.collect()
}

/// HTML as plain text: blocks become lines, list items begin with a dash, tags go, entities are resolved.
pub(crate) fn to_text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&inline(&rest[..start]));
        let Some(length) = rest[start..].find('>') else {
            rest = &rest[start..];
            break;
        };
        let tag = rest[start + 1..start + length].trim().to_ascii_lowercase();
        let closing = tag.starts_with('/');
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        rest = &rest[start + length + 1..];
        match name.as_str() {
            "script" | "style" if !closing => {
                let end = rest.to_ascii_lowercase().find(&format!("</{name}"));
                rest = &rest[end.unwrap_or(rest.len())..];
            }
            "br" => line(&mut text),
            "li" if !closing => {
                line(&mut text);
                text.push_str("- ");
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" => paragraph(&mut text),
            "div" | "ul" | "ol" | "li" | "tr" | "table" | "section" => line(&mut text),
            "td" | "th" if closing => text.push(' '),
            _ => {}
        }
    }
    text.push_str(&inline(rest));
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// White space of HTML says nothing but "a space".
fn inline(html: &str) -> String {
    let mut text = String::new();
    let mut space = false;
    for c in html.chars() {
        if c.is_ascii_whitespace() {
            space = true;
            continue;
        }
        if space {
            text.push(' ');
            space = false;
        }
        text.push(c);
    }
    if space {
        text.push(' ');
    }
    unescape(&text)
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(at, _)| at);
        match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            Some((end, c)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "euro" => '€',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

fn line(text: &mut String) {
    let kept = text.trim_end_matches(' ').len();
    text.truncate(kept);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn paragraph(text: &mut String) {
    line(text);
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines() {
        for (html, text) in [
            ("<p>Soft &amp; warm.</p><p>100&nbsp;% wool</p>", "Soft & warm.\n\n100 % wool"),
            ("one<br/>two", "one\ntwo"),
            ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
            ("<b>5 &lt; 6</b> &#8364; &bogus; & more", "5 < 6 € &bogus; & more"),
            ("<style>p { color: red }</style>x", "x"),
            ("  plain\n text ", "plain text"),
            ("broken <", "broken <"),
            ("Grüße & Küsse €&uuml;", "Grüße & Küsse €ü"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn text_comes_back_as_it_went() {
        let text = "Soft & warm <really>.\nWash cold.\n\nMade of wool";
        assert_eq!(from_text(text), "<p>Soft &amp; warm &lt;really&gt;.<br>Wash cold.</p><p>Made of wool</p>");
        assert_eq!(to_text(&from_text(text)), text);
    }
}
