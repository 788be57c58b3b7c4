"""The suite: where it comes from, what its targets are, and how one target is run."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = "2.19.14"
CACHE = Path(os.environ.get("RPLAY_CONFORMANCE_CACHE", "/var/cache/rplay-conformance"))
TOOLS = ("ansible", "rplay")
# How the tool reaches the host that it works on: as the host itself, or as another one.
WAYS = ("local", "ssh")
TIMEOUT = {"ansible": 600, "rplay": 120}
# The key that a host of the lab reaches another one with.
KEY = "/root/.ssh/id_ed25519"
# The script by which targets make a Python environment of their own, in the suite's tree.
VIRTUALENV = "test/lib/ansible_test/_util/target/injector/virtualenv.sh"
# They fetch from Ansible's own store of files, which needs no alias.
WANT_FILES = {"unarchive"}
# The same words from both tools; what a target sends elsewhere is not counted.
HELD = re.compile(rb"All assertions passed")


def source():
    return CACHE / f"ansible_core-{VERSION}"


def fetch():
    if source().is_dir():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["python3", "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", f"ansible-core=={VERSION}"],
        cwd=CACHE, check=True,
    )
    with tarfile.open(CACHE / f"ansible_core-{VERSION}.tar.gz") as archive:
        archive.extractall(CACHE, filter="data")


def kept(name, made_of):
    """Where something is kept that is made once, and anew where what it is made of changes."""
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()
    return CACHE / f"{name}-{digest[:8]}"


def folder(name):
    return source() / "test/integration/targets" / name


def targets():
    return sorted(path.parent.name for path in folder("").glob("*/aliases"))


def aliases(name):
    lines = (line.split("#")[0].strip() for line in (folder(name) / "aliases").read_text().splitlines())
    return {line for line in lines if line}


def wants_website(name):
    return "needs/httptester" in aliases(name) or name in WANT_FILES


def harms_its_host(name):
    return "destructive" in aliases(name)


def is_script(name):
    """A target is either a script or a role."""
    return (folder(name) / "runme.sh").exists()


@dataclass
class Result:
    code: int | None
    held: int
    seconds: float

    @property
    def timed_out(self):
        return self.code is None

    @property
    def status(self):
        return "passed" if self.code == 0 else "too long" if self.timed_out else "failed"


class Results:
    """What each tool made of each target in one way, kept between runs."""

    def __init__(self, way):
        self.ending = "" if way == "local" else f"-{way}"
        self.kept = {tool: self.read(tool) for tool in TOOLS}

    def path(self, tool):
        return CACHE / f"results-{tool}{self.ending}.json"

    def read(self, tool):
        return json.loads(self.path(tool).read_text()) if self.path(tool).exists() else {}

    def get(self, tool, name):
        kept = self.kept[tool].get(name)
        return Result(**kept) if kept else None

    def put(self, tool, name, result):
        self.kept[tool][name] = asdict(result)
        self.path(tool).write_text(json.dumps(self.kept[tool], indent=1, sort_keys=True))


def reached(name, lab, place):
    """The address that the tool reaches its host at; None where it is the host itself."""
    if place.target:
        return lab.address(place.target)
    return "127.0.0.1" if "needs/ssh" in aliases(name) else None


def inventory(target):
    """The suite's inventory: its one host is where the tool runs, or what is at that address."""
    if target is None:
        reached = 'ansible_connection="local"'
    else:
        reached = f'ansible_host="{target}" ansible_user="root" ansible_ssh_private_key_file="{KEY}"'
    return f'[testgroup]\ntesthost {reached} ansible_pipelining="yes" ansible_python_interpreter="/usr/bin/python3"\n'


def environment(tool, name, tree, output):
    path = f"{tree}/bin" if tool == "ansible" else "/opt/rplay"
    given = {
        "PATH": f"{path}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/bash",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "INVENTORY_PATH": f"{tree}/test/integration/inventory",
        "OUTPUT_DIR": output,
        "ANSIBLE_PLAYBOOK_DIR": f"{tree}/test/integration/targets/{name}",
        # A target names the inventory that it wants.
        "ANSIBLE_INVENTORY": "/dev/null",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_LIBRARY": "/dev/null",
        "ANSIBLE_DEVEL_WARNING": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_CONFIG": f"{tree}/test/lib/ansible_test/_data/ansible.cfg",
        "ANSIBLE_TEST_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_TEST_PYTHON_VERSION": "3.11",
        "ANSIBLE_TEST_CI": "",
        "PAGER": "/bin/cat",
        # For the scripts of targets, whichever tool they call; rplay finds Ansible's library there, for
        # modules and plugins that are written with it.
        "PYTHONPATH": f"{tree}/lib",
    }
    if not is_script(name):
        given["ANSIBLE_ROLES_PATH"] = f"{tree}/test/integration/targets"
    if "needs/httptester" in aliases(name):
        given["HTTPTESTER"] = "1"
    for alias in aliases(name):
        if alias.startswith("env/set/"):
            key, value = alias.removeprefix("env/set/").split("/", 1)
            given[key] = value
    return given


def play(name, output):
    gather = "gather_facts/no" not in aliases(name)
    roles = [alias.removeprefix("setup/always/") for alias in aliases(name) if alias.startswith("setup/always/")]
    roles += [alias.removeprefix("setup/once/") for alias in aliases(name) if alias.startswith("setup/once/")]
    return json.dumps([{
        "hosts": "testhost", "gather_facts": gather, "vars": {"output_dir": output}, "roles": [*roles, name],
    }], indent=1)


def run(tool, name, lab, place):
    """Runs the target in the place and says how it went. The tools take the same steps."""
    import website
    from lab import TREE

    output = f"/root/output-{tool}/{name}-{time.time_ns():x}"
    host = place.host
    if place.target:
        lab.inside(place.target, f"mkdir -p {shlex.quote(output)}", {"PATH": "/usr/bin:/bin"}, subprocess.DEVNULL, 20)
    if wants_website(name):
        for each in place.hosts:
            website.start(lab, each)
    where = f"{TREE}/test/integration"
    (lab.root(host) / where.lstrip("/") / "inventory").write_text(inventory(reached(name, lab, place)))
    shell = f"mkdir -p {shlex.quote(output)}; "
    if is_script(name):
        shell += f"cd {shlex.quote(f'{where}/targets/{name}')}; ./runme.sh"
    else:
        book = f"{where}/{name}-{tool}.yml"
        (lab.root(host) / book.lstrip("/")).write_text(play(name, output))
        shell += f"cd {where}; ansible-playbook {shlex.quote(book)} -i inventory"
    log = CACHE / "logs" / (f"{tool}-ssh" if place.target else tool) / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("wb") as file:
        code = lab.inside(host, shell, environment(tool, name, TREE, output), file, TIMEOUT[tool])
    return Result(code, len(HELD.findall(log.read_bytes())), round(time.monotonic() - started, 1))
