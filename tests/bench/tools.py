"""The tools that are compared: where they come from, and the command line of each."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("RPLAY_BENCH_CACHE", "/var/cache/rplay-bench"))
PLOT = "plot"
# What each is installed from; Mitogen has a venv of its own, as it follows ansible-core behind.
PACKAGES = {
    "ansible": ["ansible-core==2.19.14"],
    "mitogen": ["ansible-core==2.19.14", "mitogen==0.3.54"],
    "pyinfra": ["pyinfra==3.10.0"],
    PLOT: ["matplotlib==3.11.2"],
}
TOOLS = ("rplay", "ansible", "ansible-pipelining", "mitogen", "pyinfra")
# Hosts at a time; rplay's own default is 100, pyinfra's all of them, ansible's 5.
ANSIBLE_FORKS = "10"


def install(names):
    for name in names:
        folder = CACHE / name
        if (folder / "ready").exists():
            continue
        print(f"installing {' '.join(PACKAGES[name])} from PyPI", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *PACKAGES[name]], check=True)
        (folder / "ready").touch()


def needed(tools):
    """The venvs of the tools."""
    venvs = {"ansible-pipelining": "ansible", "rplay": None}
    return sorted({venvs.get(tool, tool) for tool in tools} - {None})


def version(venv, package):
    found = list((CACHE / venv / "lib").glob(f"python3*/site-packages/{package.replace('-', '_')}-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").rsplit("-", 1)[1] if found else "?"


def versions():
    return (
        f"ansible-core {version('ansible', 'ansible-core')}, mitogen {version('mitogen', 'mitogen')} "
        f"(with ansible-core {version('mitogen', 'ansible-core')}), pyinfra {version('pyinfra', 'pyinfra')}"
    )


@dataclass
class Call:
    command: list
    environment: dict


def ansible(venv, work, **more):
    given = {
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_FORKS": ANSIBLE_FORKS,
        **more,
    }
    program = CACHE / venv / "bin/ansible-playbook"
    return Call([program, f"{work.for_ansible or work.key}.yml", *work.arguments, "-u", "root"], given)


def mitogen(work):
    plugins = next((CACHE / "mitogen/lib").glob("python3*/site-packages/ansible_mitogen/plugins/strategy"))
    return ansible("mitogen", work, ANSIBLE_STRATEGY_PLUGINS=str(plugins), ANSIBLE_STRATEGY="mitogen_linear")


def pyinfra(work):
    what = ["fact", *work.facts] if work.facts else [f"{work.key}.py"]
    return Call([CACHE / "pyinfra/bin/pyinfra", "-y", "--ssh-user", "root", "inventory.py", *what], {})


def call(tool, work, rplay):
    """What runs the work, in the folder that holds its files."""
    if tool == "rplay":
        return Call([rplay, f"{work.key}.yml", *work.arguments, "-u", "root"], {})
    if tool == "ansible":
        return ansible("ansible", work)
    if tool == "ansible-pipelining":
        return ansible("ansible", work, ANSIBLE_PIPELINING="True")
    return mitogen(work) if tool == "mitogen" else pyinfra(work)


def limit(name, hosts):
    """The least that such work can cost: what the limit's name says, on the same hosts."""
    if name == "scp":
        return Call(["scp", "-q", "big.bin", f"{hosts[0]}:/srv/big.bin"], {})
    if name == "scp -C":
        return Call(["scp", "-C", "-q", "access.log", f"{hosts[0]}:/srv/big.bin"], {})
    if name == "scp -r":
        return Call(["scp", "-q", "-r", "tree", f"{hosts[0]}:/srv/bench-tree"], {})
    # The shell starts all and fails where one of them does.
    return Call(["bash", "-c", 'for h; do ssh "$h" true & p+=($!); done; for i in "${p[@]}"; do wait "$i" || exit 1; done',
                 "ssh", *hosts], {})
