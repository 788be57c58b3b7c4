"""Runs filters, tests and lookups that are written in Python.

Called with the folder of Ansible's packages (empty where it is not installed) and those of collections.
A line of JSON on standard input is a call, a line on standard output its answer. With Ansible installed
its own loader finds the plugins, as it would for a playbook; without it, those of plain folders.
"""

import importlib.util
import json
import os
import sys


class Missing(Exception):
    """There is no plugin of that name."""


class Unloaded(Exception):
    """A plugin is there, and cannot be loaded."""


class WithAnsible:
    def __init__(self, collections):
        from ansible.plugins import loader

        loader.init_plugin_loader(collections)
        self.loaders = {
            "filter": loader.filter_loader,
            "test": loader.test_loader,
            "lookup": loader.lookup_loader,
        }
        self.known = set()

    def call(self, kind, name, given, named, variables, folders):
        for folder in folders:
            if (kind, folder) not in self.known:
                self.known.add((kind, folder))
                self.loaders[kind].add_directory(folder)
        if kind == "lookup":
            return self.lookup(name, given, named, variables)
        return self.found(kind, name).j2_function(*given, **named)

    def lookup(self, name, given, named, variables):
        from ansible.parsing.dataloader import DataLoader
        from ansible.template import Templar

        loader = DataLoader()
        if "playbook_dir" in variables:
            loader.set_basedir(variables["playbook_dir"])
        templar = Templar(loader=loader, variables=variables)
        plugin = self.found("lookup", name, loader=loader, templar=templar)
        return list(plugin.run(given, variables=variables, **named))

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

    def call(self, kind, name, given, named, variables, folders):
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

    def of(self, module, kind):
        if kind == "filter" and hasattr(module, "FilterModule"):
            return module.FilterModule().filters()
        if kind == "test" and hasattr(module, "TestModule"):
            return module.TestModule().tests()
        return {}


def plain(value):
    """A value that is none of JSON's: a set or an iterator as a list, all else as text."""
    try:
        return list(value)
    except TypeError:
        return str(value)


def answer(plugins, line):
    call = json.loads(line)
    try:
        value = plugins.call(call["kind"], call["name"], call["given"], call["named"], call["vars"], call["folders"])
        return {"value": bool(value) if call["kind"] == "test" else value}
    except Missing:
        return {"missing": True}
    except Unloaded as error:
        return {"error": "failed to load: %s" % error}
    except Exception as error:
        return {"error": "failed: %s" % (error or type(error).__name__)}


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
