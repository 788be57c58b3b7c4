"""Runs the action of one task that is written in Python, in a process of its own.

It is forked from the process that runs plugins, so that nothing has to be loaded again and no action
can spoil another one. It connects to the socket that it is given, reads the task, and asks rplay there
for whatever touches the host: a module, a command, a file. Where the host's connection is itself a
plugin in Python, Ansible's own library does all that, and nothing is asked.

It is called `Rplay` here who listens: a line of JSON for a question, and one for its answer.
"""

import base64
import json
import os
import socket
import sys
import traceback

TEMPLATE = "__rplay_template__"


class Rplay:
    """The other side: answers questions of the task's host."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw", encoding="utf-8")

    def read(self):
        line = self.lines.readline()
        if not line:
            # Nobody waits for the rest.
            raise SystemExit(0)
        return json.loads(line)

    def tell(self, what):
        self.lines.write(json.dumps(what, default=plain_value) + "\n")
        self.lines.flush()

    def ask(self, what, **more):
        from ansible.errors import AnsibleConnectionFailure, AnsibleError

        self.tell(dict(more, ask=what))
        answer = self.read()
        if "unreachable" in answer:
            raise AnsibleConnectionFailure(answer["unreachable"])
        if "error" in answer:
            raise AnsibleError(answer["error"])
        return answer


def plain_value(value):
    """A value that is none of JSON's."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if hasattr(value, "keys"):
        return {key: value[key] for key in value.keys()}
    try:
        return list(value)
    except TypeError:
        return str(value)


def variables(value):
    """What was written in a playbook is a template again, all else is data."""
    if isinstance(value, dict):
        if TEMPLATE in value:
            return trusted(value[TEMPLATE])
        return {key: variables(item) for key, item in value.items()}
    if isinstance(value, list):
        return [variables(item) for item in value]
    return value


def trusted(text):
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    return trust_as_template(text)


class Known:
    """What Ansible's `hostvars` asks for hosts and their variables."""

    def __init__(self, rplay, hosts):
        self.rplay = rplay
        self.hosts = hosts

    def get_host(self, name):
        from ansible import constants as C

        return name if name in self.hosts or name in C.LOCALHOST else None

    def get_vars(self, host=None, include_hostvars=False, **_):
        return variables(self.rplay.ask("hostvars", host=host)["vars"])


def native(connection, rplay):
    """Has a connection of Ansible's say what it is, and rplay do what it does."""
    from ansible.errors import AnsibleFileNotFound

    def exec_command(cmd, in_data=None, sudoable=True):
        given = base64.b64encode(in_data).decode() if in_data else None
        ran = rplay.ask("exec", command=text_of(cmd), input=given, become=bool(sudoable))
        return ran["rc"], base64.b64decode(ran["stdout"]), base64.b64decode(ran["stderr"])

    def put_file(in_path, out_path):
        if not os.path.exists(in_path):
            raise AnsibleFileNotFound("file or module does not exist: %s" % in_path)
        rplay.ask("put", path=text_of(in_path), to=text_of(out_path))

    def fetch_file(in_path, out_path):
        rplay.ask("fetch", path=text_of(in_path), to=text_of(out_path))

    connection.exec_command = exec_command
    connection.put_file = put_file
    connection.fetch_file = fetch_file
    connection._connect = lambda: connection
    connection.close = lambda: None
    connection.reset = lambda: rplay.ask("reset") and None
    connection._connected = True
    if connection.become:
        # rplay becomes the user: what is to run is told as it is.
        connection.become.build_become_command = lambda cmd, shell: cmd


def text_of(words):
    return words.decode("utf-8", "surrogateescape") if isinstance(words, bytes) else words


