# shellcheck shell=bash
# The programs the lab needs on the machine that runs it, installed by apt when they are missing.

# command:package
LAB_PROGRAMS=(
    debootstrap:debootstrap systemd-nspawn:systemd-container ssh:openssh-client
    ssh-keygen:openssh-client ip:iproute2 nsenter:util-linux openssl:openssl
    python3:python3 unzip:unzip flock:util-linux curl:curl
)

packages_missing() {
    local pair
    for pair in "${LAB_PROGRAMS[@]}"; do
        command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
    done
    python3 -m pip --version >/dev/null 2>&1 || printf 'python3-pip\n'
}

packages_install() {
    local wanted
    mapfile -t wanted < <(packages_missing | sort -u)
    ((${#wanted[@]})) || return 0
    say "installing ${wanted[*]}"
    # Only sockets and tools are wanted, and a sandbox has no init to start a service with.
    local policy=/usr/sbin/policy-rc.d made_policy=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
        made_policy=yes
    fi
    local log=$LAB_CACHE/apt.log failed=
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1 || failed=yes
    [[ -z $made_policy ]] || rm -f "$policy"
    if [[ -n $failed ]]; then
        tail -n 20 "$log" >&2
        die "apt could not install ${wanted[*]}; the whole log is $log"
    fi
}
