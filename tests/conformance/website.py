"""What stands in for Ansible's HTTP test container: a web site in each lab host, under the same names.

website/nginx.conf says what is served. The certificates are made once and kept in the cache.
"""

import shutil
import subprocess
import tarfile
from pathlib import Path

import suite

PARTS = Path(__file__).resolve().parent / "website"
PLACE = "opt/http-tests"
NAMES = ["ansible.http.tests", "sni1.ansible.http.tests", "sni2.ansible.http.tests"]
OTHERS = ["fail.ansible.http.tests", "self-signed.ansible.http.tests", "ci-files.testing.ansible.com"]
# What targets fetch from Ansible's own store of files; to them its content does not matter.
ARCHIVE = "files/test/integration/targets/apt/echo-hello-source.tar.gz"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stderr=subprocess.DEVNULL)


class Authority:
    """One that signs certificates: its own certificate and key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    @classmethod
    def make(cls, folder, name):
        made = cls(folder / f"{name}.pem", folder / f"{name}-key.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 3650, "-subj", f"/CN={name}",
                "-keyout", made.key, "-out", made.certificate)
        return made

    def sign(self, path, names, use):
        """A certificate for the names at path.pem, its key at path.key."""
        request, extensions = path.with_suffix(".csr"), path.with_suffix(".ext")
        certificate, key = path.parent / f"{path.name}.pem", path.parent / f"{path.name}.key"
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
        alternatives = ",".join(f"DNS:{name}" for name in names)
        extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage={use}\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", 3650, "-out", certificate, "-extfile", extensions)
        request.unlink()
        extensions.unlink()


def make(folder, lab_ca):
    """All of the site but its configuration, which may change without new certificates."""
    public, files = folder / "public", folder / ARCHIVE
    public.mkdir(parents=True)
    files.parent.mkdir(parents=True)
    authority = Authority.make(folder, "ca")
    authority.sign(folder / NAMES[0], NAMES, "serverAuth")
    authority.sign(folder / "other", ["elsewhere.http.tests"], "serverAuth")
    authority.sign(public / "client", ["client.http.tests"], "clientAuth")
    shutil.copy(authority.certificate, public / "cacert.pem")
    lab = Authority(lab_ca / "ca.pem", lab_ca / "ca-key.pem")
    lab.sign(folder / OTHERS[2], [OTHERS[2]], "serverAuth")
    other = Authority.make(folder, "ca2")
    other.sign(folder / OTHERS[1], [OTHERS[1]], "serverAuth")
    shutil.copy(other.certificate, public / "ca2cert.pem")
    with tarfile.open(files, "w:gz") as archive:
        archive.add(PARTS / "hello.sh", "echo-hello/hello.sh")
    # nginx reads some of it as another user than root.
    for path in [*public.iterdir(), files]:
        path.chmod(0o644)


def fill(root, lab_ca):
    """The site, and the names by which the host knows it to be itself."""
    kept = suite.kept("website", [Path(__file__).read_text(), (lab_ca / "ca.pem").read_text()])
    if not kept.exists():
        new = suite.CACHE / "website.new"
        shutil.rmtree(new, ignore_errors=True)
        make(new, lab_ca)
        new.rename(kept)
    place = root / PLACE
    if place.exists():
        return
    shutil.copytree(kept, place)
    shutil.copy(PARTS / "nginx.conf", place)
    for unit in PARTS.glob("*.s*"):
        if unit.suffix in (".service", ".socket"):
            shutil.copy(unit, root / "etc/systemd/system")
    with (root / "etc/hosts").open("a") as file:
        file.write(f"127.0.0.1 {' '.join(NAMES + OTHERS)}\n")


def start(lab, host):
    """Starts it where it does not run, and waits until it answers."""
    script = (
        "systemctl daemon-reload && systemctl start http-tests.service && "
        "curl -sSf -o /dev/null --retry 5 --retry-connrefused http://ansible.http.tests/get"
    )
    code = lab.inside(host, script, {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}, subprocess.DEVNULL, 60)
    if code != 0:
        raise SystemExit(f"conformance: the web site of the HTTP tests does not start in {host}")