def run_modules_with(rplay, action_class):
    """Lets actions call modules by rplay, which has most of them itself."""
    def execute(self, module_name=None, module_args=None, tmp=None, task_vars=None, persist_files=False,
                delete_remote_tmp=None, wrap_async=False, ignore_unknown_opts=False):
        name = module_name or self._task.action
        args = self._task.args if module_args is None else module_args
        seconds = self._task.async_val if wrap_async else 0
        asked = {"name": name, "args": dict(args), "seconds": seconds, "lenient": ignore_unknown_opts}
        result = rplay.ask("module", **asked)["result"]
        return variables(result)

    action_class._execute_module = execute


class Kept:
    """The connection that the items of a loop share."""

    def __init__(self):
        self.name = None
        self.connection = None


class Task:
    """One item of a task on one host, as rplay tells it."""

    def __init__(self, rplay, told, kept):
        from ansible import context
        from ansible.parsing.dataloader import DataLoader
        from ansible.utils.context_objects import CLIArgs

        self.rplay = rplay
        self.told = told
        self.kept = kept
        # Plugins ask the command line for what nobody else says.
        context._init_global_context(CLIArgs(told["command_line"]))
        self.loader = DataLoader()
        self.loader.set_basedir(told["basedir"])
        hostvars = self.hostvars()
        self.vars = dict(variables(told["vars"]), hostvars=hostvars)
        self.vars["vars"] = dict(self.vars)
        # Those that say how the host is reached, where the task is delegated to another one.
        self.reached = dict(variables(told.get("reached") or told["vars"]), hostvars=hostvars)

    def hostvars(self):
        from ansible.vars.hostvars import HostVars

        known = Known(self.rplay, self.told["hosts"])
        try:
            return HostVars(inventory=known, variable_manager=known, loader=self.loader)
        except TypeError:
            # Another release of the library makes them in another way.
            return {}

    def templar(self, values):
        from ansible.template import Templar

        return Templar(loader=self.loader, variables=values)

    def task(self):
        from ansible.playbook.task import Task as AnsibleTask

        task = AnsibleTask()
        for name, value in self.told["task"].items():
            setattr(task, name, value)
        task.args = dict(self.told["task"]["args"])
        task._resolved_action = self.told["task"]["action"]
        task._finalized = task._squashed = True
        return task

    def play_context(self, task):
        from ansible.playbook.play_context import PlayContext

        context = PlayContext(passwords={})
        context._finalized = context._squashed = True
        for name, value in self.told["play_context"].items():
            setattr(context, name, value)
        for name in ("check_mode", "diff", "become", "become_user", "become_method", "no_log"):
            setattr(context, name, getattr(task, name, None))
        return context

    def rendered(self, names):
        """Those of the variables that there are."""
        templar = self.templar(self.reached)
        return {name: templar.template(self.reached[name]) for name in names if name in self.reached}

    def connection(self, task, context):
        connection = self.connected(context)
        keys = dict(self.told["play_context"], **self.told["task"])
        keys["timeout"] = context.timeout
        connection.set_become_plugin(self.become(context, keys))
        self.set_options(connection, "connection", connection._load_name, keys)
        shell = connection._shell
        if shell:
            self.set_options(shell, "shell", shell._load_name, keys)
        if self.told["connection"]["native"]:
            native(connection, self.rplay)
        return connection

    def connected(self, context):
        from ansible.errors import AnsibleError
        from ansible.plugins import loader

        name = self.told["connection"]["name"]
        kept = self.kept
        if kept.name == name and kept.connection.connected:
            return kept.connection
        more = {"new_stdin": None, "task_uuid": "rplay", "ansible_playbook_pid": os.getppid()}
        connection = loader.connection_loader.get(name, context, **more)
        if connection is None and self.told["connection"]["native"]:
            # It says nothing of itself then: rplay has it, and Ansible has not.
            connection = loader.connection_loader.get("local", context, **more)
        if connection is None:
            raise AnsibleError("the connection plugin '%s' was not found" % name)
        kept.name, kept.connection = name, connection
        return connection

    def become(self, context, keys):
        from ansible.plugins import loader

        if not context.become:
            return None
        become = loader.become_loader.get(context.become_method or "sudo")
        if become:
            self.set_options(become, "become", become._load_name, keys)
        return become

    def set_options(self, plugin, kind, name, keys):
        from ansible import constants as C

        values = self.rendered(C.config.get_plugin_vars(kind, name))
        if kind == "connection" and getattr(plugin, "allow_extras", False):
            own = "ansible_%s_" % name.split(".")[-1]
            values["_extras"] = self.rendered([key for key in self.reached if key.startswith(own)])
        plugin.set_options(task_keys=keys, var_options=values)

    def action(self):
        from ansible.plugins import loader
        from ansible.plugins.action import ActionBase

        told = self.told
        task = self.task()
        context = self.play_context(task)
        connection = self.connection(task, context)
        if told["connection"]["native"]:
            run_modules_with(self.rplay, ActionBase)
        find = self.rplay

        def needle(action, dirname, name):
            return find.ask("find", kind=dirname, name=name)["path"]

        ActionBase._find_needle = needle
        more = {
            "task": task,
            "connection": connection,
            "play_context": context,
            "loader": self.loader,
            "templar": self.templar(self.vars),
            "shared_loader_obj": loader,
        }
        collections = told["collections"]
        if collections and "ansible.legacy" not in collections:
            collections = collections + ["ansible.legacy"]
        # Ansible has actions of its own, for what is called on a host that only Python reaches.
        name = told["plugin"] or told["task"]["action"]
        if not loader.action_loader.has_plugin(name, collection_list=collections or None):
            name = "ansible.legacy.normal"
        action = loader.action_loader.get(name, collection_list=collections or None, **more)
        if action is None:
            raise RuntimeError("the action plugin '%s' could not be loaded" % name)
        return action

    def run(self):
        action = self.action()
        try:
            return action.run(task_vars=self.vars)
        finally:
            action.cleanup()


