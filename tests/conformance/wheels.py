"""A shelf of Python packages in each host, for a host reaches no index: pip takes them from there."""

import shutil
import subprocess

import suite

PLACE = "opt/wheels"
# What targets install, and what that needs.
WANTED = [
    "Jinja2", "bcrypt", "coverage", "fallible==0.0.1a2", "jiphy", "junit-xml", "packaging", "passlib==1.7.4",
    "pexpect==4.9.0", "pip", "q", "sampleprojectpy2", "setuptools", "tomli", "tomli-w", "trustme", "wheel",
]


def fetch():
    """The packages, from PyPI, once; built for the Python of this machine, which is the hosts' (3.11)."""
    kept = suite.kept("wheels", WANTED)
    if kept.exists():
        return kept
    new = suite.CACHE / "wheels.new"
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(
        ["python3", "-m", "pip", "wheel", "-q", "--wheel-dir", new, *WANTED],
        check=True,
    )
    new.rename(kept)
    return kept


def fill(root):
    place = root / PLACE
    if place.exists():
        return
    shutil.copytree(fetch(), place)
    (root / "etc/pip.conf").write_text(f"[global]\nno-index = true\nfind-links = /{PLACE}\n")
