//! Texts in the languages into which the database is translated.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::Texts;
use tradepost_sdk::types::Error;

use crate::api::{Api, Search};

/// Fields of rows by language.
pub(crate) struct Translated {
    languages: Vec<(String, BTreeMap<u64, Value>)>,
}

impl Translated {
    /// The languages of a row with its fields.
    pub(crate) fn of(&self, id: u64) -> impl Iterator<Item = (&str, &Value)> {
        self.languages.iter().filter_map(move |(language, rows)| Some((language.as_str(), rows.get(&id)?)))
    }
}

/// Codes of the languages into which the database is translated, as Tryton writes them.
pub(crate) fn languages(api: &Api<'_>) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Language {
        code: String,
    }
    let search = Search::of("ir.lang", &["code"]).with(json!(["translatable", "=", true]));
    let mut codes: Vec<String> = api.find::<Language>(&search)?.into_iter().map(|language| language.code).collect();
    if codes.is_empty() {
        codes.push("en".into());
    }
    Ok(codes)
}

/// Reads fields of the rows with these ids in every language.
pub(crate) fn read(api: &Api<'_>, model: &str, fields: &[&str], ids: &[u64]) -> Result<Translated, Error> {
    let mut languages_read = Vec::new();
    if !ids.is_empty() {
        for code in languages(api)? {
            let search = Search::of(model, fields).all().context("language", json!(code));
            let rows: Vec<Value> = api.among(&search, ids)?;
            let rows = rows.into_iter().filter_map(|row| Some((row["id"].as_u64()?, row))).collect();
            languages_read.push((tag(&code), rows));
        }
    }
    Ok(Translated { languages: languages_read })
}

/// The language tag of a code of Tryton.
pub(crate) fn tag(code: &str) -> String {
    code.replace('_', "-")
}

/// The code of Tryton for a language tag: the same one, else the language alone.
pub(crate) fn code<'l>(codes: &'l [String], language: &str) -> Option<&'l String> {
    let exact = codes.iter().find(|code| tag(code).eq_ignore_ascii_case(language));
    let short = language.split('-').next().unwrap_or(language);
    exact.or_else(|| codes.iter().find(|code| code.eq_ignore_ascii_case(short)))
}

/// A text of a row, empty when it has none.
pub(crate) fn text(fields: &Value, name: &str) -> String {
    fields[name].as_str().unwrap_or_default().to_owned()
}

/// Texts of a language without anything but it.
pub(crate) fn empty(language: &str) -> Texts {
    Texts {
        language: language.into(),
        name: String::new(),
        short_html: None,
        long_html: None,
        slug: None,
        meta_title: None,
        meta_description: None,
        keywords: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_matched_whole_then_short() {
        let codes = vec!["en".to_owned(), "de".to_owned(), "pt_BR".to_owned()];
        assert_eq!(code(&codes, "pt-BR"), Some(&codes[2]));
        assert_eq!(code(&codes, "de-AT"), Some(&codes[1]));
        assert_eq!(code(&codes, "hu"), None);
    }
}