def outcome(task):
    """What an action ended with: its result, or why there is none."""
    from ansible.errors import AnsibleAction, AnsibleActionFail, AnsibleActionSkip, AnsibleConnectionFailure

    try:
        return task.run()
    except AnsibleActionSkip as skip:
        return dict(getattr(skip, "result", None) or {}, skipped=True, msg=words_of(skip))
    except AnsibleConnectionFailure as lost:
        return {"unreachable": True, "msg": words_of(lost)}
    except AnsibleActionFail as failed:
        result = dict(getattr(failed, "result", None) or {}, failed=True, exception=traceback.format_exc())
        result.setdefault("msg", words_of(failed))
        return result
    except AnsibleAction as other:
        return dict(getattr(other, "result", None) or {}, failed=True, msg=words_of(other))


def words_of(error):
    return str(getattr(error, "message", None) or error)


def heard(display):
    """What is warned of while an action runs, which its result tells."""
    warnings, deprecations = [], []

    def warning(msg, *_, **__):
        if msg not in warnings:
            warnings.append(str(msg))

    def deprecated(msg, version=None, removed=False, date=None, collection_name=None, **_):
        told = {"msg": str(msg), "version": version, "date": date, "collection_name": collection_name}
        deprecations.append({key: value for key, value in told.items() if value})

    display.warning = warning
    display.deprecated = deprecated
    return warnings, deprecations


def act(path):
    """A forked process's whole life: the items of a task, until nobody speaks any more."""
    rplay = Rplay(path)
    kept = Kept()
    while True:
        rplay.tell({"result": result_of(rplay, rplay.read(), kept)})


def result_of(rplay, told, kept):
    from ansible.utils.display import Display

    display = Display()
    display.verbosity = told["play_context"]["verbosity"]
    warnings, deprecations = heard(display)
    try:
        result = dict(outcome(Task(rplay, told, kept)))
    except Exception as error:
        result = {"raised": words_of(error), "failed": True, "exception": traceback.format_exc()}
    if warnings:
        result["warnings"] = list(result.get("warnings") or []) + warnings
    if deprecations:
        result["deprecations"] = list(result.get("deprecations") or []) + deprecations
    return result


def begin(path):
    """Forks a process for an action; its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        act(path)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
