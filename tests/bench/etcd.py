"""The etcd role as work: itself for rplay, and the same steps for ansible.

ansible-core has neither Handlebars nor the role's modules for certificates and etcdctl. What it runs
is the role's own task files, its templates turned into Jinja2, certificates by openssl, and etcdctl by
`command` (tests/bench/etcd/).
"""

import re
import shutil
from pathlib import Path

from tools import TREE
from work import Work

HERE = Path(__file__).resolve().parent
ROLE = TREE / "roles/etcd-tls"
VERSION = "3.5.1"
RELEASE = f"etcd-v{VERSION}-linux-amd64.tar.gz"

# The release stays; everything else that the role makes goes.
RESET = f"""
systemctl stop etcd 2>/dev/null; systemctl disable -q etcd 2>/dev/null
rm -rf /usr/local/bin/etcd* /etc/etcd /var/lib/etcd /lib/systemd/system/etcd.service /etc/profile.d/etcdctl.sh
userdel etcd 2>/dev/null; groupdel etcd 2>/dev/null
systemctl daemon-reload; systemctl reset-failed
mkdir -p /var/cache/etcd-release && cd /var/cache/etcd-release && rm -rf etcd-v*-amd64
[ -f {RELEASE} ] || python3 -c 'import urllib.request as r; r.urlretrieve("https://releases.lab:8443/etcd/v{VERSION}/{RELEASE}", "{RELEASE}")' || exit 1
"""
PROOF = (
    "systemctl is-active etcd; ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.pem "
    "--cert /etc/etcd/client.pem --key /etc/etcd/client-key.pem member list | grep -c started"
)


def jinja(text):
    """The Handlebars that the role's templates use, as Jinja2."""
    text = re.sub(r"\{\{#each (\w+)\}\}\{\{this\}\}\{\{#unless @last\}\}(.*?)\{\{/unless\}\}\{\{/each\}\}", r"{{ \1 | join('\2') }}", text)
    text = re.sub(r"\{\{#if (\w+)\}\}", r"{% if \1 %}", text)
    return text.replace("{{else}}", "{% else %}").replace("{{/if}}", "{% endif %}")


def for_ansible(role):
    shutil.copytree(ROLE, role)
    for path in role.glob("templates/*.hbs"):
        path.with_suffix(".j2").write_text(jinja(path.read_text()))
        path.unlink()
    for path in role.glob("tasks/*.yml"):
        path.write_text(path.read_text().replace(".hbs", ".j2"))
    for name in ("certificates.yml", "verify.yml"):
        shutil.copy(HERE / "etcd" / name, role / "tasks" / name)
    variables = role / "vars/main.yml"
    variables.write_text(variables.read_text() + (HERE / "etcd/issue.yml").read_text())


def write(folder):
    if (folder / "roles").exists():
        return
    shutil.copytree(ROLE, folder / "roles/etcd-tls")
    for_ansible(folder / "roles/etcd-tls-ansible")
    shutil.copytree(TREE / "inventories/staging", folder / "staging", ignore=shutil.ignore_patterns(".pki"))
    shutil.copy(TREE / "tests/lab/vars.yml", folder / "vars.yml")
    for name, role in (("etcd", "etcd-tls"), ("etcd-ansible", "etcd-tls-ansible")):
        (folder / f"{name}.yml").write_text((TREE / "playbooks/etcd.yml").read_text().replace("- etcd-tls", f"- {role}"))


def etcd():
    arguments = ("-i", "staging", "-e", "@vars.yml")
    return Work(
        "etcd", None, "", PROOF, "active\n3", beside=write, reset=RESET, forget="staging/.pki",
        for_ansible="etcd-ansible", arguments=arguments,
    )
