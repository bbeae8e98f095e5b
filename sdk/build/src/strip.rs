//! Takes out of a component what only people read: the names that the linker leaves in it although the profile strips.

/// The first bytes of a component; a plain module has another layer number.
pub(crate) const COMPONENT_MAGIC: &[u8] = b"\0asm\x0d\0\x01\0";

/// The custom section with the names of a component's parts.
const NAMES: &[u8] = b"component-name";

/// The component without its names; the same bytes where they are no sections.
pub(crate) fn strip(component: &[u8]) -> Vec<u8> {
    sections(component).unwrap_or_else(|| component.to_vec())
}

fn sections(component: &[u8]) -> Option<Vec<u8>> {
    let mut out = COMPONENT_MAGIC.to_vec();
    let mut rest = component.strip_prefix(COMPONENT_MAGIC)?;
    while let Some((id, after)) = rest.split_first() {
        let (length, body) = number(after)?;
        let end = body.get(length..)?;
        // A custom section begins with the length of its name.
        let named = || number(&body[..length]).and_then(|(length, name)| name.get(..length)) == Some(NAMES);
        if *id != 0 || !named() {
            out.extend_from_slice(&rest[..rest.len() - end.len()]);
        }
        rest = end;
    }
    Some(out)
}

/// An unsigned number of 32 bits in LEB128, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, body: &[u8]) -> Vec<u8> {
        // In two bytes, as long sections have it.
        let length = [u8::try_from(body.len() & 0x7f).unwrap() | 0x80, u8::try_from(body.len() >> 7).unwrap()];
        [&[id], length.as_slice(), body].concat()
    }

    #[test]
    fn names_go_and_all_else_stays() {
        let names = section(0, &[b"\x0ecomponent-name".as_slice(), &[7; 300]].concat());
        let (other, code) = (section(0, b"\x09producers\x01\x02"), section(1, b"component-name"));
        let whole = [COMPONENT_MAGIC, &names, &other, &code, &names].concat();
        assert_eq!(strip(&whole), [COMPONENT_MAGIC, &other, &code].concat());
    }

    #[test]
    fn what_is_no_component_stays_as_it_is() {
        let cut = [COMPONENT_MAGIC, &section(0, b"\x0ecomponent-name")[..9]].concat();
        for bytes in
            [b"".as_slice(), b"\0asm\x01\0\0\0", &cut, &[COMPONENT_MAGIC, b"\x00\xff\xff\xff\xff\xff"].concat()]
        {
            assert_eq!(strip(bytes), bytes);
        }
    }
}
