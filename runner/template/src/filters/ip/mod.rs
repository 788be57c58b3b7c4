//! Addresses of networks: the filters of the collection `ansible.utils`, under their names there and
//! their short ones of old.
//!
//! Each answers as the collection does (tests/ip.txt has what that was seen to answer), also where that
//! is odd: what is no address gives `false`, what has no answer gives nothing. Where the collection takes
//! what is no address for 0.0.0.0, or an address of IPv6 for one of IPv4, it is not followed.

mod hardware;
mod net;
mod query;
mod subnets;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use net::Net;
use query::{Asked, number};

use crate::call::{Args, Callable, Out, strict};
use crate::python::{named, text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["ipaddr", "ansible.utils.ipaddr", "ansible.netcommon.ipaddr"],
        &["value", "query", "version", "alias"],
        |_, a| {
            let version = a.some(2).and_then(number);
            ipaddr(a, version.map(|version| version == 6))
        },
    ),
    strict(
        &["ipv4", "ansible.utils.ipv4", "ansible.netcommon.ipv4"],
        &["value", "query"],
        |_, a| ipaddr(a, Some(false)),
    ),
    strict(
        &["ipv6", "ansible.utils.ipv6", "ansible.netcommon.ipv6"],
        &["value", "query"],
        |_, a| ipaddr(a, Some(true)),
    ),
    strict(
        &["ipwrap", "ansible.utils.ipwrap", "ansible.netcommon.ipwrap"],
        &["value", "query"],
        |_, a| ipwrap(a.req(0)?),
    ),
    strict(
        &[
            "ipsubnet",
            "ansible.utils.ipsubnet",
            "ansible.netcommon.ipsubnet",
        ],
        &["value", "query", "index"],
        subnets::ipsubnet,
    ),
    strict(
        &[
            "nthhost",
            "ansible.utils.nthhost",
            "ansible.netcommon.nthhost",
        ],
        &["value", "query"],
        nthhost,
    ),
    strict(
        &["ipmath", "ansible.utils.ipmath", "ansible.netcommon.ipmath"],
        &["value", "amount"],
        ipmath,
    ),
    strict(
        &[
            "next_nth_usable",
            "ansible.utils.next_nth_usable",
            "ansible.netcommon.next_nth_usable",
        ],
        &["value", "offset"],
        |_, a| nth_usable(a, 1),
    ),
    strict(
        &[
            "previous_nth_usable",
            "ansible.utils.previous_nth_usable",
            "ansible.netcommon.previous_nth_usable",
        ],
        &["value", "offset"],
        |_, a| nth_usable(a, -1),
    ),
    strict(
        &[
            "network_in_usable",
            "ansible.utils.network_in_usable",
            "ansible.netcommon.network_in_usable",
        ],
        &["value", "test"],
        |_, a| {
            Ok(pair(a)?
                .is_some_and(|(net, test)| within_usable(net, test))
                .into())
        },
    ),
    strict(
        &[
            "network_in_network",
            "ansible.utils.network_in_network",
            "ansible.netcommon.network_in_network",
        ],
        &["value", "test"],
        |_, a| Ok(pair(a)?.is_some_and(|(net, test)| net.holds(test)).into()),
    ),
    strict(
        &[
            "reduce_on_network",
            "ansible.utils.reduce_on_network",
            "ansible.netcommon.reduce_on_network",
        ],
        &["value", "network"],
        reduce_on_network,
    ),
    strict(
        &[
            "cidr_merge",
            "ansible.utils.cidr_merge",
            "ansible.netcommon.cidr_merge",
        ],
        &["value", "action"],
        subnets::cidr_merge,
    ),
    strict(
        &["usable_range", "ansible.utils.usable_range"],
        &["ip"],
        subnets::usable_range,
    ),
    strict(
        &[
            "ip4_hex",
            "ansible.utils.ip4_hex",
            "ansible.netcommon.ip4_hex",
        ],
        &["arg", "delimiter"],
        ip4_hex,
    ),
    strict(
        &["hwaddr", "ansible.utils.hwaddr", "ansible.netcommon.hwaddr"],
        &["value", "query", "alias"],
        hardware::hwaddr,
    ),
    strict(
        &[
            "macaddr",
            "ansible.utils.macaddr",
            "ansible.netcommon.macaddr",
        ],
        &["value", "query"],
        hardware::hwaddr,
    ),
    strict(
        &["slaac", "ansible.utils.slaac", "ansible.netcommon.slaac"],
        &["value", "query"],
        hardware::slaac,
    ),
];

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// What was asked about; nothing where it is no address.
fn asked(value: &Value, v6: Option<bool>) -> Option<Asked> {
    let written = match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_integer() => value.to_string(),
        None => return None,
    };
    if !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit()) {
        let number: u128 = written.parse().ok()?;
        let mut net = Net::of_number(number);
        if v6 == Some(true) && !net.v6 {
            net = Net {
                v6: true,
                prefix: 128,
                ..net
            };
        }
        let written = net.cidr();
        return Some(Asked {
            net,
            with_prefix: false,
            written,
        })
        .filter(|asked| v6.is_none_or(|v6| v6 == asked.net.v6));
    }
    let net = Net::parse(&written).filter(|net| v6.is_none_or(|v6| v6 == net.v6))?;
    Some(Asked {
        net,
        with_prefix: written.contains('/'),
        written,
    })
}

