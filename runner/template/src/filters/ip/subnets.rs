//! Networks in networks.

use minijinja::{Error, State, Value};

use super::net::Net;
use super::query::number;
use super::{asked, is_list};
use crate::call::{Args, Out};
use crate::python::{text, wrong};

/// Addresses that a list of hosts may have here: what has more is no list that anybody wants.
const MOST_HOSTS: u128 = 1 << 20;

/// The network of an address; with a prefix how many networks of that there are in it, with a number too
/// that one of them; with a network the place that it has in that.
pub(super) fn ipsubnet(_: &mut State<'_, '_>, args: &Args) -> Out {
    let at = match args.some(2) {
        Some(at) => {
            Some(number(at).ok_or_else(|| wrong("`ipsubnet` takes an integer as its index"))?)
        }
        None => None,
    };
    let Some(asked) = asked(args.req(0)?, None) else {
        return Ok(false.into());
    };
    let own = asked.net.network();
    let query = args.some(1).cloned().unwrap_or_else(|| "".into());
    if query.as_str() == Some("") {
        return Ok(own.cidr().into());
    }
    let Some(prefix) = number(&query) else {
        let within = query.as_str().and_then(Net::parse);
        return within.map_or(Ok(false.into()), |within| place(own, within));
    };
    let Some(prefix) = u8::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= own.bits())
    else {
        return Ok(false.into());
    };
    match (asked.with_prefix && !own.is_single(), at) {
        (false, at) => above(own, prefix, at),
        (true, Some(at)) => below(own, prefix, at),
        (true, None) if prefix < own.prefix => Err(wrong(format!(
            "Requested subnet size of {prefix} is invalid"
        ))),
        (true, None) => Ok(count(own, prefix)
            .map_or_else(String::new, |n| n.to_string())
            .into()),
    }
}

/// How many networks of a prefix are in one.
fn count(net: Net, prefix: u8) -> Option<u128> {
    1_u128.checked_shl((prefix - net.prefix).into())
}

/// The network of that prefix that an address is in, or one between both.
fn above(own: Net, prefix: u8, at: Option<i128>) -> Out {
    let levels = i128::from(own.bits() - prefix);
    let at = match at.unwrap_or(0) {
        at if at < 0 => levels + at,
        at => at,
    };
    match u8::try_from(at) {
        Ok(step) if at < levels => Ok(Net {
            prefix: prefix + step,
            ..own
        }
        .network()
        .cidr()
        .into()),
        _ => Err(wrong(format!(
            "`ipsubnet` has no network number {at} there"
        ))),
    }
}

/// One of the networks in a network.
fn below(own: Net, prefix: u8, at: i128) -> Out {
    let whole = Net { prefix, ..own };
    if prefix < own.prefix {
        // There is one, which is larger than what it is in.
        return Ok(if at == 0 {
            whole.cidr().into()
        } else {
            false.into()
        });
    }
    let size = whole.host_mask().saturating_add(1);
    let from_end = count(own, prefix).and_then(|count| count.checked_add_signed(at));
    let at = if at < 0 {
        from_end
    } else {
        u128::try_from(at).ok()
    };
    let first = at.and_then(|at| at.checked_mul(size)?.checked_add(own.first()));
    let found = first
        .map(|ip| Net { ip, ..whole })
        .filter(|net| own.holds(*net));
    Ok(found.map_or_else(|| false.into(), |net| net.cidr().into()))
}

/// The place of a network among those of its size, counted from one.
fn place(own: Net, within: Net) -> Out {
    if !within.holds(own) {
        let words = format!(
            "{} is not in the subnet {}",
            own.cidr(),
            within.network().cidr()
        );
        return Err(wrong(words));
    }
    let steps = (own.first() - within.first()) >> (own.bits() - own.prefix).min(127);
    Ok((steps + 1).to_string().into())
}

fn nets(value: &Value) -> Result<Vec<Net>, Error> {
    let all = if is_list(value) {
        value.try_iter()?.collect()
    } else {
        vec![value.clone()]
    };
    let net = |item: &Value| {
        let found = item.as_str().and_then(Net::parse);
        found.ok_or_else(|| {
            wrong(format!(
                "cidr_merge: `{}` is no network",
                text(item).unwrap_or_default()
            ))
        })
    };
    all.iter().map(net).collect()
}

/// As few networks as hold the same addresses, or the smallest that holds all of them.
pub(super) fn cidr_merge(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut all = nets(args.req(0)?)?;
    match args.opt_text(1)?.as_deref() {
        None | Some("merge") => {
            if let [one] = all.as_slice() {
                return Ok(vec![one.cidr()].into());
            }
            Ok(merged(all)
                .into_iter()
                .map(Net::cidr)
                .collect::<Vec<_>>()
                .into())
        }
        Some("span") => {
            all.sort_by_key(|net| net.first());
            let (Some(first), Some(last)) = (all.first(), all.iter().map(|net| net.last()).max())
            else {
                return Ok(Value::from(()));
            };
            if all.iter().any(|net| net.v6 != first.v6) {
                return Err(wrong(
                    "cidr_merge: addresses of IPv4 and of IPv6 span no network",
                ));
            }
            if all.len() == 1 {
                return Ok(first.cidr().into());
            }
            let spans = |prefix: &u8| {
                Net {
                    prefix: *prefix,
                    ..*first
                }
                .last()
                    >= last
            };
            let prefix = (0..=first.prefix).rev().find(spans).unwrap_or(0);
            Ok(Net { prefix, ..*first }.network().cidr().into())
        }
        Some(other) => Err(wrong(format!("cidr_merge: invalid action '{other}'"))),
    }
}

fn merged(mut all: Vec<Net>) -> Vec<Net> {
    for net in &mut all {
        *net = net.network();
    }
    all.sort_by_key(|net| (net.v6, net.ip, net.prefix));
    let mut kept: Vec<Net> = vec![];
    for net in all {
        if kept.last().is_some_and(|last| last.holds(net)) {
            continue;
        }
        kept.push(net);
        // Two halves are one whole.
        while let [.., a, b] = kept.as_slice() {
            let whole = Net {
                prefix: a.prefix.saturating_sub(1),
                ..*a
            };
            let are_halves = a.v6 == b.v6
                && a.prefix == b.prefix
                && a.prefix > 0
                && whole.is_aligned()
                && whole.last() == b.last();
            if !are_halves {
                break;
            }
            kept.truncate(kept.len() - 2);
            kept.push(whole);
        }
    }
    kept
}

impl Net {
    /// Whether its address is the first of its network.
    fn is_aligned(self) -> bool {
        self.ip == self.first()
    }
}

/// All addresses of a network.
pub(super) fn usable_range(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let shown = || text(value).unwrap_or_default();
    let net = value.as_str().and_then(Net::parse);
    let net = net.ok_or_else(|| {
        wrong(format!(
            "'{}' does not appear to be an IPv4 or IPv6 network",
            shown()
        ))
    })?;
    if !net.is_aligned() {
        return Err(wrong(format!("{} has host bits set", shown())));
    }
    let count = net
        .host_mask()
        .checked_add(1)
        .filter(|count| *count <= MOST_HOSTS);
    let count =
        count.ok_or_else(|| wrong(format!("{} has more addresses than can be listed", shown())))?;
    let hosts = (net.first()..=net.last()).map(|ip| Value::from(net.shown(ip)));
    Ok(Value::from_pairs([
        ("usable_ips", Value::from(hosts.collect::<Vec<_>>())),
        ("number_of_ips", Value::from(count)),
    ]))
}
