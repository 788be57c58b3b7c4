"""What rplay is to reach, and whether the figures that are kept show it."""

from dataclasses import dataclass

PEERS = ("ansible", "ansible-pipelining", "mitogen", "pyinfra")
# Cost per host is flat when at 300 it is at most so much more than at 10.
FLAT = 1.25


@dataclass
class Aim:
    row: str
    said: str
    found: str
    met: bool


def ratio(results, row, case, tool):
    """How many times rplay's time a tool takes, and whether it took longer than it was given."""
    ours = results.get(row, case, "rplay")
    theirs = results.get(row, case, tool)
    if not ours or not theirs or not ours.runs:
        return None
    if theirs.late:
        return theirs.late / ours.seconds, True
    return (theirs.seconds / ours.seconds, False) if theirs.runs else None


def shown(pair):
    return "" if pair is None else f"{'> ' * pair[1]}{pair[0]:.{1 if pair[0] < 100 else 0}f}"


def against_peers(rows, results):
    for row in rows:
        for case in row.cases:
            tools = {"ansible": row.aim} | ({"mitogen": 10, "pyinfra": 10} if row.key == "a" else {})
            for tool, aim in tools.items():
                pair = ratio(results, row.key, case.key, tool)
                if pair:
                    yield Aim(row.key, f"{row.title}, {case.title}: {aim} x faster than {tool}", f"{shown(pair)} x", pair[0] >= aim)


def against_limits(results):
    if pair := ratio(results, "a", "again", "ssh"):
        yield Aim("a", "31 tasks with nothing to do: at most 2 x the bare connections", f"{1 / pair[0]:.2f} x", pair[0] >= 0.5)
    for case, title in (("first", "copied"), ("download", "downloaded")):
        if pair := ratio(results, "e", case, "scp"):
            yield Aim("e", f"200 MB {title}: at least 0.9 of scp's rate", f"{pair[0]:.2f} of it", pair[0] >= 0.9)


def by_hosts(results):
    seen = {n: results.get("h", str(n), "rplay") for n in (1, 10, 300)}
    if not all(figure and figure.runs for figure in seen.values()):
        return
    a_host = (seen[300].middle["memory"] - seen[1].middle["memory"]) / 299
    yield Aim("h", "memory of the controller: under 1 MB a host", f"{a_host / 1e6:.2f} MB", a_host < 1e6)
    few, many = seen[10].seconds / 10, seen[300].seconds / 300
    found = f"{few * 1000:.1f} ms a host at 10, {many * 1000:.1f} ms at 300"
    yield Aim("h", f"time per host flat from 10 to 300 hosts (at most {FLAT} x)", found, many <= FLAT * few)


def all_of(rows, results):
    return [*against_limits(results), *by_hosts(results), *against_peers(rows, results)]
