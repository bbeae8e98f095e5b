//! Names that the connector chooses for what it makes.

/// Address of a product that is being made: nobody else makes this one, so that a product whose creation was cut off is
/// found by it. The last step of the creation replaces it.
#[must_use]
pub fn making_slug(item: &str) -> String {
    format!("making-{:032x}", fingerprint(item))
}

/// Mark of a change that Vendure has no place for: stands in the reason of a cancellation or refund.
#[must_use]
pub fn mark(item: &str) -> String {
    format!("[{:032x}]", fingerprint(item))
}

/// FNV-1a of 128 bits: short, the same in every build, and far from colliding among a shop's own writes.
fn fingerprint(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// Text as part of an address: lower-case letters, digits and single hyphens; `fallback` when nothing is left.
#[must_use]
pub fn slug(text: &str, fallback: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        let plain: &str = match letter {
            'a'..='z' | '0'..='9' => {
                slug.push(letter);
                continue;
            }
            'ä' | 'æ' => "ae",
            'ö' | 'ø' | 'œ' | 'ő' => "oe",
            'ü' | 'ű' => "ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ł' => "l",
            'ñ' | 'ń' => "n",
            'ò' | 'ó' | 'ô' | 'õ' => "o",
            'ř' => "r",
            'ś' | 'š' => "s",
            'ù' | 'ú' | 'û' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            _ if slug.is_empty() || slug.ends_with('-') => "",
            _ => "-",
        };
        slug.push_str(plain);
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { fallback.into() } else { slug.into() }
}

/// File name of a picture, the same for every attempt.
#[must_use]
pub fn picture_file(owner: &str, key: &str, media_type: &str) -> String {
    let kind = match media_type {
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/avif" => "avif",
        "image/svg+xml" => "svg",
        _ => "jpg",
    };
    format!("{owner}-{:016x}.{kind}", fingerprint(key) >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_and_never_empty() {
        assert_eq!(slug("Zoë's Größe  42 / rot!", "x"), "zoe-s-groesse-42-rot");
        assert_eq!(slug("  --  ", "item-7"), "item-7");
        assert_eq!(slug("日本", "p1"), "p1");
    }

    #[test]
    fn names_are_the_same_for_every_attempt_and_differ_between_items() {
        assert_eq!(making_slug("a/b/c"), making_slug("a/b/c"));
        assert_ne!(making_slug("a/b/c"), making_slug("a/b/d"));
        // A slug that the shop would rewrite could not be found again.
        assert_eq!(slug(&making_slug("a/b/c"), ""), making_slug("a/b/c"));
        assert_eq!(making_slug(""), "making-6c62272e07bb014262b821756295c58d");
        assert_ne!(mark("one"), mark("two"));
        assert_eq!(picture_file("p7", "k", "image/png"), picture_file("p7", "k", "image/png"));
        assert_ne!(picture_file("p7", "k", "image/png"), picture_file("p7", "l", "image/png"));
    }
}
