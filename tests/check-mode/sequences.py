"""Sequences of tasks, the same for the same seed: files, users, groups, units, packages and their
repositories, cron jobs, archives and commands, over a few names, so that later tasks depend on what
earlier ones make."""

import json
import random

USERS = ["app", "web"]
GROUPS = ["ops", "dev"]
FOLDERS = ["/srv/one", "/srv/two", "/srv/one/in"]
FILES = ["/srv/one/a.ini", "/srv/two/b.ini", "/srv/one/in/c.ini"]
UNITS = ["sleeper", "waiter"]
REPOSITORIES = {"lab": "file:/srv/repository", "newer": "file:/srv/repository/newer"}
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


def source(dice):
    """A repository, in either of apt's two languages, and the lists of it."""
    name = dice.choice(list(REPOSITORIES))
    state = dice.choice(["present", "present", "absent"])
    if dice.random() < 0.5:
        there = {"name": name, "uris": REPOSITORIES[name], "suites": "./", "trusted": True}
        made = {"deb822_repository": {**there, "state": state}}
    else:
        line = f"deb [trusted=yes] {REPOSITORIES[name]} ./"
        made = {"apt_repository": {"repo": line, "state": state, "filename": name, "update_cache": False}}
    return [made, {"apt": {"update_cache": True}}]


def package(dice):
    args = {"name": dice.choice(["greeter", "greeter-data", "single"])}
    args["state"] = dice.choice(["present", "present", "latest", "absent"])
    if args["state"] == "absent":
        args["purge"] = dice.choice([True, False])
    return {dice.choice(["apt", "apt", "package"]) if "purge" not in args else "apt": args}


def archive(dice):
    """A package in a file of its own."""
    return {"apt": {"deb": "/srv/repository/single_2.1-1_all.deb"}}


def of_package(dice):
    """What a package brings, or is told of it."""
    return dice.choice([
        {"service": {"name": "greeter", "state": dice.choice(["started", "restarted", "stopped"])}},
        {"service": {"name": "greeter", "enabled": dice.choice([True, False])}},
        {"copy": {"dest": "/etc/greeter/more.conf", "content": "more=1\n"}, "notify": "told"},
        {"lineinfile": {"path": "/etc/greeter/greeter.conf", "regexp": "^greeting=", "line": "greeting=hi"}},
        {"copy": {"dest": "/etc/default/single", "content": "one=2\n"}},
        {"file": {"path": "/etc/default/single", "state": "absent"}},
        {"dpkg_selections": {"name": "greeter", "selection": "install"}},
    ])


def listed(dice):
    """Who asks what is installed is told of what would be."""
    name = dice.choice(["greeter", "single"])
    then = {"copy": {"dest": f"/srv/{name}.there", "content": "there\n"}, "when": f"'{name}' in ansible_facts.packages"}
    return [{"package_facts": {}}, then]


def running(dice):
    name = dice.choice([*UNITS, "greeter"])
    there = f"'{name}.service' in ansible_facts.services and ansible_facts.services['{name}.service'].state == 'running'"
    return [{"service_facts": {}}, {"copy": {"dest": f"/srv/{name}.runs", "content": "runs\n"}, "when": there}]


def cron(dice):
    args = {"name": dice.choice(["one", "two"]), "cron_file": "jobs", "user": dice.choice(["root", *USERS])}
    if dice.random() < 0.3:
        return {"cron": args | {"state": "absent"}}
    return {"cron": args | {"minute": dice.choice(["1", "2"]), "job": "true"}}


def unpacked(dice):
    """An archive that is downloaded and unpacked, and a file out of it."""
    get = {"url": "http://releases.lab:8080/etcd/v3.5.1/etcd-v3.5.1-linux-amd64.tar.gz", "dest": "/srv/etcd.tar.gz"}
    unpack = {"src": "/srv/etcd.tar.gz", "dest": "/srv/one", "remote_src": True, "extra_opts": ["--strip-components=1"]}
    take = {"src": "/srv/one/etcdctl", "dest": "/usr/local/bin/etcdctl", "remote_src": True, "mode": "0755"}
    return [{"get_url": get}, {"unarchive": unpack}, {"copy": take}]


def known_host(dice):
    key = "example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    args = {"name": "example.com", "path": dice.choice(FILES), "state": dice.choice(["present", "absent"])}
    return {"known_hosts": args | ({"key": key} if args["state"] == "present" else {})}


def named(dice):
    return {"hostname": {"name": dice.choice(["one", "two"])}}


def asked_for(dice):
    """An account as the host's own tools tell it."""
    name = dice.choice(USERS)
    ask = {"getent": {"database": "passwd", "key": name, "fail_key": False}}
    there = f"(ansible_facts.getent_passwd | default({{}})).get('{name}') is not none"
    return [ask, {"copy": {"dest": f"/srv/{name}.shell", "content": "known\n"}, "when": there}]


KINDS = [
    (3, user), (2, group), (4, folder), (2, removed), (1, link), (4, copy), (2, copied), (3, line),
    (2, block), (1, replaced), (3, unit_file), (3, unit), (2, looked_at), (1, made), (1, asked), (1, items),
    (2, source), (5, package), (1, archive), (4, of_package), (1, listed), (1, running), (2, cron),
    (1, unpacked), (1, known_host), (1, named), (1, asked_for),
]


def sequence(seed, number):
    """The tasks of a sequence."""
    dice = random.Random(f"{seed}/{number}")
    weights = [weight for weight, _ in KINDS]
    tasks = []
    while len(tasks) < 20:
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
