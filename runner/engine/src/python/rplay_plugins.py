"""Runs filters, tests and lookups that are written in Python, and forks processes for actions.

Called with the folder of Ansible's packages (empty where it is not installed) and those of collections.
A line of JSON on standard input is a call, a line on standard output its answer. With Ansible installed
its own loader finds the plugins, as it would for a playbook; without it, those of plain folders.
"""

import importlib.util
import json
import os
import sys


UNDEFINED = "__rplay_undefined__"


def is_undefined(value):
    return isinstance(value, dict) and UNDEFINED in value


class Missing(Exception):
    """There is no plugin of that name."""


class Unloaded(Exception):
    """A plugin is there, and cannot be loaded."""


class WithAnsible:
    def __init__(self, collections):
        from ansible.plugins import loader

        loader.init_plugin_loader(collections)
        self.loaders = {
            "action": loader.action_loader,
            "become": loader.become_loader,
            "connection": loader.connection_loader,
            "filter": loader.filter_loader,
            "inventory": loader.inventory_loader,
            "lookup": loader.lookup_loader,
            "module": loader.module_loader,
            "module_utils": loader.module_utils_loader,
            "test": loader.test_loader,
        }
        self.known = set()
        # Forked processes that were not seen to end.
        self.forked = set()

    def enter(self, folders):
        """Playbooks and roles have plugins of any kind beside them."""
        from ansible.plugins.loader import add_all_plugin_dirs

        for folder in folders:
            if folder not in self.known:
                self.known.add(folder)
                add_all_plugin_dirs(folder)

    def add(self, kind, folders):
        for folder in folders:
            if (kind, folder) not in self.known:
                self.known.add((kind, folder))
                self.loaders[kind].add_directory(folder)

    def fork(self, folders, path):
        for kind in folders:
            self.add(kind, folders[kind])
        # One that has ended stays in the table of processes until somebody looks.
        self.forked = {pid for pid in self.forked if os.waitpid(pid, os.WNOHANG) == (0, 0)}
        self.forked.add(begin(path))

    def inventory(self, name, path, known, cache, folders):
        from ansible.parsing.dataloader import DataLoader

        self.add("inventory", folders)
        plugin = self.found("inventory", name)
        if not plugin.verify_file(path):
            raise Missing(path)
        inventory = known_inventory(known)
        plugin.parse(inventory, DataLoader(), path, cache=cache)
        if hasattr(plugin, "update_cache_if_changed"):
            plugin.update_cache_if_changed()
        return listed(inventory)

    def call(self, kind, name, given, named, vars, folders):
        self.add(kind, folders)
        if kind == "lookup":
            return self.lookup(name, given, named, variables(vars))
        return self.found(kind, name).j2_function(*given, **named)

    def lookup(self, name, given, named, vars):
        from ansible.parsing.dataloader import DataLoader
        from ansible.template import Templar

        loader = DataLoader()
        if "playbook_dir" in vars:
            loader.set_basedir(vars["playbook_dir"])
        plugin = self.found("lookup", name, loader=loader, templar=Templar(loader=loader, variables=vars))
        missing = [term for term in given if is_undefined(term)]
        if missing and not getattr(plugin, "accept_args_markers", False):
            return missing[:1]
        return list(plugin.run(given, variables=vars, **named))

    def found(self, kind, name, **more):
        try:
            plugin = self.loaders[kind].get(name, **more)
        except KeyError:
            plugin = None
        except Exception as error:
            raise Unloaded(str(error))
        if plugin is None:
            raise Missing(name)
        return plugin


