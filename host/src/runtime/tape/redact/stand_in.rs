//! Stand-ins: made of a keyed hash of the value, in the shape of the value.

use super::super::Body;
use super::Class;

/// Makes stand-ins.
pub(super) struct StandIns {
    key: [u8; 32],
}

impl StandIns {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    pub(super) fn of(&self, class: Class, value: &str) -> String {
        if value.trim().is_empty() {
            return value.to_owned();
        }
        match class {
            Class::Email if value.contains('@') => self.email(value),
            Class::Iban => self.iban(value),
            Class::Birthday => self.birthday(value),
            Class::Address => format!("203.0.113.{}", self.stream(value).next()),
            Class::Email | Class::Words | Class::Remark | Class::Secret | Class::Digits => self.words(value),
        }
    }

    /// What a body was that is left out. Nobody can guess it and see that the hash fits.
    pub(super) fn body(&self, bytes: &[u8]) -> Body {
        Body::Omitted(format!("{} bytes {}", bytes.len(), blake3::keyed_hash(&self.key, bytes).to_hex()))
    }

    /// An address that reaches nobody; where the value is short, it is short too, so that it fits in its place.
    pub(super) fn email(&self, value: &str) -> String {
        let (mut stream, room) = (self.stream(value.trim()), value.trim().len());
        let mut letters = |many: usize| -> String { (0..many).map(|_| letter(stream.next())).collect() };
        match room.checked_sub("@example.org".len()) {
            Some(many @ 4..) => format!("{}@example.org", letters(many.min(10))),
            _ => format!("{}@{}.test", letters(room.saturating_sub("@a.test".len()).clamp(2, 8)), letters(1)),
        }
    }

    /// Every word by itself, with the signs between them.
    pub(super) fn words(&self, value: &str) -> String {
        let (mut out, mut word) = (String::with_capacity(value.len()), String::new());
        for c in value.chars() {
            if c.is_alphanumeric() {
                word.push(c);
            } else {
                out.push_str(&self.word(&std::mem::take(&mut word)));
                out.push(c);
            }
        }
        out.push_str(&self.word(&word));
        out
    }

    /// As many letters and digits, in the same case.
    pub(super) fn word(&self, word: &str) -> String {
        let mut stream = self.stream(word);
        word.chars()
            .map(|c| match c {
                '0'..='9' => char::from(b'0' + stream.next() % 10),
                _ if c.is_uppercase() => letter(stream.next()).to_ascii_uppercase(),
                _ => letter(stream.next()),
            })
            .collect()
    }

    /// Same country and length, valid check digits.
    pub(super) fn iban(&self, value: &str) -> String {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
        if plain.len() < 15 {
            return self.words(value);
        }
        let (country, account) = (&plain[..2], self.word(&plain[4..]));
        let number = format!("{account}{country}00");
        let rest = number
            .chars()
            .filter_map(|c| c.to_digit(36))
            .fold(0_u32, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 });
        let mut whole = format!("{country}{:02}{account}", 98 - rest).chars().collect::<Vec<_>>().into_iter();
        // With the blanks of the value.
        value.chars().filter_map(|c| if c.is_ascii_alphanumeric() { whole.next() } else { Some(c) }).collect()
    }

    fn birthday(&self, value: &str) -> String {
        let mut stream = self.stream(value);
        let (year, month, day) = (1950 + u32::from(stream.next()) % 50, 1 + stream.next() % 12, 1 + stream.next() % 28);
        let iso = value.len() >= 10 && value.as_bytes()[4] == b'-' && value.as_bytes()[7] == b'-';
        match value.get(10..).filter(|_| iso) {
            Some(rest) => format!("{year}-{month:02}-{day:02}{rest}"),
            None => self.words(value),
        }
    }

    /// Bytes that only the key and the value decide, whatever the value's case.
    fn stream(&self, value: &str) -> Stream {
        Stream(blake3::Hasher::new_keyed(&self.key).update(value.to_lowercase().as_bytes()).finalize_xof())
    }
}

struct Stream(blake3::OutputReader);

impl Stream {
    fn next(&mut self) -> u8 {
        let mut byte = [0];
        self.0.fill(&mut byte);
        byte[0]
    }
}

fn letter(byte: u8) -> char {
    char::from(b'a' + byte % 26)
}
