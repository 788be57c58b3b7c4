"""Measures one command: time, CPU time and peak memory of its whole tree of processes.

Processes that outlive their parent (ssh masters that ansible leaves behind) come to this process
and are counted too. Memory is the sum of what each process holds, shared pages divided by those
who share them (PSS), looked at many times a second; looking costs at most a twentieth of a core.
"""

import ctypes
import os
import resource
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")
# Processes of the bench itself that run beside what is measured: servers, proxies.
helpers = set()


@dataclass
class Measure:
    seconds: float
    cpu: float
    memory: int
    code: int | None  # None: it took too long and was ended

    @property
    def ended(self):
        return self.code is not None


def adopt_orphans(whether=True):
    """What loses its parent comes to this process, or with False to the machine's init as ever."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(whether), 0, 0, 0)


def children(pid):
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it ended meanwhile
    return found


def tree():
    """Every process that came from this one, save the helpers."""
    found, ahead = [], [pid for pid in children(os.getpid()) if pid not in helpers]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += children(pid)
    return found


def fields(pid):
    """State and times of a process, from `stat` after the name that may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


def size(path, key):
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def memory():
    """What the tree holds now, and the most that one process of it held so far."""
    pids = tree()
    shared = sum(size(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in pids)
    return max([shared, *(size(f"/proc/{pid}/status", "VmHWM:") for pid in pids)])


def cpu():
    """CPU time of what ended, and of what still runs."""
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = done.ru_utime + done.ru_stime
    for pid in tree():
        if seen := fields(pid):
            # utime, stime, and those of its children that it waited for
            total += sum(map(int, seen[11:15])) / TICKS
    return total


def end_tree():
    """Ends what the last command left behind, by pid."""
    while pids := tree():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        time.sleep(0.01)


def reap():
    for pid in children(os.getpid()):
        seen = fields(pid)
        if pid not in helpers and seen and seen[0] == "Z":
            os.waitpid(pid, os.WNOHANG)


def run(command, limit, log, environment, folder):
    """Runs the command until it ends, or ends it and its tree after `limit` seconds."""
    reap()
    used = cpu()
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    ended = os.pidfd_open(process.pid)
    peak, pause, late = 0, 0.005, False
    while not select.select([ended], [], [], pause)[0]:
        looked = time.monotonic()
        late = looked - started > limit
        if late:
            break
        peak = max(peak, memory())
        pause = max(0.01, 20 * (time.monotonic() - looked))
    seconds = time.monotonic() - started
    os.close(ended)
    if late:
        used_now = cpu()
        end_tree_of(process)
        return Measure(seconds, used_now - used, peak, None)
    process.wait()
    reap()
    return Measure(seconds, cpu() - used, peak, process.returncode)


def end_tree_of(process):
    process.kill()
    process.wait()
    end_tree()
