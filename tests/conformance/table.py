"""The published table: what was run, what held, and why something was left out."""

import tomllib
from dataclasses import dataclass

import suite


@dataclass
class Expected:
    """What this repository says about targets by name (expected.toml)."""

    gate: list
    fast: list
    left_out: dict
    known: dict

    @classmethod
    def read(cls, path):
        said = tomllib.loads(path.read_text())
        left_out = {name: reason for reason, names in said["left_out"].items() for name in names}
        return cls(said["gate"], said["fast"], left_out, said["known_failures"])


class Table:
    def __init__(self, names, results, expected):
        self.expected = expected
        self.rows = [(name, results.get("ansible", name), results.get("rplay", name)) for name in sorted(set(names))]

    def counted(self):
        """Targets that count: those that ansible-core itself passes here."""
        return [row for row in self.rows if row[1] and row[1].code == 0 and row[2]]

    def passed(self):
        return [row for row in self.counted() if row[2].code == 0]

    def surprises(self):
        return [row for row in self.counted() if row[2].code != 0 and row[0] not in self.expected.known]

    def summary(self):
        lines = [f"{len(self.passed())} of {len(self.counted())} targets that ansible-core {suite.VERSION} passes here"]
        lines += [f"fails: {row[0]}" for row in self.counted() if row[2].code != 0]
        return "\n".join(lines)

    def reason(self, name, ansible, rplay):
        if name in self.expected.left_out:
            return self.expected.left_out[name]
        if ansible and ansible.code != 0:
            return "ansible-core itself does not pass it in the lab"
        if rplay and rplay.code != 0:
            return self.expected.known.get(name, "")
        return ""

    def figure(self):
        held = sum(row[2].held for row in self.counted())
        of = sum(row[1].held for row in self.counted())
        return (
            f"**{len(self.passed())} of {len(self.counted())} targets pass.** Assertions whose success was printed: "
            f"{held} with rplay, {of} with ansible-core"
        )

    def lines(self):
        yield "| target | ansible-core | rplay | held (ansible-core) | held (rplay) | remark |"
        yield "| --- | --- | --- | ---: | ---: | --- |"
        for name, ansible, rplay in self.rows:
            cells = [result.status if result else "-" for result in (ansible, rplay)]
            held = [str(result.held) if result else "-" for result in (ansible, rplay)]
            yield f"| {name} | {' | '.join(cells + held)} | {self.reason(name, ansible, rplay)} |"


def page(local, ssh):
    """The page: the suite on the host itself, and the same over SSH, what is left out told once."""
    ssh.rows = [row for row in ssh.rows if row[1] or row[2]]
    lines = [
        "# Ansible's own test suite",
        "",
        "Written by `tests/conformance/run --write`; do not edit. Real ansible-core "
        f"{suite.VERSION} runs each target first, on the same lab hosts; what it fails there does not count. rplay "
        "needs no Python; where a target brings modules or plugins in Python, it finds Ansible's "
        "library on the host that it runs on, as beside an installed ansible-core (decisions/0011).",
        "",
        f"{local.figure()} (a target that stops early prints fewer; what a target sends elsewhere than to the "
        "terminal is not counted).",
        "",
        *local.lines(),
    ]
    if ssh.rows:
        lines += ["", "## Over SSH to a second host", "", f"{ssh.figure()}.", "", *ssh.lines()]
    return "\n".join(lines) + "\n"
