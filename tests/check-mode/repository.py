"""A small package repository for hosts without a network: real .deb packages in a flat folder.

    tests/check-mode/repository.py FOLDER

`greeter` has a unit, a conffile and a program, and needs `greeter-data`; `greeter-data` has a newer
version in the folder `newer`; `single` stands alone. `FOLDER` is served by `deb [trusted=yes]
file:/WHERE/IT/IS ./`.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

UNIT = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
# As debhelper writes it: systemd reads its files again, and the service is enabled and started.
STARTS = "#!/bin/sh\nset -e\n[ \"$1\" = configure ] && [ -d /run/systemd/system ] || exit 0\nsystemctl daemon-reload\n"
STOPS = "#!/bin/sh\n[ ! -d /run/systemd/system ] || systemctl stop greeter.service || true\n"
GONE = "#!/bin/sh\n[ ! -d /run/systemd/system ] || systemctl daemon-reload || true\n"

# name, version, more fields, files (path: mode and content), maintainer scripts
PACKAGES = [
    (
        "greeter", "1.0", {"Depends": "greeter-data"},
        {
            "/etc/greeter/greeter.conf": (0o644, "greeting=hello\n"),
            "/lib/systemd/system/greeter.service": (0o644, UNIT),
            "/usr/bin/greet": (0o755, "#!/bin/sh\n. /etc/greeter/greeter.conf\necho \"$greeting\"\n"),
        },
        {"conffiles": "/etc/greeter/greeter.conf\n", "postinst": STARTS, "prerm": STOPS, "postrm": GONE},
    ),
    ("greeter-data", "1.0", {}, {"/usr/share/greeter/words": (0o644, "hello\n")}, {}),
    ("single", "2.1-1", {}, {"/etc/default/single": (0o644, "one=1\n")}, {"conffiles": "/etc/default/single\n"}),
]
NEWER = [("greeter-data", "1.1", {}, {"/usr/share/greeter/words": (0o644, "good day\n")}, {})]


def package(folder, name, version, fields, files, scripts):
    """Builds one package; its paragraph in the index."""
    control = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "nobody <nobody@invalid>",
               "Description": f"{name}, for tests", **fields}
    paragraph = "".join(f"{key}: {value}\n" for key, value in control.items())
    deb = folder / f"{name}_{version}_all.deb"
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        root.chmod(0o755)
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(paragraph)
        for script, text in scripts.items():
            (root / "DEBIAN" / script).write_text(text)
            (root / "DEBIAN" / script).chmod(0o644 if script == "conffiles" else 0o755)
        for path, (mode, content) in files.items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(mode)
        words = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, deb]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    data = deb.read_bytes()
    return f"{paragraph}Filename: ./{deb.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"


def repository(folder, packages):
    """A folder of packages with its index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = "\n".join(package(folder, *one) for one in packages)
    (folder / "Packages").write_text(index)


def build(folder):
    """The repository, and one with newer versions beside it."""
    repository(folder, PACKAGES)
    repository(folder / "newer", NEWER)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
