"""What was measured, kept between runs so that rows can be measured apart."""

import json
import subprocess
import time
from dataclasses import dataclass

import tools

PATH = tools.CACHE / "results.json"


@dataclass
class Figure:
    """The counted runs of one tool in one case, or why there are none."""

    runs: list  # of {seconds, cpu, memory, sent, received}
    late: float | None = None  # it was ended after so many seconds
    reason: str = ""

    @property
    def middle(self):
        """The run of the median time."""
        return sorted(self.runs, key=lambda run: run["seconds"])[(len(self.runs) - 1) // 2] if self.runs else None

    @property
    def seconds(self):
        return self.middle["seconds"] if self.runs else None


def commit():
    """The last commit of what is measured, and whether it was changed since."""
    code = ["--", "runner", "modules", "Cargo.toml", "Cargo.lock"]
    last = said(["git", "log", "-1", "--format=%h", *code])
    return last + ("-dirty" if said(["git", "status", "--porcelain", *code]) else "")


def said(command):
    return subprocess.run(command, cwd=tools.TREE, capture_output=True, text=True, check=True).stdout.strip()


class Results:
    def __init__(self):
        self.kept = json.loads(PATH.read_text()) if PATH.exists() else {}

    def put(self, row, case, tool, figure):
        place = self.kept.setdefault(row, {}).setdefault(case, {})
        place[tool] = {**vars(figure), "date": time.strftime("%Y-%m-%d %H:%M"), "commit": commit()}
        PATH.parent.mkdir(parents=True, exist_ok=True)
        new = PATH.with_suffix(".new")
        new.write_text(json.dumps(self.kept, indent=1))
        new.rename(PATH)

    def about(self, row, case, tool):
        return self.kept.get(row, {}).get(case, {}).get(tool)

    def get(self, row, case, tool):
        kept = self.about(row, case, tool)
        return kept and Figure(kept["runs"], kept["late"], kept["reason"])
