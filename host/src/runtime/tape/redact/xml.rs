//! Fields of an XML text, replaced in place: texts, attributes, comments. HTML and what is not well-formed are understood as
//! far as they go.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::text::Visit;

/// Deepest element that is told apart from what it stands in; elements of HTML are often not closed.
const DEPTH: usize = 256;
/// Most places that are no XML; what follows the last of them is seen as one text.
const FAULTS: usize = 1000;

/// An element that is not closed yet.
struct Element {
    name: String,
    /// What its attribute `name` or `key` says: `<field name="city">`.
    said: Option<String>,
    /// What the last `name` or `key` in it says: `<member><name>city</name><value>`.
    named: Option<String>,
}

/// Sees every field and gives the text with what became of them.
pub(super) fn walk(text: &str, visit: &mut Visit<'_>) -> String {
    let mut walk = Walk { text, out: String::with_capacity(text.len()), open: Vec::new(), visit };
    let (mut from, mut faults) = (0, 0);
    while let Some(fault) = walk.well_formed(from) {
        faults += 1;
        let next = text[fault..].char_indices().skip(1).find(|(_, c)| *c == '<').map(|(at, _)| fault + at);
        let end = next.filter(|_| faults < FAULTS).unwrap_or(text.len());
        walk.content(fault..end, false);
        from = end;
    }
    walk.out
}

struct Walk<'a, 'v, 'f> {
    text: &'a str,
    out: String,
    open: Vec<Element>,
    visit: &'v mut Visit<'f>,
}

impl Walk<'_, '_, '_> {
    /// From a place to the end, or to the first place that is no XML.
    fn well_formed(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let mut reader = Reader::from_str(&text[from..]);
        let config = reader.config_mut();
        (config.check_end_names, config.allow_unmatched_ends) = (false, true);
        (config.allow_dangling_amp, config.check_comments) = (true, false);
        // Texts come in pieces, between the entities in them.
        let (mut content, mut at) = (from, from);
        loop {
            let event = reader.read_event();
            let end = from + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            if matches!(event, Ok(Event::Text(_) | Event::GeneralRef(_))) {
                at = end;
                continue;
            }
            self.content(content..at, true);
            let raw = at..end;
            match event {
                Ok(Event::Eof) => return None,
                Err(_) => return Some(at).filter(|at| *at < text.len()),
                // A sign of its own, as in `1 < 2`, runs into the next element.
                Ok(Event::Start(_) | Event::Empty(_)) if text[at + 1..end].starts_with(no_name) => return Some(at),
                Ok(Event::Start(tag)) => self.begin(raw, &tag, true),
                Ok(Event::Empty(tag)) => self.begin(raw, &tag, false),
                Ok(Event::End(tag)) => {
                    let name = local(tag.name().into_inner());
                    if let Some(at) = self.open.iter().rposition(|opened| opened.name == name) {
                        self.open.truncate(at);
                    }
                    self.markup(raw);
                }
                Ok(Event::CData(_)) => self.between(raw, "<![CDATA[", "]]>"),
                Ok(Event::Comment(_)) => self.between(raw, "<!--", "-->"),
                Ok(_) => self.markup(raw),
            }
            (content, at) = (end, end);
        }
    }

    fn begin(&mut self, raw: Range<usize>, tag: &BytesStart<'_>, stays: bool) {
        let text = self.text;
        let attributes: Vec<_> = tag.html_attributes().with_checks(false).flatten().collect();
        let says = |name: &[u8]| matches!(name, b"name" | b"key");
        let said = attributes.iter().find(|attribute| says(attribute.key.into_inner()));
        let said = said.map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned());
        self.open.push(Element { name: local(tag.name().into_inner()), said: said.clone(), named: None });
        let mut copied = raw.start;
        for attribute in attributes {
            // Values are pieces of the text.
            let start = (attribute.value.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
            let value = start..start.wrapping_add(attribute.value.len());
            if value.start < copied || value.end > raw.end {
                continue;
            }
            let name = local(attribute.key.into_inner());
            let name = said.clone().filter(|_| name == "value").unwrap_or(name);
            self.markup(copied..value.start);
            copied = value.end;
            self.replace(value, Some(&name), true);
        }
        self.markup(copied..raw.end);
        if !stays || self.open.len() > DEPTH {
            self.open.pop();
        }
    }

    fn content(&mut self, range: Range<usize>, escaped: bool) {
        let content = self.text[range.clone()].trim();
        if !content.is_empty()
            && let [.., above, element] = self.open.as_mut_slice()
            && matches!(element.name.as_str(), "name" | "key")
        {
            above.named = Some(content.to_owned());
        }
        self.replace(range, None, escaped);
    }

    /// What stands between two signs, as it stands there.
    fn between(&mut self, raw: Range<usize>, before: &str, after: &str) {
        let inner = raw.start + before.len()..raw.end.saturating_sub(after.len());
        // `<!-->` of HTML is a whole comment.
        if inner.start > inner.end {
            return self.markup(raw);
        }
        self.out.push_str(before);
        let begun = self.out.len();
        self.content(inner, false);
        // It must not end what it stands in.
        let new = self.out.split_off(begun).replace(after, " ");
        self.out.push_str(&new);
        self.out.push_str(after);
    }

    /// What says how a document is made. Where addresses are in it, it only looks like that.
    fn markup(&mut self, raw: Range<usize>) {
        let markup = &self.text[raw];
        let odd = markup.contains('@') || markup.contains("%40");
        let new = if odd { (self.visit)(&[""], markup) } else { None };
        self.out.push_str(new.as_deref().unwrap_or(markup));
    }

    fn replace(&mut self, range: Range<usize>, attribute: Option<&str>, escaped: bool) {
        let content = &self.text[range];
        let plain = if escaped { unescape(content).unwrap_or(content.into()) } else { content.into() };
        let new = if content.trim().is_empty() { None } else { (self.visit)(&path(&self.open, attribute), &plain) };
        match new.filter(|new| *new != plain) {
            Some(new) if escaped => self.out.push_str(&escape(new)),
            Some(new) => self.out.push_str(&new),
            None => self.out.push_str(content),
        }
    }
}

