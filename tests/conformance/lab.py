"""The lab hosts that the suite runs in: real systemd hosts with Python, for ansible-core's sake."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import suite
import website
import wheels

LAB = Path(__file__).resolve().parent.parent / "lab" / "lab"
NAME = os.environ.get("RPLAY_LAB_NAME", "rplay-conf")
ENVIRONMENT = {**os.environ, "RPLAY_LAB_NAME": NAME, "RPLAY_LAB_HOST_SPACE": "2g"}

CACHE = Path(os.environ.get("RPLAY_LAB_CACHE", "/var/cache/rplay-lab"))

# Where things are in a host.
TREE = "/opt/ansible-core"
NAMES = ["ansible", "ansible-playbook", "ansible-inventory", "ansible-vault", "ansible-doc", "ansible-config"]


@dataclass(frozen=True)
class Place:
    """Where a target runs: the host with the tool in it, and the other that it works on, if any."""

    host: str
    target: str | None

    @property
    def hosts(self):
        return [self.host, *([self.target] if self.target else [])]


class Lab:
    """A lab of its own, which is taken down at the end unless it was up before."""

    def __init__(self, count, way):
        names = [f"z-b-data-{index + 1}" for index in range(count * (1 if way == "local" else 2))]
        self.count = len(names)
        targets = names[count:] or [None] * count
        self.places = [Place(host, target) for host, target in zip(names, targets)]

    def __enter__(self):
        self.was_up = self.call("status", check=False, capture_output=True).returncode == 0
        self.call("up", "--hosts", str(self.count), "--kind", "conformance")
        return self

    def __exit__(self, *_):
        if not self.was_up:
            self.call("down")

    def call(self, *words, check=True, **options):
        return subprocess.run([LAB, *words], check=check, env=ENVIRONMENT, **options)

    def root(self, host):
        return Path("/run") / NAME / "hosts" / host / "root"

    def prepare(self, rplay):
        for place in self.places:
            self.fill(place, rplay)

    def reset(self, place, rplay):
        self.call("reset", *place.hosts)
        self.fill(place, rplay)

    def address(self, host):
        shown = self.call("inventory", capture_output=True, text=True).stdout
        return re.search(rf"{host}: {{ansible_host: ([0-9.]+)}}", shown).group(1)

    def fill(self, place, rplay):
        """The suite, ansible-core and rplay in the host, and the way to the other."""
        for host in place.hosts:
            website.fill(self.root(host), CACHE / "ca")
            wheels.fill(self.root(host))
        host = place.host
        root = self.root(host)
        # A host reaches itself over ssh too, as the suite wants it.
        key = root / suite.KEY.lstrip("/")
        shutil.copy(CACHE / "keys" / "id_ed25519", key)
        key.chmod(0o600)
        tree = root / TREE.lstrip("/")
        if not tree.exists():
            shutil.copytree(suite.source(), tree, symlinks=True)
            self.make_ansible(tree / "bin")
        self.link(root, "usr/bin/python", "python3")
        self.link(root, "usr/bin/pip", "pip3")
        self.link(root, "usr/local/bin/virtualenv.sh", f"{TREE}/{suite.VIRTUALENV}")
        # By that name targets call the Python that is in use.
        python = root / "usr/local/bin/python.py"
        python.write_text('#!/bin/sh\nexec python3 "$@"\n')
        python.chmod(0o755)
        folder = root / "opt/rplay"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(rplay, folder / "rplay.new")
        (folder / "rplay.new").rename(folder / "rplay")
        for name in NAMES:
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to("rplay")

    def link(self, root, name, to):
        if not os.path.lexists(root / name):
            (root / name).symlink_to(to)

    def make_ansible(self, folder):
        folder.mkdir()
        names = {"ansible": "adhoc", "ansible-playbook": "playbook"}
        for name in [*NAMES, "ansible-galaxy", "ansible-console", "ansible-pull"]:
            module = names.get(name, name.removeprefix("ansible-"))
            program = folder / name
            program.write_text(
                # Of the Python environment in use, which has what a target put into it.
                "#!/usr/bin/env python3\nimport sys\n"
                f"sys.path.insert(0, '{TREE}/lib')\n"
                f"from ansible.cli.{module} import main\nsys.exit(main())\n"
            )
            program.chmod(0o755)

    def inside(self, host, command, environment, log, timeout):
        """Runs a shell command in the host as root; None where it did not end in time."""
        words = [f"{key}={value}" for key, value in environment.items()]
        full = [LAB, "inside", host, "env", "-i", *words, "timeout", "-k", "5", str(timeout), "bash", "-c", command]
        done = subprocess.run(full, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        return None if done.returncode in (124, 137) else done.returncode
