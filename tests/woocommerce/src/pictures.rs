//! Small pictures for the catalogue: drawn in code, the same address always the same picture.

use crate::state::Upload;

const SIDE: u32 = 64;

/// The picture of a catalogue address `/wp-content/uploads/catalogue/<name>.png`.
pub(crate) fn drawn(path: &str) -> Option<Upload> {
    let name = path.strip_prefix("/wp-content/uploads/catalogue/")?.strip_suffix(".png")?;
    Some(Upload { content_type: "image/png".to_owned(), bytes: draw(name) })
}

/// A coloured tile with a pattern that depends on the name.
fn draw(name: &str) -> Vec<u8> {
    let seed = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let byte = |shift: u32| ((seed >> shift) & 0xff) as u8;
    let back = [byte(0) | 0x80, byte(8) | 0x80, byte(16) | 0x80];
    let front = [byte(24) / 2, byte(32) / 2, byte(40) / 2];
    let mut raw = Vec::with_capacity((SIDE * (SIDE * 3 + 1)) as usize);
    for y in 0..SIDE {
        raw.push(0);
        for x in 0..SIDE {
            // A symmetric pattern of eight by eight fields.
            let (column, row) = ((x / 8).min(7 - x / 8), y / 8);
            let set = (seed >> ((row * 4 + column) % 48)) & 1 == 1;
            raw.extend_from_slice(if set { &front } else { &back });
        }
    }
    png(&raw)
}

/// An RGB picture as a PNG file; the pixels go in stored blocks, so no compressor is needed.
fn png(raw: &[u8]) -> Vec<u8> {
    let mut data = vec![0x78, 0x01];
    let mut blocks = raw.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        data.push(u8::from(blocks.peek().is_none()));
        data.extend_from_slice(&length.to_le_bytes());
        data.extend_from_slice(&(!length).to_le_bytes());
        data.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    data.extend_from_slice(&((b << 16) | a).to_be_bytes());

    let mut file = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    let mut header = Vec::new();
    header.extend_from_slice(&SIDE.to_be_bytes());
    header.extend_from_slice(&SIDE.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &data);
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    let sum = crc(&file[start..]);
    file.extend_from_slice(&sum.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_png() {
        // The end chunk of every PNG file has this sum.
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn one_address_one_picture() {
        let one = drawn("/wp-content/uploads/catalogue/tasse.png").unwrap().bytes;
        assert_eq!(one, drawn("/wp-content/uploads/catalogue/tasse.png").unwrap().bytes);
        assert_ne!(one, drawn("/wp-content/uploads/catalogue/schal.png").unwrap().bytes);
        assert!(drawn("/wp-content/uploads/other.png").is_none());
    }
}
