//! Addresses of network cards.

use minijinja::{Error, State, Value};

use super::net::Net;
use crate::call::{Args, Out};
use crate::python::{text, wrong};

/// A card's address: 48 bits, or 64.
#[derive(Clone, Copy)]
struct Card {
    number: u64,
    is_long: bool,
}

impl Card {
    /// In any of the forms that it is written in: `1a:2b:3c:4d:5e:6f`, with `-`, `1a2b.3c4d.5e6f`,
    /// `1a2b3c:4d5e6f`, `1a2b3c4d5e6f`; or its number.
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split([':', '-', '.']).collect();
        let one_sign = |sign: char| text.chars().all(|c| c == sign || c.is_ascii_hexdigit());
        if ![':', '-', '.'].into_iter().any(one_sign) || words.iter().any(|word| word.is_empty()) {
            return None;
        }
        let width = match words.len() {
            8 | 6 => 2,
            4 | 3 => 4,
            2 => 6,
            1 if text.len() == 12 || text.len() == 16 => text.len(),
            1 => return Self::of_number(text.parse().ok()?),
            _ => return None,
        };
        if words.iter().any(|word| word.len() > width) {
            return None;
        }
        let digits: String = words
            .iter()
            .map(|word| format!("{word:0>width$}"))
            .collect();
        let number = u64::from_str_radix(&digits, 16).ok()?;
        Some(Self {
            number,
            is_long: digits.len() == 16,
        })
    }

    fn of_number(number: u64) -> Option<Self> {
        (number < 1 << 48).then_some(Self {
            number,
            is_long: false,
        })
    }

    /// Its digits in groups.
    fn grouped(self, width: usize, sign: &str) -> String {
        let digits = format!("{:012x}", self.number);
        let groups: Vec<&str> = (0..digits.len())
            .step_by(width)
            .map(|at| &digits[at..at + width])
            .collect();
        groups.join(sign)
    }
}

pub(super) fn hwaddr(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let filter = if args.name() == "macaddr" {
        "macaddr"
    } else {
        "hwaddr"
    };
    let query = args.opt_text(1)?.unwrap_or_default();
    let shown = match value.is_none() {
        true => String::new(),
        false => text(value)?,
    };
    let card = match value.is_integer() {
        true => u64::try_from(value.clone()).ok().and_then(Card::of_number),
        false => value.as_str().and_then(Card::parse),
    };
    let Some(card) = card else {
        return match query.as_str() {
            "" | "bool" => Ok(Value::from(())),
            _ => Err(wrong(format!("{filter}: not a hardware address: {shown}"))),
        };
    };
    formed(card, &shown, &query, filter)
}

fn formed(card: Card, shown: &str, query: &str, filter: &str) -> Out {
    Ok(match query {
        "" => shown.into(),
        "bool" => true.into(),
        "int" => Value::from(card.number),
        "bare" | "cisco" | "eui48" | "win" | "linux" | "unix" | "pgsql" | "postgresql" | "psql"
            if card.is_long =>
        {
            return Err(too_long(card));
        }
        "bare" => card.grouped(12, "").to_uppercase().into(),
        "cisco" => card.grouped(4, ".").into(),
        "eui48" | "win" => card.grouped(2, "-").to_uppercase().into(),
        "linux" => card.grouped(2, ":").into(),
        "unix" => {
            let bytes = card.number.to_be_bytes();
            let bytes: Vec<String> = bytes[2..].iter().map(|byte| format!("{byte:x}")).collect();
            bytes.join(":").into()
        }
        "pgsql" | "postgresql" | "psql" => card.grouped(6, ":").into(),
        _ => return Err(wrong(format!("{filter}: unknown filter type: {query}"))),
    })
}

fn too_long(card: Card) -> Error {
    wrong(format!("integer out of bounds: '{:#x}'!", card.number))
}

/// The address that a card gives itself in a network of IPv6.
pub(super) fn slaac(_: &mut State<'_, '_>, args: &Args) -> Out {
    let net = args
        .req(0)?
        .as_str()
        .and_then(Net::parse)
        .filter(|net| net.v6);
    let card = args
        .some(1)
        .and_then(Value::as_str)
        .and_then(Card::parse)
        .filter(|card| !card.is_long);
    Ok(match net.zip(card) {
        Some((net, card)) => {
            let (maker, rest) = (card.number >> 24, card.number & 0xff_ffff);
            let id = (maker << 40 | 0xff_fe00_0000 | rest) ^ (1 << 57);
            net.shown(net.first() | u128::from(id)).into()
        }
        None => false.into(),
    })
}
