//! Texts in other character sets than UTF-8 (feature `charset`).

use encoding_rs::Encoding;

use crate::types::Error;

/// Reads a text by the label of its character set, as in a `Content-Type` header.
///
/// ```
/// use tradepost_sdk::charset;
///
/// assert_eq!(charset::decode(b"K\xF6ln", "windows-1252").unwrap(), "Köln");
/// assert_eq!(charset::decode("Köln".as_bytes(), "utf-8").unwrap(), "Köln");
/// assert!(charset::decode(b"\xFF\xFF", "utf-8").is_err());
/// assert!(charset::decode(b"", "klingon").is_err());
/// ```
///
/// # Errors
/// `rejected`: there is no such character set, or the bytes are no text in it.
pub fn decode(bytes: &[u8], label: &str) -> Result<String, Error> {
    let encoding = of(label)?;
    let (bytes, encoding) = match Encoding::for_bom(bytes) {
        Some((marked, length)) => (&bytes[length..], marked),
        None => (bytes, encoding),
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(Into::into)
        .ok_or_else(|| crate::rejected("charset", format!("the text is not in the character set {}", encoding.name())))
}

/// Writes a text in a character set.
///
/// ```
/// use tradepost_sdk::charset;
///
/// assert_eq!(charset::encode("Köln", "windows-1252").unwrap(), b"K\xF6ln");
/// assert!(charset::encode("茶", "windows-1252").is_err());
/// ```
///
/// # Errors
/// `rejected`: there is no such character set, or it lacks a character of the text.
pub fn encode(text: &str, label: &str) -> Result<Vec<u8>, Error> {
    let (bytes, encoding, lacking) = of(label)?.encode(text);
    if lacking {
        let lacks = |sign: &char| encoding.encode(sign.encode_utf8(&mut [0; 4])).2;
        let sign = text.chars().find(lacks).unwrap_or_default();
        return Err(crate::rejected("charset", format!("the character set {} has no `{sign}`", encoding.name())));
    }
    Ok(bytes.into_owned())
}

fn of(label: &str) -> Result<&'static Encoding, Error> {
    Encoding::for_label(label.trim().as_bytes())
        .ok_or_else(|| crate::rejected("charset", format!("there is no character set `{label}`")))
}

/// The character set that an answer names: in its header, or in the prolog of its XML.
pub(crate) fn named(content_type: Option<&str>, bytes: &[u8]) -> Option<String> {
    let quoted = |text: &str| text.trim_matches(['"', '\'', ' ']).to_owned();
    let header = content_type.and_then(|header| {
        let mut parameters = header.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, label)| quoted(label))
    });
    header.or_else(|| {
        let prolog = bytes.strip_prefix(b"<?xml")?;
        let prolog = String::from_utf8_lossy(&prolog[..prolog.len().min(100)]).into_owned();
        let prolog = prolog.split("?>").next()?;
        let label = prolog.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
        let sign = label.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
        label[1..].split(sign).next().map(Into::into)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_its_character_set() {
        assert_eq!(named(Some("text/csv; header=present; Charset=\"ISO-8859-1\""), b"").unwrap(), "ISO-8859-1");
        assert_eq!(
            named(Some("application/xml"), b"<?xml version='1.0' encoding='iso-8859-2'?><a/>").unwrap(),
            "iso-8859-2"
        );
        assert_eq!(named(Some("application/xml"), b"<?xml version=\"1.0\"?><a encoding=\"x\"/>"), None);
        assert_eq!(named(None, b"<?xml encoding="), None);
    }
}
