//! Runs a target on the stable compiler: the corpus, then changes of it that are the same in every run. `cargo fuzz` finds
//! more, because it sees which branches were taken; this finds again what was found once.

/// Runs the corpus of a target and then so many changes of it.
pub(crate) fn drive(corpus: &std::path::Path, rounds: u64, run: impl Fn(&[u8])) {
    let mut seeds: Vec<(std::path::PathBuf, Vec<u8>)> = std::fs::read_dir(corpus)
        .expect("there is a corpus")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a readable seed")))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "the corpus {} is empty", corpus.display());
    for (_, seed) in &seeds {
        run(seed);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        let mut bytes = seeds[dice.below(seeds.len())].1.clone();
        for _ in 0..=dice.below(4) {
            change(&mut bytes, &mut dice, &seeds);
        }
        run(&bytes);
    }
}

struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.throw() % (bound.max(1) as u64)).unwrap_or(0)
    }
}

fn change(bytes: &mut Vec<u8>, dice: &mut Dice, seeds: &[(std::path::PathBuf, Vec<u8>)]) {
    const WORDS: [&[u8]; 20] = [
        b"\"",
        b"\\",
        b"\n",
        b"\r\n",
        b";",
        b",",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"-1",
        b"1e999",
        b"null",
        b"{}",
        b"[[[[[[",
        b"99999999999999999999999999999999",
        b"0.0000000000000000000000000001",
        b"true",
        b"\xc3\x28",
        b"2026-02-30T25:61:61Z",
        b"\xf0\x9f\x92\xa9",
    ];
    let at = dice.below(bytes.len() + 1);
    let end = (at + dice.below(16) + 1).min(bytes.len());
    match dice.below(7) {
        0 if !bytes.is_empty() => {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << dice.below(8);
        }
        1 => drop(bytes.drain(at..end)),
        2 => bytes.truncate(at),
        3 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece.repeat(dice.below(8) + 1));
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())].1;
            let from = dice.below(other.len() + 1);
            bytes.splice(at.., other[from..].iter().copied());
        }
        _ => {
            let word = WORDS[dice.below(WORDS.len())];
            bytes.splice(at..end, word.iter().copied());
        }
    }
}