/// The addresses that answer a query, of one kind where that is said.
fn ipaddr(args: &Args, v6: Option<bool>) -> Out {
    let query = args.some(1).cloned().unwrap_or_else(|| "".into());
    answered(args.req(0)?, &query, v6, args.name())
}

fn answered(value: &Value, query: &Value, v6: Option<bool>, filter: &str) -> Out {
    if is_list(value) {
        // What has no answer is left out.
        let of_item = |item: Value| match item.is_none() {
            true => Ok(item),
            false => answered(&item, query, v6, filter),
        };
        let all = value
            .try_iter()?
            .map(of_item)
            .collect::<Result<Vec<_>, Error>>()?;
        return Ok(all
            .into_iter()
            .filter(Value::is_true)
            .collect::<Vec<_>>()
            .into());
    }
    if matches!(value.kind(), ValueKind::Bool) {
        return Ok(false.into());
    }
    if value.as_str().is_none() && !value.is_integer() {
        return Err(wrong(format!(
            "`{filter}` takes an address, not {}",
            named(value)
        )));
    }
    match asked(value, v6) {
        Some(asked) => asked.answer(query),
        None => Ok(false.into()),
    }
}

/// Addresses of IPv6 in brackets, all else as it is.
fn ipwrap(value: &Value) -> Out {
    if is_list(value) {
        let wrapped = value.try_iter()?.map(|item| {
            if item.is_none() {
                Ok(item)
            } else {
                ipwrap(&item)
            }
        });
        return Ok(wrapped.collect::<Result<Vec<_>, Error>>()?.into());
    }
    if matches!(value.kind(), ValueKind::Bool) {
        return Ok(value.clone());
    }
    let Some(text) = value.as_str() else {
        return Err(wrong(format!(
            "`ipwrap` takes an address, not {}",
            named(value)
        )));
    };
    let Some(Asked {
        net, with_prefix, ..
    }) = asked(value, None)
    else {
        return Ok(text.into());
    };
    let address = if net.v6 {
        format!("[{}]", net.address())
    } else {
        net.address()
    };
    Ok(match with_prefix {
        true => format!("{address}/{}", net.prefix).into(),
        false => address.into(),
    })
}

fn nthhost(_: &mut State<'_, '_>, args: &Args) -> Out {
    let at = args.opt(1).map_or(Some(0), number);
    let asked = asked(args.req(0)?, None);
    Ok(
        match asked
            .zip(at)
            .and_then(|(asked, at)| Some((asked.net, asked.net.nth(at)?)))
        {
            Some((net, ip)) => net.shown(ip).into(),
            None => false.into(),
        },
    )
}

fn no_address(value: &Value) -> Error {
    let shown = text(value).unwrap_or_default();
    wrong(format!(
        "You must pass a valid IP address; {shown} is invalid"
    ))
}

fn ipmath(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let net = value
        .as_str()
        .and_then(Net::parse)
        .ok_or_else(|| no_address(value))?;
    let by =
        number(args.req(1)?).ok_or_else(|| wrong("You must pass an integer for arithmetic"))?;
    let moved = net
        .moved(by)
        .ok_or_else(|| wrong(format!("there is no address {by} from {}", net.address())))?;
    Ok(net.shown(moved).into())
}

fn nth_usable(args: &Args, sign: i128) -> Out {
    let offset = number(args.req(1)?).ok_or_else(|| wrong("Must pass in an integer"))?;
    let Some(asked) = asked(args.req(0)?, None) else {
        return Ok(false.into());
    };
    let net = asked.net;
    let found = net.moved(sign * offset).filter(|ip| net.is_usable(*ip));
    Ok(found.map_or_else(|| Value::from(()), |ip| net.shown(ip).into()))
}

/// A network and what may be in it.
fn pair(args: &Args) -> Result<Option<(Net, Net)>, Error> {
    let (net, test) = (asked(args.req(0)?, None), asked(args.req(1)?, None));
    Ok(net.zip(test).map(|(net, test)| (net.net, test.net)))
}

fn within_usable(net: Net, test: Net) -> bool {
    let is_usable = |ip| net.is_usable(ip) || (net.is_single() && ip == net.ip);
    net.v6 == test.v6 && is_usable(test.first()) && is_usable(test.last())
}

fn reduce_on_network(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (value, network) = (args.req(0)?, args.req(1)?);
    let all = if is_list(value) {
        value.try_iter()?.collect()
    } else {
        vec![value.clone()]
    };
    let network = asked(network, None);
    let is_in = |item: &Value| match (asked(item, None), &network) {
        (Some(item), Some(network)) => network.net.holds(item.net),
        _ => false,
    };
    Ok(all.into_iter().filter(is_in).collect::<Vec<_>>().into())
}

fn ip4_hex(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let net = value
        .as_str()
        .and_then(Net::parse)
        .filter(|net| !net.v6 && net.is_single());
    let net = net.ok_or_else(|| no_address(value))?;
    let ip = u32::try_from(net.ip).unwrap_or_default();
    let parts: Vec<String> = ip
        .to_be_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(parts.join(&args.opt_text(1)?.unwrap_or_default()).into())
}

#[cfg(test)]
mod tests;