/// What a text or attribute belongs to, from the outside.
fn path<'a>(open: &'a [Element], attribute: Option<&'a str>) -> Vec<&'a str> {
    let mut path: Vec<&str> = Vec::with_capacity(open.len() + 1);
    for (at, element) in open.iter().enumerate() {
        let above = at.checked_sub(1).and_then(|above| open.get(above));
        match above {
            Some(above) if element.name == "value" => path.push(above.named.as_deref().unwrap_or(&element.name)),
            // `<value><string>` of XML-RPC says of what type it is.
            Some(above) if above.name == "value" => {}
            _ => path.push(&element.name),
        }
    }
    path.extend(attribute.or_else(|| open.last().and_then(|element| element.said.as_deref())));
    if path.is_empty() {
        path.push("");
    }
    path
}

/// No name begins like this.
fn no_name(c: char) -> bool {
    !(c.is_alphabetic() || c == '_' || c == ':')
}

/// A name without its namespace.
fn local(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields with their paths, and the text with every field in brackets.
    fn seen(text: &str) -> (Vec<String>, String) {
        let mut fields = Vec::new();
        let new = walk(text, &mut |path, value| {
            fields.push(format!("{}={value}", path.join("/")));
            Some(format!("[{value}]"))
        });
        (fields, new)
    }

    #[test]
    fn texts_and_attributes_are_seen_with_their_names() {
        let (fields, new) = seen(
            "<?xml version='1.0'?><o:order id = '7'>\n<to Name=\"A &amp; B\" x=1/><a:city>K<b/>öln &lt;3</a:city>\
             <![CDATA[x]]><!-- for Anna --></o:order>",
        );
        assert_eq!(
            fields,
            [
                "order/id=7",
                "order/to/Name=A & B",
                "order/to/x=1",
                "order/city=K",
                "order/city=öln <3",
                "order=x",
                "order= for Anna ",
            ]
        );
        assert_eq!(
            new,
            "<?xml version='1.0'?><o:order id = '[7]'>\n<to Name=\"[A &amp; B]\" x=[1]/><a:city>[K]<b/>[öln &lt;3]</a:city>\
             <![CDATA[[x]]]><!--[ for Anna ]--></o:order>"
        );
    }

    #[test]
    fn names_may_be_values_elsewhere() {
        for text in [
            "<f name=\"city\">Ulm</f>",
            "<f key='city' value='Ulm'/>",
            "<m><name>city</name><value><string>Ulm</string></value></m>",
            "<m><key>city</key><value>Ulm</value></m>",
        ] {
            let (fields, new) = seen(text);
            assert!(fields.iter().any(|field| field.ends_with("city=Ulm")), "{fields:?}");
            assert!(new.contains("[Ulm]"), "{new}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_seen_as_far_as_it_goes() {
        for (text, field) in [
            ("<a><b>Anna", "a/b=Anna"),
            ("<a>1 < 2<b>Anna</b>", "a/b=Anna"),
            ("<a><b>Anna</c></b>", "a/b=Anna"),
            ("a & b</a><b>Anna</b>", "b=Anna"),
            ("<p>one<br>two<b>Anna</b>", "p/br/b=Anna"),
            ("<a b='Anna", "=<a b='Anna"),
            ("<a><!-- Anna", "a=<!-- Anna"),
        ] {
            let (fields, new) = seen(text);
            assert!(fields.contains(&field.to_owned()), "{text}: {fields:?}");
            assert_eq!(new.replace(['[', ']'], "").replace("&amp;", "&"), text);
        }
        let deep = "<a>".repeat(5000) + "x" + &"</a>".repeat(5000);
        assert_eq!(seen(&deep).1.replace(['[', ']'], ""), deep);
        let faulty = "<!-- ".repeat(50_000);
        assert_eq!(seen(&faulty).1.replace(['[', ']'], "").len(), faulty.len());
    }
}
