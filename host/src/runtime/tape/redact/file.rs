//! Files of an exchange folder: JSON, XML and tables whose first line names their columns, in UTF-8 or an encoding of one
//! byte per character. Every byte keeps its place, because cursors and receipts name places and sizes.

use super::super::super::exchange::seen::{SeenFile, SeenPart};
use super::super::Body;
use super::{Class, Redactor, classify, json, text};

/// What a table's first line says.
struct Header {
    delimiter: char,
    names: Vec<String>,
}

/// Names of columns that show that a first line names columns, beside those of personal data.
const COLUMNS: [&str; 24] = [
    "active", "amount", "artikel", "code", "currency", "ean", "gtin", "id", "key", "kunde", "language", "menge",
    "name", "nummer", "number", "order", "position", "preis", "price", "product", "quantity", "shipment", "sku",
    "state",
];

/// Most texts of a call that are looked for in its files.
const QUOTES: usize = 100;

impl Redactor {
    /// Learns from what was read of a file.
    pub fn learn_file(&mut self, file: &SeenFile) {
        let mut found = Vec::new();
        let header = header(file);
        for part in &file.parts {
            let Some((text, _)) = decoded(part.bytes.bytes()) else { continue };
            walk(file, header.as_ref(), &text, str::len, &mut |path, value| {
                found.push((path.iter().map(|&part| part.to_owned()).collect::<Vec<_>>(), value.to_owned()));
                None
            });
        }
        for (path, value) in found {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.learn_field(&path, &value);
        }
        self.find_values();
    }

    /// A file without personal data, of the same size.
    #[must_use]
    pub fn file(&self, file: &SeenFile) -> SeenFile {
        let header = header(file);
        let part =
            |part: &SeenPart| SeenPart { offset: part.offset, bytes: self.part(file, header.as_ref(), &part.bytes) };
        SeenFile { path: self.path(&file.path), parts: file.parts.iter().map(part).collect(), ..file.clone() }
    }

    /// Texts that stood in files, as they stand in the redacted ones: what a connector tells of lines.
    #[must_use]
    pub fn quoted(&self, files: &[SeenFile], quotes: &[&str]) -> Vec<Option<String>> {
        let mut found = vec![None; quotes.len()];
        for file in files {
            let header = header(file);
            for part in &file.parts {
                let Some((text, narrow)) = decoded(part.bytes.bytes()) else { continue };
                let mut redacted = None;
                for (quote, found) in quotes.iter().zip(&mut found).take(QUOTES) {
                    if found.is_some() || quote.is_empty() {
                        continue;
                    }
                    let Some(at) = text.find(quote) else { continue };
                    let (at, length) = (width(narrow)(&text[..at]), width(narrow)(quote));
                    let new = redacted.get_or_insert_with(|| self.part(file, header.as_ref(), &part.bytes));
                    let line = new.bytes().get(at..at + length).and_then(decoded);
                    *found = line.map(|(line, _)| line.trim_end().to_owned());
                }
            }
        }
        found
    }

    fn path(&self, path: &str) -> String {
        path.split('/').map(|part| self.name(part)).collect::<Vec<_>>().join("/")
    }

    fn part(&self, file: &SeenFile, header: Option<&Header>, part: &Body) -> Body {
        let bytes = part.bytes();
        // Nothing tells what in it is personal.
        let Some((text, narrow)) = decoded(bytes) else { return self.stand_ins.body(bytes) };
        let new = walk(file, header, &text, width(narrow), &mut |path, value| {
            let new = self.field(path, value);
            let fits = width(narrow)(&new) <= width(narrow)(value);
            Some(if fits { new } else { self.stand_ins.words(value) })
        });
        let new = new.unwrap_or_else(|| self.stand_ins.of(Class::Remark, &text));
        let Some(mut new) = encoded(&new, narrow).filter(|new| new.len() <= bytes.len()) else {
            return self.stand_ins.body(bytes);
        };
        new.resize(bytes.len(), b' ');
        Body::of(new)
    }
}

/// How much room a text takes in its file.
type Width = fn(&str) -> usize;

fn width(narrow: bool) -> Width {
    if narrow { |text| text.chars().count() } else { str::len }
}

/// The text of a file, and whether each character is one byte. A character that is cut at the end is none.
fn decoded(bytes: &[u8]) -> Option<(String, bool)> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Some((text.to_owned(), false)),
        Err(error) => error,
    };
    if error.error_len().is_none() {
        let whole = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        return Some((whole, false));
    }
    let plain = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n');
    bytes.iter().all(plain).then(|| (bytes.iter().copied().map(char::from).collect(), true))
}

