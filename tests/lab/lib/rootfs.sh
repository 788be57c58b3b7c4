# shellcheck shell=bash
# The root file system that every host shares and none can write: Debian with systemd and sshd.
# Its kinds are in settings.sh: what a kind adds to every host's packages.

# Named by its recipe and the keys in it: a changed recipe makes another, and running hosts keep
# the one they started with.
rootfs_path() { # KIND
    local fingerprint
    fingerprint=$(cat "$LAB_FOLDER/lib/rootfs.sh" "$LAB_FOLDER/lib/conformance.sh" "$LAB_KEYS"/*.pub "$LAB_CA/ca.pem" - <<<"$1
$LAB_SUITE $LAB_TARGET_PACKAGES $(rootfs_packages "$1") $LAB_CONFORMANCE_SHELF $LAB_ALICE_PASSWORD $LAB_ROOT_PASSWORD" | sha256sum)
    printf '%s/root-%s-%s' "$LAB_CACHE" "$1" "${fingerprint:0:12}"
}

rootfs_packages() { # KIND
    [[ -v LAB_KIND_PACKAGES[$1] ]] || die "there is no kind \`$1\` of host: ${!LAB_KIND_PACKAGES[*]}"
    printf '%s' "${LAB_KIND_PACKAGES[$1]}"
}

rootfs_build() { # KIND
    local root started=$SECONDS
    root=$(rootfs_path "$1")
    [[ -d $root ]] && return
    rootfs_remove_unused "$1"
    say "building the $1 root file system in $root (once)"
    rootfs_bootstrap "$1" "$root.new"
    rootfs_add_users "$root.new"
    rootfs_quieten "$root.new"
    rootfs_trust_lab_ca "$root.new"
    [[ $1 != conformance ]] || conformance_make "$root.new"
    rootfs_empty "$root.new"
    [[ $1 != plain ]] || rootfs_assert_no_python "$root.new"
    mv "$root.new" "$root"
    say "built in $((SECONDS - started)) s"
}

# Light hosts mount theirs where only they see it: their processes' own mounts are asked.
rootfs_remove_unused() { # KIND
    local root
    for root in "$LAB_CACHE/root-$1"-*; do
        [[ -d $root ]] || continue
        cat /proc/[0-9]*/mounts 2>/dev/null | grep -qF "lowerdir=$root" || rm -rf "$root"
    done
}

rootfs_bootstrap() { # KIND ROOT
    rm -rf "$2"
    local log=$LAB_CACHE/debootstrap-$1.log
    # shellcheck disable=SC2086 # the mirror is absent by default: debootstrap knows Debian's own
    if ! debootstrap --variant=minbase --include="$LAB_TARGET_PACKAGES" "$LAB_SUITE" "$2" \
        ${RPLAY_LAB_MIRROR:-} >"$log" 2>&1 || ! rootfs_install "$2" "$(rootfs_packages "$1")" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "debootstrap failed; its log is $log"
    fi
}

# By apt, for debootstrap cannot choose between packages that give the same.
rootfs_install() { # ROOT PACKAGES
    [[ -n $2 ]] || return 0
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 0755 "$1/usr/sbin/policy-rc.d"
    # shellcheck disable=SC2086 # a list of words
    chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $2 || return
    rm -f "$1/usr/sbin/policy-rc.d"
}

rootfs_add_users() { # ROOT
    local user home
    chroot "$1" useradd --create-home --shell /bin/bash deploy
    chroot "$1" useradd --create-home --shell /bin/bash --groups sudo alice
    printf 'deploy ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$1/etc/sudoers.d/deploy"
    chmod 0440 "$1/etc/sudoers.d/deploy"
    printf 'alice:%s\nroot:%s\n' "$LAB_ALICE_PASSWORD" "$LAB_ROOT_PASSWORD" | chroot "$1" chpasswd
    # Else sudo makes this mark at her first use of it.
    touch "$1/home/alice/.sudo_as_admin_successful"
    chroot "$1" chown alice:alice /home/alice/.sudo_as_admin_successful
    for user in root deploy alice; do
        home=$(chroot "$1" getent passwd "$user" | cut -d: -f6)
        install -d -m 0700 "$1$home/.ssh"
        cat "$LAB_KEYS/id_ed25519.pub" "$LAB_KEYS/id_ed25519_encrypted.pub" \
            >"$1$home/.ssh/authorized_keys"
        chmod 0600 "$1$home/.ssh/authorized_keys"
        chroot "$1" chown -R "$user:$user" "$home/.ssh"
    done
}

# A host must not change by itself: what runs by the clock is off.
rootfs_quieten() { # ROOT
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer console-getty.service; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit"
    done
    # Writes /run/motd.dynamic anew at each login.
    sed -i '/pam_motd/d' "$1/etc/pam.d/sshd" "$1/etc/pam.d/login"
}

rootfs_trust_lab_ca() { # ROOT
    install -m 0644 "$LAB_CA/ca.pem" "$1/usr/local/share/ca-certificates/rplay-lab.crt"
    chroot "$1" update-ca-certificates >/dev/null 2>&1
}

# What must differ between hosts is laid over at their start; what only fills the disk goes.
rootfs_empty() { # ROOT
    rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/machine-id" "$1/var/lib/dbus/machine-id" \
        "$1/etc/hostname" "$1/etc/hosts" "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/[!_]*_*
    printf '# The lab has no name server: every name is in /etc/hosts.\n' >"$1/etc/resolv.conf"
    rm -rf "${1:?}"/dev/* "${1:?}"/var/log/journal/*
}

# No interpreter and no library of one; a lone .py file of some package's hooks runs nothing.
rootfs_assert_no_python() { # ROOT
    local found
    found=$(find "$1" \( -name 'python[0-9]*' -o -name 'libpython*' -o -name 'pypy*' -o -name 'micropython*' \
        -o -path '*/bin/python*' \) -print -quit)
    [[ -z $found ]] || die "the root file system holds python: $found"
}
