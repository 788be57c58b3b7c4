"""The same work for every tool: a playbook for rplay and ansible, and a deploy for pyinfra.

A playbook is written as JSON, which is YAML. What pyinfra has another word for is said at its place.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = "/srv/bench"
ITEMS = 1000
INCLUDES = 500
TREE_FOLDERS, TREE_FILES = 100, 2000
BIG = 200_000_000
LOG = 20_000_000
IMPORTS = "from io import StringIO\nfrom pyinfra import local\nfrom pyinfra.operations import files, python, server\n"


@dataclass(frozen=True)
class Work:
    """What is to be done, and a command on a host that shows that it was."""

    key: str
    play: dict | None  # None where `beside` writes the playbooks
    deploy: str  # pyinfra's operations; empty where the tool line says what to do
    proof: str = "true"
    proven: str = ""
    # The facts that pyinfra is asked for in place of a deploy.
    facts: tuple = ()
    beside: Callable[[Path], None] = lambda folder: None
    # What undoes it, on a host and of the files on the controller.
    reset: str = "true"
    forget: str = ""
    # Where ansible runs another playbook, its name; and what both are told.
    for_ansible: str = ""
    arguments: tuple = ("-i", "hosts.ini")

    def write(self, folder):
        self.beside(folder)
        if self.play is None:
            return
        play = {"hosts": "all", "gather_facts": False, **self.play}
        (folder / f"{self.key}.yml").write_text(json.dumps([play], indent=1) + "\n")
        (folder / f"{self.key}.py").write_text(IMPORTS + self.deploy)


def tasks_of(steps):
    for kind, a in steps:
        if kind == "folder":
            yield {"file": {"path": a["path"], "state": "directory", "mode": "0755"}}
        elif kind == "file":
            # A file that a line is added to is not written again, so that a second run has nothing to do.
            yield {"copy": {"dest": a["path"], "content": a["content"], "mode": "0644", "force": False}}
        elif kind == "link":
            yield {"file": {"path": a["path"], "src": a["to"], "state": "link"}}
        elif kind == "line":
            yield {"lineinfile": {"path": a["path"], "line": a["line"]}}
    yield {"command": "uname -r", "changed_when": False}


def operations_of(steps):
    lines = {a["path"]: a["line"] for kind, a in steps if kind == "line"}
    for kind, a in steps:
        if kind == "folder":
            yield f"files.directory(path={a['path']!r}, mode='755')"
        elif kind == "file":
            # pyinfra has no `force: false`: the content holds the line from the start.
            content = a["content"] + (lines[a["path"]] + "\n" if a["path"] in lines else "")
            yield f"files.put(src=StringIO({content!r}), dest={a['path']!r}, mode='644')"
        elif kind == "link":
            yield f"files.link(path={a['path']!r}, target={a['to']!r})"
        elif kind == "line":
            yield f"files.line(path={a['path']!r}, line={a['line']!r})"
    yield "server.shell(commands=['uname -r'])"


def small_steps(folders, files, links, lines):
    yield "folder", {"path": ROOT}
    for i in range(folders):
        yield "folder", {"path": f"{ROOT}/d{i}"}
    for i in range(files):
        yield "file", {"path": f"{ROOT}/d{i % folders}/f{i}", "content": f"file {i}\nvalue {i * i}\n"}
    for i in range(links):
        yield "link", {"path": f"{ROOT}/l{i}", "to": f"{ROOT}/d{i % folders}/f{i}"}
    for i in range(lines):
        yield "line", {"path": f"{ROOT}/d{i % folders}/f{i}", "line": f"last line {i}"}


def small(key, folders, files, links, lines):
    steps = list(small_steps(folders, files, links, lines))
    return Work(
        key,
        {"tasks": list(tasks_of(steps))},
        "\n".join(operations_of(steps)) + "\n",
        # How many paths there are, and how many of the lines.
        proof=f"find {ROOT} | wc -l; grep -rl '^last line' {ROOT} | wc -l",
        proven=f"{1 + folders + files + links}\n{lines}",
    )


def nothing():
    """One command: what a tool does before its first counted run."""
    return Work("nothing", {"tasks": [{"command": "true"}]}, "server.shell(commands=['true'])\n")


def loop():
    item = {"file": {"path": ROOT + "/{{ item }}", "state": "directory", "mode": "0755"}}
    return Work(
        "loop",
        {"tasks": [{**item, "loop": f"{{{{ range({ITEMS}) | list }}}}"}]},
        f"for i in range({ITEMS}):\n    files.directory(path=f'{ROOT}/{{i}}', mode='755')\n",
        proof=f"ls {ROOT} | wc -l",
        proven=str(ITEMS),
    )


def make_tree(folder):
    made = random.Random(2000)
    for i in range(TREE_FILES):
        path = folder / "tree" / f"d{i % TREE_FOLDERS}" / f"f{i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"key_{i}_{n} = {made.randrange(10**12)}\n" for n in range(made.randrange(2, 200))))


def tree():
    return Work(
        "tree",
        {"tasks": [{"copy": {"src": "tree/", "dest": f"{ROOT}/tree/"}}]},
        f"files.sync(src='tree', dest='{ROOT}/tree')\n",
        proof=f"find {ROOT}/tree -type f | wc -l",
        proven=str(TREE_FILES),
        beside=make_tree,
    )


def make_big(folder):
    (folder / "big.bin").write_bytes(random.Random(200).randbytes(BIG))


def big_copied():
    return Work(
        "big-copied",
        {"tasks": [
            {"file": {"path": ROOT, "state": "directory"}},
            {"copy": {"src": "big.bin", "dest": f"{ROOT}/big.bin"}},
        ]},
        f"files.directory(path={ROOT!r})\nfiles.put(src='big.bin', dest='{ROOT}/big.bin')\n",
        proof=f"stat -c %s {ROOT}/big.bin",
        proven=str(BIG),
        beside=make_big,
    )


def make_log(folder):
    made = random.Random(20)
    pages = ["/", "/index.html", "/login", "/static/app.js", "/api/v1/items"]
    with (folder / "access.log").open("w") as log:
        while log.tell() < LOG:
            address = ".".join(str(made.randrange(256)) for _ in range(4))
            page, size, status = made.choice(pages), made.randrange(40_000), made.choice([200, 200, 304, 404])
            log.write(f'{address} - - [24/Nov/2026:10:00:00 +0000] "GET {page} HTTP/1.1" {status} {size} "-" "Mozilla/5.0"\n')


def log_copied():
    return Work(
        "log-copied",
        {"tasks": [
            {"file": {"path": ROOT, "state": "directory"}},
            {"copy": {"src": "access.log", "dest": f"{ROOT}/access.log"}},
        ]},
        f"files.directory(path={ROOT!r})\nfiles.put(src='access.log', dest='{ROOT}/access.log')\n",
        proof=f"tail -c 14 {ROOT}/access.log",
        proven='"Mozilla/5.0"',
        beside=make_log,
    )


def big_downloaded(url):
    return Work(
        "big-downloaded",
        {"tasks": [
            {"file": {"path": ROOT, "state": "directory"}},
            {"get_url": {"url": f"{url}/big.bin", "dest": f"{ROOT}/big.bin"}},
        ]},
        f"files.directory(path={ROOT!r})\nfiles.download(src='{url}/big.bin', dest='{ROOT}/big.bin')\n",
        proof=f"stat -c %s {ROOT}/big.bin",
        proven=str(BIG),
        beside=make_big,
    )


def write_included(folder):
    (folder / "one.yml").write_text(json.dumps([{"debug": {"msg": "included {{ item }}"}}]) + "\n")
    (folder / "one.py").write_text(
        "from pyinfra.operations import python\n\n\ndef said():\n    pass\n\n\npython.call(function=said)\n"
    )


def includes():
    return Work(
        "includes",
        {"tasks": [{"include_tasks": "one.yml", "loop": f"{{{{ range({INCLUDES}) | list }}}}"}]},
        f"for i in range({INCLUDES}):\n    local.include('one.py')\n",
        beside=write_included,
    )


def facts():
    # pyinfra has no gathering of everything: these are about what ansible's setup asks a host.
    asked = (
        "server.Hostname server.Kernel server.KernelVersion server.Os server.OsVersion server.Arch "
        "server.LinuxDistribution server.Mounts server.Date server.Selinux server.LsbRelease hardware.Cpus "
        "hardware.Memory hardware.BlockDevices hardware.NetworkDevices hardware.CpuInfo"
    )
    return Work("facts", {"gather_facts": True}, "", facts=tuple(asked.split()))
