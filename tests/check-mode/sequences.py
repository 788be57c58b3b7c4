"""Sequences of tasks, the same for the same seed: files, users, groups, units and commands, over a
few names, so that later tasks depend on what earlier ones make."""

import json
import random

USERS = ["app", "web"]
GROUPS = ["ops", "dev"]
FOLDERS = ["/srv/one", "/srv/two", "/srv/one/in"]
FILES = ["/srv/one/a.ini", "/srv/two/b.ini", "/srv/one/in/c.ini"]
UNITS = ["sleeper", "waiter"]
UNIT = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"


def user(dice):
    args = {"name": dice.choice(USERS), "shell": dice.choice(["/bin/sh", "/bin/false"])}
    if dice.random() < 0.3:
        args |= {"groups": dice.choice(GROUPS), "append": True}
    if dice.random() < 0.2:
        args = {"name": args["name"], "state": "absent"}
    return {"user": args}


def group(dice):
    return {"group": {"name": dice.choice(GROUPS), "state": dice.choice(["present", "present", "absent"])}}


def folder(dice):
    args = {"path": dice.choice(FOLDERS), "state": "directory", "mode": dice.choice(["0750", "0755"])}
    if dice.random() < 0.4:
        args["owner"] = dice.choice(USERS)
    return {"file": args}


def removed(dice):
    return {"file": {"path": dice.choice(FOLDERS + FILES), "state": "absent"}}


def link(dice):
    return {"file": {"src": dice.choice(FILES), "dest": "/srv/link", "state": "link", "force": True}}


def copy(dice):
    args = {"dest": dice.choice(FILES), "content": dice.choice(["x=1\ny=2\n", "x=2\n"]), "mode": "0640"}
    if dice.random() < 0.4:
        args["owner"] = dice.choice(USERS)
    return {"copy": args, "notify": "told"}


def copied(dice):
    return {"copy": {"src": dice.choice(FILES), "dest": "/srv/copy.ini", "remote_src": True}}


def line(dice):
    return {"lineinfile": {"path": dice.choice(FILES), "regexp": "^y=", "line": dice.choice(["y=2", "y=3"])}}


def block(dice):
    return {"blockinfile": {"path": dice.choice(FILES), "block": "z=1", "create": dice.choice([True, False])}}


def replaced(dice):
    return {"replace": {"path": dice.choice(FILES), "regexp": "x=1", "replace": "x=9"}}


def unit_file(dice):
    return {"copy": {"dest": f"/etc/systemd/system/{dice.choice(UNITS)}.service", "content": UNIT}}


def unit(dice):
    args = {"name": dice.choice(UNITS), "state": dice.choice(["started", "restarted", "stopped"])}
    return {"systemd": args | {"enabled": dice.choice([True, False]), "daemon_reload": True}}


def looked_at(dice):
    file = dice.choice(FILES)
    then = {"copy": {"dest": f"{file}.seen", "content": "seen\n"}, "when": "looked.stat.exists"}
    return [{"stat": {"path": file}, "register": "looked"}, then]


def made(dice):
    return {"command": {"cmd": "touch /srv/made", "creates": "/srv/made"}}


def asked(dice):
    query = {"command": "id -u root", "register": "asked", "changed_when": False}
    return [query, {"copy": {"dest": "/srv/asked", "content": "{{ asked.stdout }}\n"}}]


def items(dice):
    args = {"path": "/srv/items/{{ item }}", "state": "directory"}
    return {"file": args, "loop": dice.sample(["a", "b", "c"], 2)}


KINDS = [
    (3, user), (2, group), (4, folder), (2, removed), (1, link), (4, copy), (2, copied), (3, line),
    (2, block), (1, replaced), (3, unit_file), (3, unit), (2, looked_at), (1, made), (1, asked), (1, items),
]


def sequence(seed, number):
    """The tasks of a sequence."""
    dice = random.Random(f"{seed}/{number}")
    weights = [weight for weight, _ in KINDS]
    tasks = []
    while len(tasks) < 14:
        made = dice.choices([kind for _, kind in KINDS], weights)[0](dice)
        tasks.extend(made if isinstance(made, list) else [made])
    return [{"name": f"{n:02} {next(iter(task))}"} | task for n, task in enumerate(tasks)]


def playbook(tasks):
    """The tasks as a playbook; it goes on where one fails. JSON is YAML."""
    told = {"name": "told", "copy": {"dest": "/srv/told", "content": "told\n"}}
    play = {
        "hosts": "all", "gather_facts": False, "ignore_errors": True, "become": True,
        "tasks": tasks, "handlers": [told],
    }
    return json.dumps([play], indent=2)
