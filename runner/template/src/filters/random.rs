//! Chance, with Python's numbers where a seed is given: `random(seed=inventory_hostname)` gives
//! every host what Ansible gives it.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use sha2::{Digest, Sha512};

use crate::call::{Args, Callable, Out, items, strict};
use crate::python::{text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["random"], &["end", "start", "step", "seed"], random),
    strict(&["shuffle"], &["value", "seed"], shuffle),
    strict(&["random_mac"], &["value", "seed"], random_mac),
];

const N: usize = 624;
const M: usize = 397;

/// The Mersenne Twister, as Python's `random.Random`.
pub(crate) struct Twister {
    state: [u32; N],
    at: usize,
}

impl Twister {
    /// Seeded by a value, or by chance.
    pub(crate) fn new(seed: Option<&Value>) -> Result<Self, Error> {
        let key = match seed {
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes)
                    .map_err(|e| wrong(format!("no random numbers: {e}")))?;
                words(&bytes)
            }
            Some(value) => match (value.kind(), i128::try_from(value.clone())) {
                (ValueKind::Number, Ok(number)) => words(&number.unsigned_abs().to_le_bytes()),
                _ => {
                    let text = text(value)?;
                    let digest = Sha512::digest(text.as_bytes());
                    let mut bytes: Vec<u8> = text.bytes().chain(digest).collect();
                    bytes.reverse();
                    words(&bytes)
                }
            },
        };
        Ok(Self::of_key(&key))
    }

    fn of_number(seed: u32) -> Self {
        let mut state = [0; N];
        state[0] = seed;
        for i in 1..N {
            let before: u32 = state[i - 1] ^ (state[i - 1] >> 30);
            state[i] = before.wrapping_mul(1_812_433_253).wrapping_add(low(i));
        }
        Self { state, at: N }
    }

    fn of_key(key: &[u32]) -> Self {
        let mut rng = Self::of_number(19_650_218);
        let (mut i, mut j) = (1, 0);
        let advance = |state: &mut [u32; N], i: &mut usize| {
            *i += 1;
            if *i >= N {
                state[0] = state[N - 1];
                *i = 1;
            }
        };
        let mixed = |state: &[u32; N], i: usize| state[i - 1] ^ (state[i - 1] >> 30);
        for _ in 0..N.max(key.len()) {
            let before = mixed(&rng.state, i).wrapping_mul(1_664_525);
            rng.state[i] = (rng.state[i] ^ before)
                .wrapping_add(key[j])
                .wrapping_add(low(j));
            advance(&mut rng.state, &mut i);
            j = (j + 1) % key.len();
        }
        for _ in 1..N {
            let before = mixed(&rng.state, i).wrapping_mul(1_566_083_941);
            rng.state[i] = (rng.state[i] ^ before).wrapping_sub(low(i));
            advance(&mut rng.state, &mut i);
        }
        rng.state[0] = 0x8000_0000;
        rng
    }

    fn next(&mut self) -> u32 {
        if self.at >= N {
            for k in 0..N {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ odd;
            }
            self.at = 0;
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.next() >> (32 - count));
        }
        let low = u64::from(self.next());
        low | u64::from(self.next() >> (64 - count)) << 32
    }

    /// A number from 0 up to, and without, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let bits = u64::BITS - end.leading_zeros();
        loop {
            let number = self.bits(bits.max(1));
            if number < end {
                return number;
            }
        }
    }
}

/// The low 32 bits, which are all that counts.
#[allow(clippy::cast_possible_truncation)]
fn low(number: usize) -> u32 {
    number as u32
}

/// A number's words, the lowest first, without those that are 0 at the end.
fn words(little_endian: &[u8]) -> Vec<u32> {
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |n, b| n << 8 | u32::from(*b))
    };
    let mut words: Vec<u32> = little_endian.chunks(4).map(word).collect();
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    words
}

fn random(_: &mut State<'_, '_>, args: &Args) -> Out {
    let end = args.req(0)?;
    let mut rng = Twister::new(args.some(3))?;
    if end.kind() == ValueKind::Number {
        let (Some(end), start, step) = (
            end.as_i64(),
            args.int(1)?.unwrap_or(0),
            args.int(2)?.unwrap_or(1),
        ) else {
            return Err(wrong("`random` takes an integer or a list"));
        };
        if step <= 0 {
            return Err(wrong("the step of `random` is above 0"));
        }
        let count = u64::try_from((end - start + step - 1).div_euclid(step)).unwrap_or(0);
        if count == 0 {
            return Err(wrong(format!(
                "there is no number from {start} up to {end}"
            )));
        }
        let steps = i64::try_from(rng.below(count)).unwrap_or(0);
        return Ok((start + steps * step).into());
    }
    if args.some(1).is_some() || args.some(2).is_some() {
        return Err(wrong("start and step can only be used with integer values"));
    }
    let all = items(end);
    let all = all.map_err(|_| wrong("random can only be used on sequences and integers"))?;
    choice(&mut rng, &all)
}

/// One of the items.
pub(crate) fn choice(rng: &mut Twister, all: &[Value]) -> Out {
    if all.is_empty() {
        return Err(wrong("there is nothing to choose from: the list is empty"));
    }
    let at = rng.below(u64::try_from(all.len()).unwrap_or(u64::MAX));
    Ok(all[usize::try_from(at).unwrap_or(0)].clone())
}

fn shuffle(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut all = crate::call::items(args.req(0)?)?;
    let mut rng = Twister::new(args.some(1))?;
    for i in (1..all.len()).rev() {
        let j = rng.below(u64::try_from(i + 1).unwrap_or(u64::MAX));
        all.swap(i, usize::try_from(j).unwrap_or(0));
    }
    Ok(all.into())
}

fn random_mac(_: &mut State<'_, '_>, args: &Args) -> Out {
    let prefix = args.text(0)?.to_lowercase();
    let given = prefix.split(':').filter(|p| !p.is_empty()).count();
    if given == 0 || given > 5 {
        return Err(wrong(
            "`random_mac` takes the first one to five parts of an address",
        ));
    }
    let mut rng = Twister::new(args.some(1))?;
    let parts = (given..6).map(|_| format!("{:02x}", rng.below(256)));
    let all: Vec<String> = prefix
        .split(':')
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .chain(parts)
        .collect();
    Ok(all.join(":").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_pythons_numbers() {
        // `random.Random(5).randrange(10)` and `random.Random('x').randrange(1000)`.
        let mut five = Twister::new(Some(&Value::from(5))).unwrap();
        assert_eq!(five.below(10), 9);
    }
}
