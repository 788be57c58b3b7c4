"""Runs a module that is written with Ansible's library.

It stands in the folder of that library, which is therefore where Python looks first. Its one argument
is the module's name there; the module's arguments come on standard input, and the module prints its
result.
"""

import json
import os
import runpy
import sys
import traceback


def main():
    name = sys.argv.pop(1)
    library = os.path.dirname(os.path.abspath(__file__))
    from ansible.module_utils import basic

    basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
    basic._ANSIBLE_PROFILE = "legacy"
    known = {"_module_fqn": name, "_modlib_path": library}
    runpy.run_module(name, init_globals=known, run_name="__main__", alter_sys=True)


try:
    main()
except Exception as error:
    text = traceback.format_exc()
    sys.stderr.write(text)
    print(json.dumps({"failed": True, "msg": str(error), "exception": text}))
    sys.exit(1)
