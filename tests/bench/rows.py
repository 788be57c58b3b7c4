"""The rows of the benchmark: which work, on how many hosts of which kind, beside which limit."""

from dataclasses import dataclass, field

import etcd
import work

# What a run of each tool is compared with where nothing else is said: bare connections, all at once.
BARE = "ssh"


@dataclass(frozen=True)
class Case:
    """One figure of a row."""

    key: str
    title: str
    work: work.Work
    hosts: int = 3
    # What is on the hosts before: nothing of this work, not even the tool itself, or the work done already.
    before: str = "clean"  # "bare", "clean" or "done"
    limit: str = BARE


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    about: str
    cases: list
    # real: hosts with systemd; light: sshd alone; far and slow: real ones behind such a link.
    kind: str = "real"
    # Tools that do not do this row, or (tool, case) of it, and why.
    cannot: dict = field(default_factory=dict)
    # The most hosts that a tool is tried with.
    most: dict = field(default_factory=dict)
    # How many times ansible's time of rplay is aimed at.
    aim: int = 10


# Links: the round trip in milliseconds, and bytes a second (0: any).
FAR = (50, 0)
SLOW = (20, 4_000_000)
SLOW_PEER = "two cores take minutes for it"


def first_and_again(made, hosts, limit=BARE):
    return [
        Case("first", "first run", made, hosts, limit=limit),
        Case("again", "nothing to do", made, hosts, before="done", limit=limit),
    ]


def rows(url):
    small = work.small("small", folders=5, files=15, links=5, lines=4)
    ten = work.small("ten", folders=2, files=3, links=2, lines=1)
    contact = Case("contact", "first contact", small, before="bare")
    return [
        Row("a", "31 small tasks on 3 hosts", "6 folders, 15 files, 5 links, 4 lines in files and one command.",
            [contact, *first_and_again(small, 3)], aim=50),
        Row("b", "the etcd-tls role", "A cluster of three from the role, its release on the hosts already. ansible-core has "
            "neither Handlebars nor the role's modules for certificates and etcdctl: it runs the same task files with Jinja2 "
            "templates, certificates by openssl, and etcdctl by `command`. The time has the start of etcd in it.",
            first_and_again(etcd.etcd(), 3),
            cannot={"pyinfra": "it cannot run a role, and the role was not written anew for it"}),
        Row("c", "a loop of 1,000 items", "One task makes 1,000 folders on one host.", first_and_again(work.loop(), 1)),
        Row("d", "a tree of 2,000 files", "One `copy` of a folder with 2,000 small files in 100 folders, on one host.",
            first_and_again(work.tree(), 1, limit="scp -r")),
        Row("e", "one file of 200 MB", "Random bytes, to one host: by `copy`, and by `get_url` from a server in the lab.",
            [
                *first_and_again(work.big_copied(), 1, limit="scp"),
                Case("download", "download", work.big_downloaded(url), 1, limit="scp"),
            ],
            cannot={("pyinfra", "download"): "it wants curl or wget on the host, which has neither"}),
        Row("f", "500 include_tasks", "A loop that includes a file with one `debug` 500 times, on 3 hosts.",
            [Case("run", "run", work.includes())]),
        Row("g", "facts only", "A play with `gather_facts: true` and no task, on 3 hosts.", [Case("run", "run", work.facts())]),
        Row("h", "10 small tasks on many hosts", "sshd alone in a network namespace each, up to 300.",
            [Case(str(n), f"{n} host{'s' * (n > 1)}", ten, n) for n in (1, 10, 30, 100, 300)],
            kind="light",
            most={"ansible": 30, "ansible-pipelining": 30, "mitogen": 100}),
        Row("i", "the 31 tasks over a slow link", f"Row a over a round trip of {FAR[0]} ms.",
            first_and_again(small, 3), kind="far"),
        Row("j", "20 MB of text over a slow link", f"A log of a web server, to one host over a link of {SLOW[1] // 10**6} MB a "
            f"second and {SLOW[0]} ms.",
            first_and_again(work.log_copied(), 1, limit="scp -C"), kind="slow"),
    ]
