//! The programs that connections go through, and their words: each a stand-in on PATH that writes down
//! what it is called with and runs the shell's words where it is.

// The steps that tests share are tests too.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const STAND_IN: &str = r#"#!/bin/sh
line="$(basename "$0")"
for word; do case $word in /bin/sh) break;; esac; line="$line $word"; done
echo "$line" >> "$STAND_INS/calls"
env | grep ^KUBE_ >> "$STAND_INS/calls"
while [ $# -gt 0 ]; do case $1 in /bin/sh) exec "$@";; esac; shift; done
exit 64
"#;

const PROGRAMS: &[&str] = &[
    "buildah",
    "chroot",
    "docker",
    "incus",
    "kubectl",
    "lxc",
    "lxc-attach",
    "nsenter",
    "oc",
    "podman",
    "virsh",
];

/// A folder with stand-ins, an inventory of one host `web` with variables, and a play.
fn rplay(folder: &Path, vars: &str, play: &str, options: &[&str]) -> Output {
    for name in PROGRAMS {
        let path = folder.join(name);
        std::fs::write(&path, STAND_IN).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::fs::write(
        folder.join("inventory.yml"),
        format!("all: {{hosts: {{web: {{{vars}}}}}}}\n"),
    )
    .unwrap();
    std::fs::write(folder.join("play.yml"), play).unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new(env!("CARGO_BIN_EXE_rplay"))
        .args(["play.yml", "-i", "inventory.yml"])
        .args(options)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("STAND_INS", folder)
        .env("RPLAY_ANSIBLE_LIBRARY", "")
        .output()
        .unwrap()
}

const RAW: &str = "- hosts: web\n  gather_facts: false\n  tasks:\n    - raw: echo it is $((6*7))\n      register: said\n    - assert: {that: said.stdout == 'it is 42\\n'}\n";

/// The words that a connection's program is called with, up to the shell.
fn words(vars: &str) -> String {
    words_with(vars, RAW, &[])
}

fn words_with(vars: &str, play: &str, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = rplay(folder.path(), vars, play, options);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    calls.trim_end().to_owned()
}

#[test]
fn a_connection_needs_nothing_but_its_name() {
    let cases = [
        ("docker", "docker exec --interactive web"),
        (
            "community.docker.docker_api",
            "docker exec --interactive web",
        ),
        ("containers.podman.podman", "podman exec --interactive web"),
        ("containers.podman.buildah", "buildah run web --"),
        ("community.general.chroot", "chroot web"),
        ("community.general.lxc", "lxc-attach --name web --"),
        ("community.general.lxd", "lxc exec local:web --"),
        (
            "community.general.incus",
            "incus --project default exec local:web --",
        ),
        (
            "community.libvirt.libvirt_lxc",
            "virsh -q -c lxc:/// lxc-enter-namespace web --",
        ),
        ("kubernetes.core.kubectl", "kubectl exec -i web --"),
        ("community.okd.oc", "oc exec -i web --"),
        (
            "community.docker.nsenter",
            "nsenter --ipc --mount --net --pid --uts --preserve-credentials --target=1 --",
        ),
    ];
    for (connection, expected) in cases {
        let vars = format!("ansible_connection: {connection}");
        assert_eq!(words(&vars), expected, "{connection}");
    }
}

#[test]
fn dockers_variables_are_its_words() {
    let vars = "ansible_connection: docker, ansible_host: h, ansible_docker_host: box, \
                ansible_user: u, ansible_docker_user: joe, ansible_docker_working_dir: /srv, \
                ansible_docker_privileged: true, ansible_docker_extra_env: {A: '1', B: two}, \
                ansible_docker_extra_args: '--context \"my own\"', \
                ansible_docker_docker_host: 'tcp://d:2376', ansible_docker_tls: yes";
    assert_eq!(
        words(vars),
        "docker --host tcp://d:2376 --tls --context my own exec --user joe --env A=1 --env B=two \
         --workdir /srv --privileged --interactive box"
    );
}

#[test]
fn the_user_is_the_one_of_the_variable_the_keyword_or_the_command_line() {
    let of_keyword = RAW.replace("  tasks:", "  remote_user: ann\n  tasks:");
    let vars = "ansible_connection: podman";
    let with = |vars: &str, play: &str| words_with(vars, play, &["-u", "eve"]);
    assert_eq!(with(vars, RAW), "podman exec --user eve --interactive web");
    assert_eq!(
        with(vars, &of_keyword),
        "podman exec --user ann --interactive web"
    );
    let of_variable = format!("{vars}, ansible_user: joe");
    assert_eq!(
        with(&of_variable, &of_keyword),
        "podman exec --user joe --interactive web"
    );
}

#[test]
fn the_variables_of_kubectl_and_oc_have_their_names_in_them() {
    let vars = |name: &str| {
        format!(
            "ansible_connection: {name}, ansible_{name}_namespace: ns, ansible_{name}_pod: p, \
             ansible_{name}_container: c, ansible_{name}_context: ctx, ansible_{name}_host: h, \
             ansible_{name}_kubeconfig: /k, ansible_{name}_token: hush, \
             ansible_{name}_verify_ssl: false, ansible_{name}_extra_args: '-v 1', \
             ansible_{name}_local_env_vars: {{KUBE_A: b}}"
        )
    };
    for name in ["kubectl", "oc"] {
        assert_eq!(
            words(&vars(name)),
            format!(
                "{name} --namespace ns --kubeconfig /k --context ctx --server h --token hush \
                 --insecure-skip-tls-verify -v 1 exec -i p -c c --\nKUBE_A=b"
            )
        );
    }
}

#[test]
fn an_instance_is_behind_a_remote_and_its_user_behind_su() {
    let vars = "ansible_connection: lxd, ansible_host: web.example.com, ansible_lxd_remote: far, \
                ansible_lxd_project: shop, ansible_user: joe, lxd_become_method: su";
    let folder = tempfile::tempdir().unwrap();
    rplay(folder.path(), vars, RAW, &[]);
    // The shell that su runs is the first of the words.
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls.trim_end(), "lxc --project shop exec far:web -- su -s");
}

#[test]
fn modules_files_and_a_dry_run_work_through_a_program() {
    let play = "- hosts: web\n  tasks:\n    - copy: {content: one, dest: '{{ out }}/a'}\n    - slurp: {src: '{{ out }}/a'}\n      register: kept\n    - fetch: {src: '{{ out }}/a', dest: '{{ out }}/b', flat: true}\n    - assert: {that: kept.content | b64decode == 'one'}\n";
    let out = tempfile::tempdir().unwrap();
    let place = format!("out={}", out.path().display());
    let vars = "ansible_connection: docker";
    let check = words_with(vars, play, &["-e", &place, "--check"]);
    assert!(!out.path().join("a").exists());
    let run = words_with(vars, play, &["-e", &place]);
    for calls in [check, run] {
        assert_eq!(calls, "docker exec --interactive web", "one for all tasks");
    }
    assert_eq!(
        std::fs::read_to_string(out.path().join("b")).unwrap(),
        "one"
    );
}

#[test]
fn a_connection_that_does_not_exist_is_shown_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = rplay(folder.path(), "ansible_connection: dokcer", RAW, &[]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    for line in [
        "error: there is no connection `dokcer`, which host `web` names",
        " --> inventory.yml:1:41",
        "  = help: did you mean `docker`?",
        "  = help: there are ssh, local, buildah, chroot, docker, incus, kubectl, libvirt_lxc, lxc, \
         lxd, nsenter, oc, podman; others are plugins in Python, which run where ansible-core and their collection are installed",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn a_keyword_is_a_place_too() {
    let play = RAW.replace("  tasks:", "  connection: jail\n  tasks:");
    let folder = tempfile::tempdir().unwrap();
    let output = rplay(folder.path(), "", &play, &[]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains(" --> play.yml:3:15"), "{shown}");
}
