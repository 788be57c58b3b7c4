//! The connections that are a program of the controller: one entry each, by the program's name.
//!
//! What says a setting is written as in `through.rs`: variables by Ansible's names, the one that wins
//! first, then variables of rplay's own environment, then what holds otherwise.

use super::through::Part::{
    Each, Equals, Export, Flag, Hidden, Host, Instance, Is, Not, On, Su, User, Words,
};
use super::through::{Part, Program};

/// What an entry has that says nothing else.
const PLAIN: Program = Program {
    names: &[],
    summary: "",
    inside: "in the container `*`",
    program: "",
    executable: "",
    shell: "",
    timeout: "",
    host: "ansible_host",
    args: &[],
    refused: "",
};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        names: &["containers.podman.buildah", "buildah"],
        summary: "A working container of Buildah",
        program: "buildah",
        args: &[Is("run"), User("--user", "ansible_user"), Host, Is("--")],
        refused: "`buildah containers` lists the working containers",
        ..PLAIN
    },
    Program {
        names: &["community.general.chroot", "chroot"],
        summary: "A folder that holds the root of a system",
        inside: "in the folder `*`",
        program: "chroot",
        executable: "ansible_chroot_exe ANSIBLE_CHROOT_EXE",
        shell: "ansible_executable",
        args: &[Host],
        refused: "`ansible_host` is the folder, and root is needed to change into it",
        ..PLAIN
    },
    Program {
        names: &[
            "community.docker.docker",
            "docker",
            "community.docker.docker_api",
            "docker_api",
        ],
        summary: "A container of Docker that runs",
        program: "docker",
        timeout: "ansible_docker_timeout ANSIBLE_DOCKER_TIMEOUT",
        host: "ansible_docker_host ansible_host",
        args: &[
            Flag("--host", "ansible_docker_docker_host"),
            On("--tls", "ansible_docker_tls"),
            On("--tlsverify", "ansible_docker_validate_certs"),
            Flag(
                "--tlscacert",
                "ansible_docker_ca_path ansible_docker_ca_cert",
            ),
            Flag("--tlscert", "ansible_docker_client_cert"),
            Flag("--tlskey", "ansible_docker_client_key"),
            Words("ansible_docker_extra_args"),
            Is("exec"),
            User("--user", "ansible_docker_user ansible_user"),
            Each("--env", "ansible_docker_extra_env"),
            Flag(
                "--workdir",
                "ansible_docker_working_dir ANSIBLE_DOCKER_WORKING_DIR",
            ),
            On(
                "--privileged",
                "ansible_docker_privileged ANSIBLE_DOCKER_PRIVILEGED",
            ),
            Is("--interactive"),
            Host,
        ],
        refused: "`docker ps --all` lists the containers, and whether they run",
        ..PLAIN
    },
    Program {
        names: &["community.general.incus", "incus"],
        summary: "An instance of Incus that runs",
        inside: "in the instance `*`",
        program: "incus",
        shell: "ansible_incus_executable ansible_executable",
        host: "ansible_incus_host ansible_host",
        args: &[
            Flag("--project", "ansible_incus_project =default"),
            Is("exec"),
            Instance("ansible_incus_remote =local"),
            Is("--"),
            Su("incus_become_method =/bin/su", "ansible_user"),
        ],
        refused: "`incus list` lists the instances, and whether they run",
        ..PLAIN
    },
    Program {
        names: &["kubernetes.core.kubectl", "kubectl"],
        summary: "A container of a pod of Kubernetes",
        inside: "in the pod `*`",
        program: "kubectl",
        host: "ansible_*_pod K8S_AUTH_POD ansible_host",
        args: CLUSTER,
        refused: "`kubectl get pods` lists the pods of a namespace (`ansible_kubectl_namespace`)",
        ..PLAIN
    },
    Program {
        names: &["community.libvirt.libvirt_lxc", "libvirt_lxc"],
        summary: "A container of LXC that libvirt runs",
        program: "virsh",
        host: "ansible_libvirt_lxc_host ansible_host",
        args: &[
            Is("-q"),
            Is("-c"),
            Is("lxc:///"),
            Is("lxc-enter-namespace"),
            On(
                "--noseclabel",
                "ansible_libvirt_lxc_noseclabel ANSIBLE_LIBVIRT_LXC_NOSECLABEL",
            ),
            Host,
            Is("--"),
        ],
        refused: "`virsh -c lxc:/// list --all` lists the containers, and whether they run",
        ..PLAIN
    },
    Program {
        names: &["community.general.lxc", "lxc"],
        summary: "A container of LXC that runs",
        program: "lxc-attach",
        shell: "ansible_lxc_executable ansible_executable",
        host: "ansible_lxc_host ansible_host",
        args: &[Is("--name"), Host, Is("--")],
        refused: "`lxc-ls --fancy` lists the containers, and whether they run",
        ..PLAIN
    },
    Program {
        names: &["community.general.lxd", "lxd"],
        summary: "An instance of LXD that runs",
        inside: "in the instance `*`",
        program: "lxc",
        shell: "ansible_lxd_executable ansible_executable",
        host: "ansible_lxd_host ansible_host",
        args: &[
            Flag("--project", "ansible_lxd_project"),
            Is("exec"),
            Instance("ansible_lxd_remote =local"),
            Is("--"),
            Su("lxd_become_method =/bin/su", "ansible_user"),
        ],
        refused: "`lxc list` lists the instances, and whether they run",
        ..PLAIN
    },
    Program {
        names: &["community.docker.nsenter", "nsenter"],
        summary: "The machine around the container that rplay runs in",
        inside: "on the machine around this container",
        program: "nsenter",
        args: &[
            Is("--ipc"),
            Is("--mount"),
            Is("--net"),
            Is("--pid"),
            Is("--uts"),
            Is("--preserve-credentials"),
            Equals("--target", "ansible_nsenter_pid ANSIBLE_NSENTER_PID =1"),
            Is("--"),
        ],
        refused: "this container needs `--pid host --privileged`",
        ..PLAIN
    },
    Program {
        names: &["community.okd.oc", "oc"],
        summary: "A container of a pod of OpenShift",
        inside: "in the pod `*`",
        program: "oc",
        host: "ansible_*_pod K8S_AUTH_POD ansible_host",
        args: CLUSTER,
        refused: "`oc get pods` lists the pods of a namespace (`ansible_oc_namespace`)",
        ..PLAIN
    },
    Program {
        names: &["containers.podman.podman", "podman"],
        summary: "A container of Podman that runs",
        program: "podman",
        executable: "ansible_podman_executable ANSIBLE_PODMAN_EXECUTABLE",
        host: "ansible_podman_host ansible_host",
        args: &[
            Words("ansible_podman_extra_args ANSIBLE_PODMAN_EXTRA_ARGS"),
            Is("exec"),
            User("--user", "ansible_user"),
            Is("--interactive"),
            Host,
        ],
        refused: "`podman ps --all` lists the containers, and whether they run",
        ..PLAIN
    },
];

