//! A file's attributes, as chattr takes them and the kernel keeps them.

use crate::{Failure, Result};

/// chattr's letters and the kernel's bits (linux/fs.h), of those that a user may set.
const LETTERS: [(char, u32); 16] = [
    ('s', 0x1),
    ('u', 0x2),
    ('c', 0x4),
    ('S', 0x8),
    ('i', 0x10),
    ('a', 0x20),
    ('d', 0x40),
    ('A', 0x80),
    ('m', 0x400),
    ('j', 0x4000),
    ('t', 0x8000),
    ('D', 0x1_0000),
    ('T', 0x2_0000),
    ('C', 0x80_0000),
    ('x', 0x200_0000),
    ('P', 0x2000_0000),
];

/// Ext4's extents: on every file of today, and never taken away.
const EXTENTS: char = 'e';

/// Neither can be changed, removed or replaced.
const FROZEN: u32 = 0x10 | 0x20;

/// A change of attributes: `+i`, `-a`, `=A`; without a sign it is `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    sign: char,
    bits: u32,
}

impl Attributes {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (sign, letters) = match text.chars().next() {
            Some(sign @ ('+' | '-' | '=')) => (sign, &text[1..]),
            _ => ('=', text),
        };
        let mut bits = 0;
        for letter in letters.chars().filter(|l| *l != EXTENTS) {
            let known = LETTERS.iter().find(|(l, _)| *l == letter);
            let (_, bit) = known.ok_or_else(|| unknown_letter(text, letter))?;
            bits |= bit;
        }
        Ok(Self { sign, bits })
    }

    /// What the bits of a file become.
    pub(crate) fn apply(self, current: u32) -> u32 {
        match self.sign {
            '+' => current | self.bits,
            '-' => current & !self.bits,
            _ => (current & !settable()) | self.bits,
        }
    }

    /// Whether it only makes files changeable that were not.
    pub(super) fn thaws(self) -> bool {
        Self::is_frozen(!self.apply(u32::MAX)) && !Self::is_frozen(self.apply(0))
    }

    /// Whether bits keep a file from being changed at all.
    pub(crate) fn is_frozen(bits: u32) -> bool {
        bits & FROZEN != 0
    }
}

/// Those bits that a new file takes over from the one it replaces: not the ones that would have
/// kept it from being replaced, nor the file system's own.
pub(super) fn inherited(bits: u32) -> u32 {
    bits & settable() & !FROZEN
}

/// Bits as letters, in their order.
pub(crate) fn letters(bits: u32) -> String {
    let set = LETTERS.iter().filter(|(_, bit)| bits & bit != 0);
    set.map(|(letter, _)| letter).collect()
}

fn settable() -> u32 {
    LETTERS.iter().fold(0, |all, (_, bit)| all | bit)
}

fn unknown_letter(text: &str, letter: char) -> Failure {
    let letters = LETTERS.iter().map(|(l, _)| *l).collect::<String>();
    Failure::new(format!("`{letter}` in `{text}` is no file attribute"))
        .arg("attributes")
        .help(format!(
            "attributes are the letters `{letters}` after `+`, `-` or `=`, as for chattr"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_add_take_and_replace() {
        let bits = |text: &str, current| Attributes::parse(text).unwrap().apply(current);
        assert_eq!(bits("+i", 0x80), 0x90);
        assert_eq!(bits("-i", 0x90), 0x80);
        assert_eq!(bits("=a", 0x90), 0x20);
        assert_eq!(bits("a", 0x90), 0x20);
    }

    #[test]
    fn bits_are_told_as_letters() {
        assert_eq!(letters(0x8_0090), "iA");
        assert_eq!(letters(0x8_0000), "");
    }

    #[test]
    fn extents_stay_as_they_are() {
        let bits = Attributes::parse("=ie").unwrap().apply(0x8_0000);
        assert_eq!(bits, 0x8_0010);
    }

    #[test]
    fn a_letter_that_is_none_is_named() {
        let failure = Attributes::parse("+iz").unwrap_err();
        assert_eq!(failure.msg, "`z` in `+iz` is no file attribute");
    }
}
