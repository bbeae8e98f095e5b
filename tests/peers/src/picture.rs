//! A small PNG made on the spot, so that no picture file has to lie beside the program.

/// A PNG of 64 x 64 pixels in one colour.
#[must_use]
pub fn png(colour: [u8; 3]) -> Vec<u8> {
    let side = 64_u32;
    let mut rows = Vec::new();
    for _ in 0..side {
        // Every row begins with its filter, none.
        rows.push(0);
        rows.extend(std::iter::repeat_n(colour, side as usize).flatten());
    }
    let mut header = Vec::new();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    // Eight bits, true colour, the standard compression, filter and no interlacing.
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header), (b"IDAT", stored(&rows)), (b"IEND", Vec::new())] {
        let mut body = name.to_vec();
        body.extend(&data);
        file.extend(u32::try_from(data.len()).expect("a few kilobytes").to_be_bytes());
        file.extend(&body);
        file.extend(crc(&body).to_be_bytes());
    }
    file
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a block has at most 65535 bytes");
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_standards() {
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        assert_eq!(&stored(b"abc")[stored(b"abc").len() - 4..], 0x024d_0127_u32.to_be_bytes());
    }

    #[test]
    fn a_picture_begins_and_ends_as_a_png() {
        let file = png([1, 2, 3]);
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"));
        assert!(file.ends_with(b"IEND\xae\x42\x60\x82"));
    }
}
