//! Bytes read as choices, so that mutated bytes stay sensible input; and the seeded generator.

/// Choices taken from bytes; zeros once they are used up.
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        *first
    }

    /// Less than `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        let word = usize::from(self.byte()) << 8 | usize::from(self.byte());
        word % end
    }

    /// The next bytes, at most `most`.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let count = self.below(most + 1).min(self.bytes.len());
        let (head, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        head
    }

    /// Words out of what receipts hold, and out of what they must survive.
    pub fn words(&mut self) -> String {
        const PIECES: [&str; 24] = [
            "Cà phê ",
            "sữa đá ",
            "Bánh mì ",
            "ƯỜNG ",
            "đ",
            "Ế",
            "ợ ",
            "12.000 ₫",
            "a",
            " ",
            "      ",
            "\n",
            "\t",
            "\u{1b}p\0\u{19}",
            "\u{1d}V\0",
            "\u{10}\u{4}\u{1}",
            "e\u{301}",
            "\u{feff}",
            "漢字",
            "🙂",
            "ＡＢ",
            "\u{a0}",
            "----------------",
            "x 2 @ 8%",
        ];
        let mut words = String::new();
        for _ in 0..self.below(24) {
            match self.byte() {
                byte @ 0..=199 => words.push_str(PIECES[usize::from(byte) % PIECES.len()]),
                _ => {
                    let point = self.below(0x3000) as u32;
                    words.extend(char::from_u32(point));
                }
            }
        }
        words
    }
}

/// SplitMix64: the same seed makes the same run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Fresh bytes.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let count = self.below(most) + 1;
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// `input` with a few bytes changed, moved, doubled, dropped or joined with `other`.
    pub fn mutated(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            let length = self.below(16) + 1;
            let end = (at + length).min(bytes.len());
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.next() as u8,
                2 => drop(bytes.drain(at.min(end)..end)),
                3 => {
                    let piece = self.bytes(16);
                    bytes.splice(at..at, piece);
                }
                4 => {
                    let piece = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let from = self.below(other.len() + 1);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
            }
        }
        bytes.truncate(2_000);
        bytes
    }
}
