//! Doc comments as what an operator reads.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// First paragraph and rest of a doc comment.
pub(crate) struct Doc {
    /// Without the period at its end: titles have none.
    pub(crate) title: String,
    pub(crate) help: String,
}

/// Reads the doc comment of an item.
pub(crate) fn of(attributes: &[Attribute]) -> Doc {
    let mut paragraphs = vec![String::new()];
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        // A line each with `///`, all in one with `/**`.
        for line in text.value().split('\n').map(str::trim) {
            let last = paragraphs.last_mut().expect("there is always one");
            if line.is_empty() {
                paragraphs.push(String::new());
            } else if last.is_empty() {
                last.push_str(line);
            } else {
                last.push(' ');
                last.push_str(line);
            }
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    let title = if paragraphs.is_empty() { String::new() } else { paragraphs.remove(0) };
    let title = title.strip_suffix('.').unwrap_or(&title).to_owned();
    Doc { title, help: paragraphs.join("\n\n") }
}