/// Of the programs that talk to a cluster of Kubernetes.
const CLUSTER: &[Part] = &[
    Flag("--namespace", "ansible_*_namespace K8S_AUTH_NAMESPACE"),
    Flag(
        "--kubeconfig",
        "ansible_*_config ansible_*_kubeconfig K8S_AUTH_KUBECONFIG",
    ),
    Flag("--context", "ansible_*_context K8S_AUTH_CONTEXT"),
    Flag(
        "--server",
        "ansible_*_server ansible_*_host K8S_AUTH_SERVER K8S_AUTH_HOST",
    ),
    Flag(
        "--username",
        "ansible_*_user ansible_*_username K8S_AUTH_USERNAME",
    ),
    Hidden("--password", "ansible_*_password K8S_AUTH_PASSWORD"),
    Hidden(
        "--token",
        "ansible_*_api_key ansible_*_token K8S_AUTH_API_KEY K8S_AUTH_TOKEN",
    ),
    Flag(
        "--client-certificate",
        "ansible_*_client_cert ansible_*_cert_file K8S_AUTH_CERT_FILE",
    ),
    Flag(
        "--client-key",
        "ansible_*_client_key ansible_*_key_file K8S_AUTH_KEY_FILE",
    ),
    Flag(
        "--certificate-authority",
        "ansible_*_ca_cert ansible_*_ssl_ca_cert K8S_AUTH_SSL_CA_CERT",
    ),
    Not(
        "--insecure-skip-tls-verify",
        "ansible_*_validate_certs ansible_*_verify_ssl K8S_AUTH_VERIFY_SSL",
    ),
    Export("ansible_*_local_env_vars"),
    Words("ansible_*_extra_args K8S_AUTH_EXTRA_ARGS"),
    Is("exec"),
    Is("-i"),
    Host,
    Flag("-c", "ansible_*_container K8S_AUTH_CONTAINER"),
    Is("--"),
];