class Alone:
    """Finds plugins in plain folders."""

    def __init__(self):
        self.files = {}
        self.failed = {}

    def module(self, path):
        if path not in self.files:
            spec = importlib.util.spec_from_file_location("rplay_plugin_%d" % len(self.files), path)
            module = importlib.util.module_from_spec(spec)
            self.files[path] = None
            try:
                spec.loader.exec_module(module)
                self.files[path] = module
            except Exception as error:
                self.failed[path] = error
        return self.files[path]

    def call(self, kind, name, given, named, vars, folders):
        if kind == "lookup":
            raise RuntimeError("lookups in Python need ansible-core, which is not installed here")
        for folder in folders:
            for file in sorted(os.listdir(folder)):
                if not file.endswith(".py"):
                    continue
                module = self.module(os.path.join(folder, file))
                found = self.of(module, kind).get(name) if module else None
                if found:
                    return found(*given, **named)
        for path, error in self.failed.items():
            raise Unloaded("it is nowhere, but perhaps in `%s`: %s" % (path, error))
        raise Missing(name)

    def enter(self, folders):
        """What is beside them is named."""

    def inventory(self, name, **_):
        raise Missing(name)

    def fork(self, folders, path):
        raise RuntimeError("actions in Python need ansible-core, which is not installed here")

    def of(self, module, kind):
        if kind == "filter" and hasattr(module, "FilterModule"):
            return module.FilterModule().filters()
        if kind == "test" and hasattr(module, "TestModule"):
            return module.TestModule().tests()
        return {}


def known_inventory(known):
    """What other sources had."""
    from ansible.inventory.data import InventoryData

    inventory = InventoryData()
    for name, group in known["groups"].items():
        inventory.add_group(name)
        for key, value in variables(group["vars"]).items():
            inventory.set_variable(name, key, value)
    for name, values in known["hosts"].items():
        inventory.add_host(name)
        for key, value in variables(values).items():
            inventory.set_variable(name, key, value)
    for name, group in known["groups"].items():
        for child in group["children"]:
            if name != "all":
                inventory.add_child(name, child)
        for host in group["hosts"]:
            inventory.add_host(host, group=name)
    return inventory


def listed(inventory):
    """An inventory as a program prints it."""
    groups = {
        name: {
            "hosts": [host.name for host in group.hosts],
            "children": [child.name for child in group.child_groups],
            "vars": marked(group.vars),
        }
        for name, group in inventory.groups.items()
    }
    hosts = {name: marked(host.vars) for name, host in inventory.hosts.items()}
    loose = set(hosts) - {host for group in groups.values() for host in group["hosts"]}
    groups.setdefault("ungrouped", {"hosts": []})["hosts"] += sorted(loose)
    groups["_meta"] = {"hostvars": hosts}
    return groups


def marked(value):
    """Values, of which texts that look like templates and are none say so."""
    if isinstance(value, dict):
        return {str(key): marked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [marked(item) for item in value]
    if isinstance(value, str) and "{" in value and not trusted_already(value):
        return {"__ansible_unsafe": str(value)}
    return value


def trusted_already(text):
    try:
        from ansible.template import is_trusted_as_template
    except ImportError:
        return not type(text).__name__.startswith("AnsibleUnsafe")
    return is_trusted_as_template(text)


def plain(value):
    """A value that is none of JSON's: a set or an iterator as a list, all else as text."""
    try:
        return list(value)
    except TypeError:
        return str(value)


def answer(plugins, line):
    call = json.loads(line)
    try:
        plugins.enter(call["beside"])
        if call["kind"] == "action":
            return {"value": plugins.fork(call["folders"], call["socket"])}
        if call["kind"] == "inventory":
            named = {key: call[key] for key in ("name", "path", "known", "cache", "folders")}
            return {"value": plugins.inventory(**named)}
        asked = {key: call[key] for key in ("kind", "name", "given", "named", "vars", "folders")}
        value = plugins.call(**asked)
        return {"value": bool(value) if call["kind"] == "test" else value}
    except Missing:
        return {"missing": True}
    except Unloaded as error:
        return {"error": "failed to load: %s" % error}
    except Exception as error:
        words = str(error) or type(error).__name__
        return {"error": words if call["kind"] == "inventory" else "failed: %s" % words}


def main():
    site, collections = sys.argv[1], sys.argv[2:]
    # What a plugin prints is not part of an answer.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if site:
        sys.path.insert(0, site)
    plugins = WithAnsible(collections) if site else Alone()
    for line in sys.stdin:
        output.write(json.dumps(answer(plugins, line), default=plain) + "\n")
        output.flush()


main()