fn encoded(text: &str, narrow: bool) -> Option<Vec<u8>> {
    if !narrow {
        return Some(text.as_bytes().to_vec());
    }
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// The names of a table's columns; none where the first line was not read or names none.
fn header(file: &SeenFile) -> Option<Header> {
    let first = file.parts.first().filter(|part| part.offset == 0)?;
    let (text, _) = decoded(first.bytes.bytes())?;
    let line = text.trim_start_matches('\u{feff}').lines().next()?;
    if line.starts_with(['{', '[', '<']) {
        return None;
    }
    let delimiter = [';', '\t', ',', '|'].into_iter().max_by_key(|sign| line.matches(*sign).count())?;
    let names: Vec<String> = line.split(delimiter).map(|name| name.trim_matches(['"', ' ']).to_owned()).collect();
    let says = |name: &String| {
        let plain = name.to_lowercase();
        classify(&[name]).is_some() || plain.split(|c: char| !c.is_alphanumeric()).any(|word| COLUMNS.contains(&word))
    };
    let value = |name: &String| name.contains('@') || name.chars().filter(char::is_ascii_digit).count() > 3;
    (names.iter().any(says) && !names.iter().any(value)).then_some(Header { delimiter, names })
}

/// Visits the fields of what was read of a file; `None`: it has no format that is known.
fn walk(
    file: &SeenFile,
    header: Option<&Header>,
    text: &str,
    width: Width,
    visit: &mut text::Visit<'_>,
) -> Option<String> {
    // A file of customers says of `name` whose it is.
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let mut below = |path: &[&str], value: &str| {
        // The whole of what is no JSON: its fields were seen.
        if path.is_empty() {
            return None;
        }
        let path: Vec<&str> = std::iter::once(stem.as_str()).chain(path.iter().copied()).collect();
        visit(&path, value)
    };
    if let Some(header) = header {
        return Some(table(header, text, width, &mut below));
    }
    match text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '\u{feff}')).chars().next() {
        None => Some(text.to_owned()),
        Some('{' | '[') => Some(json::walk_in_place(text, &mut below)),
        Some('<') => text::walk(text.trim_start_matches('\u{feff}'), &mut below),
        Some(_) => None,
    }
}

