"""The lab hosts that the work is done on, the way to run a tool in it, and what went over its wire."""

import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import measure
from rows import FAR, SLOW

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "lab" / "lab"
NAME = os.environ.get("RPLAY_LAB_NAME", "rplay-bench")
ENVIRONMENT = {**os.environ, "RPLAY_LAB_NAME": NAME}
HOME = Path("/run") / NAME / "home"
CACHE = Path(os.environ.get("RPLAY_LAB_CACHE", "/var/cache/rplay-lab"))
BRIDGE = "lab0"
CONTROLLER = "192.168.6.1"
HTTP, HTTPS = 9080, 9443
# Where the hosts of a link are found, the first of them, and what the link is like.
LINKS = {"far": (2201, FAR), "slow": (2301, SLOW)}
URL = f"http://{CONTROLLER}:{HTTP}"
# Where work is done, and what tools leave on a host for themselves.
WORK = "/srv/bench /srv/bench-tree /srv/big.bin"
TOOLS = "/dev/shm/rplay-* /run/user/0/rplay /root/.cache/rplay /root/.ansible /tmp/pyinfra-*"


@dataclass(frozen=True)
class Host:
    name: str
    address: str = ""
    port: int = 22

    def ini(self):
        return f"{self.name} ansible_host={self.address} ansible_port={self.port}" if self.address else self.name

    def pyinfra(self):
        return (self.name, {"ssh_hostname": self.address, "ssh_port": self.port} if self.address else {})


class Lab:
    """A lab whose hosts have Python, for the peers' sake; taken down at the end unless it was up before."""

    def __enter__(self):
        self.was_up = self.call("status", check=False, capture_output=True).returncode == 0
        self.call("up", "--kind", "python")
        self.lights = 0
        self.started = []
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.kill()
            process.wait()
        if not self.was_up:
            self.call("down")
        elif self.lights:
            self.call("sshd", "0")

    def call(self, *words, check=True, **options):
        # The hosts it leaves behind are no part of what is measured, and are not to be ended with it.
        measure.adopt_orphans(False)
        try:
            return subprocess.run([LAB, *words], check=check, env=ENVIRONMENT, **options)
        finally:
            measure.adopt_orphans()

    def hosts(self, kind, count):
        if kind == "light":
            return [Host(f"light-{n + 1:03}") for n in range(count)]
        if kind in LINKS:
            port, _ = LINKS[kind]
            return [Host(f"{kind}-{n + 1}", "127.0.0.1", port + n) for n in range(count)]
        return [Host(f"z-b-data-{n + 1}") for n in range(count)]

    def need(self, kind, count):
        if kind == "light" and self.lights < count:
            self.call("sshd", str(count), "--kind", "python")
            self.lights = count
        if kind in LINKS:
            self.link(kind, count)

    def link(self, kind, count):
        """Such hosts are the real ones behind a proxy; ssh is told their keys and where they are."""
        port, (round_trip, rate) = LINKS[kind]
        known = (HOME / ".ssh/known_hosts").read_text()
        config = ""
        links = []
        for n, host in enumerate(self.hosts(kind, count)):
            key = next(line for line in known.splitlines() if line.startswith(f"z-b-data-{n + 1},") and "ed25519" in line)
            entry = f"[{host.address}]:{host.port} {key.split(' ', 1)[1]}\n"
            if entry not in known:
                with (HOME / ".ssh/known_hosts").open("a") as file:
                    file.write(entry)
            config += f"Host {host.name}\n    HostName {host.address}\n    Port {host.port}\n"
            links.append(f"{host.address}:{host.port}=192.168.6.{204 + n}:22")
        config += f"Host {kind}-* 127.0.0.1\n    User root\n    IdentityFile {HOME}/.ssh/id_ed25519\n    IdentitiesOnly yes\n"
        config += f"    UserKnownHostsFile {HOME}/.ssh/known_hosts\n    StrictHostKeyChecking yes\n"
        for path in (HOME / ".ssh/config", Path(f"/etc/netns/{NAME}/ssh/ssh_config")):
            if config not in path.read_text():
                path.write_text(path.read_text() + config)
        self.start([sys.executable, HERE / "far.py", str(round_trip), str(rate), *links], port, "127.0.0.1")

    def serve(self, folder):
        """The lab's own server, for the work's files."""
        server = [sys.executable, "-I", LAB.parent / "release-server.py", "--root", folder, "--address", CONTROLLER]
        server += ["--http", str(HTTP), "--https", str(HTTPS), "--log", folder / "server.log"]
        server += ["--certificate", CACHE / "ca/server.pem", "--key", CACHE / "ca/server-key.pem"]
        self.start(server, HTTP, CONTROLLER)

    def start(self, command, port, address):
        """A helper that runs until the end, and answers at its port."""
        process = subprocess.Popen(self.inside(command), env=self.environment(), stdin=subprocess.DEVNULL)
        measure.helpers.add(process.pid)
        self.started.append(process)
        asked = self.inside(["bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"])
        deadline = time.monotonic() + 10
        while subprocess.run(asked, stderr=subprocess.DEVNULL).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"`{shlex.join(map(str, command))}` does not answer at port {port}")
            time.sleep(0.05)

    def inside(self, command):
        return ["ip", "netns", "exec", NAME, *command]

    def environment(self, **more):
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "TERM") if key in os.environ}
        return {**kept, "HOME": str(HOME), "SSL_CERT_FILE": str(HOME / "ca-bundle.pem"), **more}

    def shell(self, host, command):
        """What a command prints on a host."""
        done = subprocess.run(
            self.inside(["ssh", host.name, command]), env=self.environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"`{command}` on {host.name} failed with {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def clean(self, hosts, reset="true", bare=False):
        """Nothing of the work is left, and with `bare` nothing of the tools."""
        command = f"{reset}\nrm -rf {WORK} {TOOLS if bare else ''}"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda host: self.shell(host, command), hosts))

    def wire(self):
        """Bytes that the controller has sent and received."""
        shown = subprocess.run(["ip", "-n", NAME, "-s", "-j", "link", "show", BRIDGE], capture_output=True, check=True)
        seen = json.loads(shown.stdout)[0]["stats64"]
        return seen["tx"]["bytes"], seen["rx"]["bytes"]
