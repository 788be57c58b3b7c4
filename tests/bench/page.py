"""Writes docs/benchmarks.md and its plots from the figures that are kept."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import aims
import tools

HERE = Path(__file__).resolve().parent
LIMITS = ("ssh", "scp", "scp -C", "scp -r")


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 1e6
    return f"{os.cpu_count()} cores ({model.group(1) if model else os.uname().machine}), {memory:.0f} GB, Linux {os.uname().release}"


def names(row, case):
    return [*tools.TOOLS, case.limit]


def cells(results, row, case, tool):
    figure = results.get(row.key, case.key, tool)
    if not figure.runs:
        return [f"> {figure.late:.0f}" if figure.late else "-", aims.shown(aims.ratio(results, row.key, case.key, tool)), "", "", "", "", "0"]
    run = figure.middle
    return [
        f"{run['seconds']:.2f}",
        aims.shown(aims.ratio(results, row.key, case.key, tool)),
        f"{run['cpu']:.2f}",
        f"{run['memory'] / 1e6:.1f}",
        f"{run['sent'] / 1e6:.2f}",
        f"{run['received'] / 1e6:.2f}",
        str(len(figure.runs)),
    ]


def table(row, results):
    yield "| | tool | seconds | x rplay | CPU s | memory MB | sent MB | received MB | runs |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    reasons = {}
    for case in row.cases:
        for tool in names(row, case):
            figure = results.get(row.key, case.key, tool)
            if not figure:
                continue
            if figure.reason:
                reasons.setdefault((tool, figure.reason), []).append(case.title)
            told = f"*{tool}*" if tool in LIMITS else tool
            yield f"| {case.title} | {told} | {' | '.join(cells(results, row, case, tool))} |"
    yield ""
    for (tool, reason), cases in reasons.items():
        yield f"- {tool} was not measured ({', '.join(cases)}): {reason}."


def summary(rows, results):
    yield f"| | rplay, s | {' | '.join(f'{tool}, x' for tool in aims.PEERS)} | the limit, s |"
    yield f"|---|---:|{'---:|' * len(aims.PEERS)}---:|"
    for row in rows:
        for case in row.cases:
            ours, limit = results.get(row.key, case.key, "rplay"), results.get(row.key, case.key, case.limit)
            if not ours or not ours.runs:
                continue
            ratios = [aims.shown(aims.ratio(results, row.key, case.key, tool)) for tool in aims.PEERS]
            least = f"{limit.seconds:.2f} ({case.limit})" if limit and limit.runs else ""
            yield f"| ({row.key}) {row.title}: {case.title} | {ours.seconds:.2f} | {' | '.join(ratios)} | {least} |"


def short(rows, results):
    """Each aim, then what falls short with what was found of it."""
    found = tomllib.loads((HERE / "findings.toml").read_text())
    every = aims.all_of(rows, results)
    yield "## Aims"
    yield ""
    yield "| row | aim | found | met |"
    yield "|---|---|---:|---|"
    for aim in every:
        yield f"| {aim.row} | {aim.said} | {aim.found} | {'yes' if aim.met else '**no**'} |"
    yield ""
    yield "## What falls short, and why"
    yield ""
    missed = [row for row in rows if any(aim.row == row.key and not aim.met for aim in every)]
    for row in missed:
        yield f"- **({row.key}) {row.title}**: {found.get(row.key, 'no explanation was found yet.').strip()}"
    if not missed:
        yield "Nothing."
    yield ""


def runs_of(rows, results):
    return [
        about for row in rows for case in row.cases for tool in names(row, case)
        if (about := results.about(row.key, case.key, tool)) and (about["runs"] or about["late"])
    ]


def provenance(rows, results):
    seen = runs_of(rows, results)
    ours = [results.about(row.key, case.key, "rplay") for row in rows for case in row.cases]
    commits = sorted({about["commit"] for about in ours if about and about["runs"]})
    dates = sorted(about["date"] for about in seen)
    loads = [run["load"] for about in seen for run in about["runs"] if "load" in run]
    yield f"- Machine: {machine()}. Controller and hosts share it, so that a tool waits for what it makes its hosts do."
    yield f"- Peers: {tools.versions()}; {tools.ANSIBLE_FORKS} forks (ansible's default is 5)."
    yield f"- rplay of commit {', '.join(commits) or '?'}; measured {dates[0]} to {dates[-1]} UTC." if dates else "- Nothing was measured yet."
    if loads:
        yield (
            f"- Load of the machine (the last minute's) when runs began: median {sorted(loads)[len(loads) // 2]:.1f}, at most "
            f"{max(loads):.1f}; it counts the run before, and other work on the machine."
        )


HEAD = """# Benchmarks

Written by `tests/bench/run --write`; do not edit. The same work with each tool, one after the other, on
the hosts of the lab (`tests/lab`): real sshd, real systemd. Each figure is the run of the median time; how
many runs were counted is in the last column; slow runs were not repeated. What a run did is looked at on
the hosts before its time counts.

CPU and memory are the controller's: all processes of the tool there, memory as the largest sum seen of
what each holds (PSS). Bytes are those of the controller's interface. *Italics* are the least that the work
can cost: `ssh HOST true` to all hosts at once, or `scp` of the same files. `> N` is a run that was ended
after N seconds: its ratio is a lower bound, not an estimate. What hot code costs is in
[scale.md](scale.md)."""


def lines(rows, results):
    yield from HEAD.split("\n")
    yield ""
    yield from provenance(rows, results)
    yield from ["", "![How many times rplay's time each tool takes](bench/ratios.svg)", ""]
    yield from summary(rows, results)
    yield from ["", "![Time by number of hosts](bench/hosts.svg)", ""]
    yield from short(rows, results)
    for row in rows:
        if row.key in results.kept:
            yield from [f"## ({row.key}) {row.title}", "", row.about, ""]
            yield from table(row, results)
            yield ""
    # Counted by another program, on hosts that are not there.
    yield from (HERE / "simulated.md").read_text().rstrip().split("\n")


def plots(rows, results, folder):
    """matplotlib is in a venv of its own: the figures go to it as JSON."""
    ratios = [
        {"title": f"({row.key}) {row.title}: {case.title}", **{tool: aims.ratio(results, row.key, case.key, tool) for tool in aims.PEERS}}
        for row in rows for case in row.cases if row.key != "h" or case.key in ("10", "30")
    ]
    many = next(row for row in rows if row.key == "h")
    times = {
        tool: [
            (case.hosts, figure.seconds) for case in many.cases
            if (figure := results.get("h", case.key, tool)) and figure.runs
        ]
        for tool in (*tools.TOOLS, "ssh")
    }
    folder.mkdir(parents=True, exist_ok=True)
    given = json.dumps({"ratios": [one for one in ratios if any(one[tool] for tool in aims.PEERS)], "times": times})
    subprocess.run([tools.CACHE / tools.PLOT / "bin/python", HERE / "plot.py", folder], input=given, text=True, check=True)


def write(rows, results, docs):
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines(rows, results))).rstrip() + "\n"
    (docs / "benchmarks.md").write_text(text)
    plots(rows, results, docs / "bench")
    print(f"wrote {docs / 'benchmarks.md'} ({time.strftime('%H:%M')})", file=sys.stderr)