/// Cells below their columns' names. A cell that becomes shorter is filled up with blanks.
fn table(header: &Header, text: &str, width: Width, visit: &mut text::Visit<'_>) -> String {
    let (mut out, mut rest, mut column) = (String::with_capacity(text.len()), text, 0);
    // The names themselves.
    let first = text.trim_start_matches('\u{feff}').split_inclusive('\n').next().unwrap_or_default();
    let names = first.trim_end().split(header.delimiter).map(|name| name.trim_matches(['"', ' ']));
    if names.eq(header.names.iter().map(String::as_str)) {
        let length = text.len() - text.trim_start_matches('\u{feff}').len() + first.len();
        out.push_str(&text[..length]);
        rest = &text[length..];
    }
    while !rest.is_empty() {
        let raw = cell(rest, header.delimiter);
        let quoted = raw.len() > 1 && raw.starts_with('"') && raw.ends_with('"');
        let value = if quoted { raw[1..raw.len() - 1].replace("\"\"", "\"") } else { raw.to_owned() };
        let name = header.names.get(column).map_or("", String::as_str);
        let new = visit(&[name], &value).filter(|new| *new != value);
        match new.map(|new| if quoted { new.replace('"', "\"\"") } else { new }) {
            Some(new) => {
                let room = width(raw) - if quoted { 2 } else { 0 };
                let filled = format!("{new}{}", " ".repeat(room.saturating_sub(width(&new))));
                out.push_str(&if quoted { format!("\"{filled}\"") } else { filled });
            }
            None => out.push_str(raw),
        }
        rest = &rest[raw.len()..];
        let mut signs = rest.chars();
        match signs.next() {
            Some(sign) if sign == header.delimiter => column += 1,
            _ => column = 0,
        }
        let end = rest.len() - signs.as_str().len();
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

/// The cell at the beginning, with its quotes. One that is not closed ends with its line.
fn cell(text: &str, delimiter: char) -> &str {
    let ends = |c: char| c == delimiter || c == '\n' || c == '\r';
    if let Some(inner) = text.strip_prefix('"') {
        let mut at = 0;
        while let Some(found) = inner[at..].find('"') {
            at += found + 1;
            match inner[at..].chars().next() {
                Some('"') => at += 1,
                Some(next) if !ends(next) => break,
                _ => return &text[..=at],
            }
        }
    }
    &text[..text.find(ends).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn seen(path: &str, parts: &[(u64, &[u8])]) -> SeenFile {
        let part = |(offset, bytes): &(u64, &[u8])| SeenPart { offset: *offset, bytes: Body::of(bytes.to_vec()) };
        let parts = parts.iter().map(part).collect();
        SeenFile { path: path.into(), folder: false, size: 1 << 20, modified: Timestamp::UNIX_EPOCH, parts }
    }

    /// The parts without personal data, each as long as before.
    fn redacted(file: &SeenFile) -> Vec<Vec<u8>> {
        let mut redactor = Redactor::new([7; 32]);
        redactor.learn_file(file);
        let new = redactor.file(file);
        let parts = file.parts.iter().zip(&new.parts).map(|(old, new)| {
            assert_eq!(old.bytes.bytes().len(), new.bytes.bytes().len(), "everything keeps its place");
            new.bytes.bytes().to_vec()
        });
        parts.collect()
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn a_table_keeps_its_columns_and_loses_its_people() {
        let table = "number;email;first_name;street;postcode;city;country;group\r\n\
                     K-1;jo@gmx.de;Jörg;\"Am \"\"Tor\"\"; 5\";10115;Köln;DE;retail\r\n\
                     K-2;anna.weber@mail.example;Anna;Ring 1;20459;Ulm;DE;Jörg\r\nK-3;\"open;Anna;x;1\r\n";
        let new = text(&redacted(&seen("inbox/customers-1.csv", &[(0, table.as_bytes())]))[0]);
        let lines: Vec<&str> = new.split("\r\n").collect();
        assert_eq!(lines[0], table.lines().next().unwrap());
        assert!(lines[1].split(';').nth(1).is_some_and(|email| email.ends_with(".test")), "{new}");
        for gone in ["Jörg", "Anna", "anna.weber", "gmx", "Tor", "10115", "20459", "Köln", "Ring"] {
            assert!(!new.contains(gone), "{gone}: {new}");
        }
        let cells: Vec<&str> = lines[2].split(';').collect();
        assert_eq!((cells[0], cells[6], cells.len()), ("K-2", "DE", 8));
        assert!(cells[1].contains("@example.org"), "{new}");
        assert!(lines[1].starts_with("K-1;") && lines[1].ends_with(";DE;retail"), "{new}");
        assert!(lines[3].starts_with("K-3;"), "{new}");
    }

    #[test]
    fn articles_stay_as_they_are() {
        let table = "\u{feff}sku;name;price\nA-1;Tässe \"blau\";1,50\n";
        assert_eq!(text(&redacted(&seen("inbox/products.csv", &[(0, table.as_bytes())]))[0]), table);
        let later = "A-2;Teller;2,50\n".as_bytes();
        let parts = [(0, table.as_bytes()), (70_000, later)];
        assert_eq!(redacted(&seen("inbox/products.csv", &parts))[1], later);
    }

    #[test]
    fn one_byte_per_character_is_read_too() {
        let (table, ..) = ("number;last_name;city\nK-1;M\u{fc}ller;M\u{fc}nchen\n", ());
        let bytes: Vec<u8> = table.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let new = &redacted(&seen("inbox/customers.csv", &[(0, &bytes)]))[0];
        assert!(new.starts_with(b"number;last_name;city\nK-1;") && new.ends_with(b"\n"));
        assert!(!new.contains(&0xfc), "{}", text(new));
    }

    #[test]
    fn json_keeps_its_places() {
        let one = r#"{"number": "K-1", "email": "j@x.de", "first_name": "J\u00f6rg", "street": "Ring 1"}"#;
        let json = format!("[{one},\n {one}]");
        let new = text(&redacted(&seen("inbox/customers.json", &[(0, json.as_bytes())]))[0]);
        assert!(!new.contains("rg\"") && !new.contains("Ring"), "{new}");
        assert_eq!(new.rfind("{\"number\""), json.rfind("{\"number\""));
        let parsed: serde_json::Value = serde_json::from_str(&new).unwrap();
        assert_eq!((&parsed[0]["number"], &parsed[0]), (&"K-1".into(), &parsed[1]));
        // From the middle of a file, and cut in the middle of a name.
        let cut = format!(",\n {}", &one[..one.len() - 10]);
        let new = text(&redacted(&seen("inbox/customers.json", &[(100, cut.as_bytes())]))[0]);
        assert!(new.contains("K-1") && !new.contains("rg\""), "{new}");
    }

    #[test]
    fn what_is_not_known_says_nothing() {
        // A table without names of columns, a text, bytes.
        let table = redacted(&seen("inbox/a.csv", &[(0, b"Weber;Anna;Berlin\nWolf;Ida;Ulm\n")]));
        for gone in ["Weber", "Anna", "Berlin", "Wolf", "Ida", "Ulm"] {
            assert!(!text(&table[0]).contains(gone), "{}", text(&table[0]));
        }
        let later = redacted(&seen("inbox/customers.csv", &[(4096, b"K-1;Weber;Anna\n")]));
        assert!(!text(&later[0]).contains("Weber"), "its first line was not read");
        let file = seen("pictures/a.png", &[(0, &[0x89, 0, 1, 2, 0xff, 0xfe])]);
        let picture = Redactor::new([7; 32]).file(&file);
        assert!(matches!(picture.parts[0].bytes, Body::Omitted(_)));
    }

    #[test]
    fn a_line_that_is_told_is_told_as_it_stands_there() {
        let table = "number;first_name;postcode;country\nK-1;Anna;10115;Germany\n";
        let files = [seen("inbox/customers.csv", &[(0, table.as_bytes())])];
        let mut redactor = Redactor::new([7; 32]);
        redactor.learn_file(&files[0]);
        let told = redactor.quoted(&files, &["nowhere", "K-1;Anna;10115;Germany"]);
        assert_eq!(told[0], None);
        let told = told[1].clone().unwrap();
        assert!(told.starts_with("K-1;") && told.ends_with(";Germany") && !told.contains("10115"), "{told}");
        assert!(text(redactor.file(&files[0]).parts[0].bytes.bytes()).contains(&told));
    }
}
