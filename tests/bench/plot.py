"""Draws the plots of docs/benchmarks.md, with matplotlib: figures as JSON on stdin, SVG into a folder.

The same figures give the same bytes.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {
    "rplay": "#d1495b",
    "ansible": "#1f4e79",
    "ansible-pipelining": "#4f8fc0",
    "mitogen": "#66a182",
    "pyinfra": "#edae49",
    "ssh": "#7f7f7f",
}


def save(figure, path):
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def ratios(rows, path):
    peers = [peer for peer in COLOURS if any(row.get(peer) for row in rows)]
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(peers) / 2 * len(rows) + 1.6), layout="constrained")
    width = 0.8 / len(peers)
    for n, peer in enumerate(peers):
        for at, row in enumerate(rows):
            if not row[peer]:
                continue
            value, late = row[peer]
            axes.barh(at + (n - (len(peers) - 1) / 2) * width, value, width, color=COLOURS[peer],
                      hatch="//" if late else None, edgecolor="white", linewidth=0,
                      label=peer if at == min(i for i, r in enumerate(rows) if r[peer]) else None)
            axes.text(value * 1.04, at + (n - (len(peers) - 1) / 2) * width, f"{'> ' * late}{value:.{0 if value >= 100 else 1}f}", va="center", fontsize=6)
    axes.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color=COLOURS["rplay"], linewidth=1)
    axes.axvline(10, color="#bbbbbb", linewidth=0.8, linestyle="--")
    axes.set_xlabel("times rplay's time (logarithmic; hatched: was ended, a lower bound)")
    axes.legend(loc="lower right", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def hosts(times, path):
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for tool, points in times.items():
        if points:
            axes.plot(*zip(*points), marker="o", color=COLOURS[tool], label="ssh HOST true" if tool == "ssh" else tool,
                      linestyle="--" if tool == "ssh" else "-")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("hosts")
    axes.set_ylabel("seconds for 10 tasks")
    axes.set_xticks([1, 10, 30, 100, 300], ["1", "10", "30", "100", "300"])
    axes.grid(True, which="major", color="#e5e5e5")
    if any(times.values()):
        axes.legend(fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def main():
    plt.rcParams.update({"svg.hashsalt": "rplay", "svg.fonttype": "none", "font.family": "sans-serif"})
    given = json.load(sys.stdin)
    if not given["ratios"]:
        sys.exit("there are no figures of rplay beside a peer: nothing to draw")
    folder = Path(sys.argv[1])
    ratios(given["ratios"], folder / "ratios.svg")
    hosts(given["times"], folder / "hosts.svg")


main()
