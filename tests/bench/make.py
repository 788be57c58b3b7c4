"""The same work for every tool: 31 small tasks on files and one command.

Writes a playbook (for rplay and ansible) and a pyinfra deploy, from one list.
"""

import sys
from pathlib import Path

ROOT = "/srv/bench"


def tasks():
    """Yields (kind, arguments): 6 folders, 15 files, 5 links, 5 lines."""
    yield "folder", {"path": ROOT}
    for i in range(5):
        yield "folder", {"path": f"{ROOT}/d{i}"}
    for i in range(15):
        yield "file", {"path": f"{ROOT}/d{i % 5}/f{i}", "content": f"file {i}\nvalue {i * i}\n"}
    for i in range(5):
        yield "link", {"path": f"{ROOT}/l{i}", "to": f"{ROOT}/d{i}/f{i}"}
    for i in range(5):
        yield "line", {"path": f"{ROOT}/d{i}/f{i}", "line": f"last line {i}"}


def playbook():
    out = ["- hosts: all", "  gather_facts: false", "  tasks:"]
    for kind, a in tasks():
        if kind == "folder":
            out += ["    - file:", f"        path: {a['path']}", "        state: directory", '        mode: "0755"']
        elif kind == "file":
            # A file that a line is added to is not written again, so that a second run has nothing to do.
            out += ["    - copy:", f"        dest: {a['path']}", f"        content: {a['content']!r}".replace("'", '"'),
                    '        mode: "0644"', "        force: false"]
        elif kind == "link":
            out += ["    - file:", f"        path: {a['path']}", f"        src: {a['to']}", "        state: link"]
        else:
            out += ["    - lineinfile:", f"        path: {a['path']}", f"        line: {a['line']}"]
    out += ["    - command: uname -r", "      changed_when: false"]
    return "\n".join(out) + "\n"


def deploy():
    out = ["from io import StringIO", "from pyinfra.operations import files, server", ""]
    seen_lines = {a["path"]: a["line"] for kind, a in tasks() if kind == "line"}
    for kind, a in tasks():
        if kind == "folder":
            out.append(f"files.directory(path={a['path']!r}, mode='755')")
        elif kind == "file":
            # pyinfra has no `force: false`: the content holds the line from the start.
            content = a["content"]
            if a["path"] in seen_lines:
                content += seen_lines[a["path"]] + "\n"
            out.append(f"files.put(src=StringIO({content!r}), dest={a['path']!r}, mode='644')")
        elif kind == "link":
            out.append(f"files.link(path={a['path']!r}, target={a['to']!r})")
        else:
            out.append(f"files.line(path={a['path']!r}, line={a['line']!r})")
    out.append("server.shell(commands=['uname -r'])")
    return "\n".join(out) + "\n"


def main():
    dest = Path(sys.argv[1])
    hosts = sys.argv[2:]
    count = sum(1 for _ in tasks())
    assert count == 31, count
    (dest / "play.yml").write_text(playbook())
    (dest / "deploy.py").write_text(deploy())
    (dest / "hosts.ini").write_text("".join(f"{h}\n" for h in hosts))
    (dest / "inventory.py").write_text(f"hosts = {hosts!r}\n")


main()
