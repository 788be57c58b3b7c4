# shellcheck shell=bash
# Hosts with a real systemd as PID 1: the shared root file system under a layer of their own that
# is held in memory and gone when they stop.

# Where processes are grouped: version 1 with a tree a concern, or version 2 with one.
LAB_CGROUP_TREES=(/sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup)

host_is_up() { process_alive "$LAB_HOSTS/$1/init.pid" >/dev/null; } # HOST

host_is_up_as() { host_is_up "$1" && [[ $(<"$LAB_HOSTS/$1/kind") == "$2" ]]; } # HOST KIND

# The names of the hosts that were started, in order of their number.
hosts_started() {
    [[ -d $LAB_HOSTS ]] || return 0
    find "$LAB_HOSTS" -mindepth 1 -maxdepth 1 -name "$LAB_HOST_PREFIX-*" -printf '%f\n' | sort -V
}

hosts_up() { # KIND INDEX...
    local kind=$1 index names=()
    shift
    for index; do
        names+=("$(host_name "$index")")
        host_is_up_as "${names[-1]}" "$kind" && continue
        hosts_clear "${names[-1]}"
        host_start "$kind" "$index"
    done
    hosts_wait "${names[@]}"
}

# The host's end of the link stays up: to the host, the network has gone silent.
host_link() { # HOST up|down
    host_is_up "$1" || die "no host \`$1\` is up; \`lab status\` lists those that are"
    ip -n "$LAB_NETNS" link set "$(host_port "$1")" "$2"
}

host_start() { # KIND INDEX
    local name folder
    name=$(host_name "$2")
    folder=$LAB_HOSTS/$name
    network_join "$name" "$(host_address "$2")/24" "$(host_port "$name")" "$LAB_CONTROLLER"
    mkdir -p "$folder/space" "$folder/root"
    printf '%s' "$1" >"$folder/kind"
    mount -t tmpfs -o "size=$LAB_HOST_SPACE,mode=0755" "lab-$name" "$folder/space"
    mkdir "$folder/space/upper" "$folder/space/work"
    mount -t overlay -o "lowerdir=$(rootfs_path "$1"),upperdir=$folder/space/upper,workdir=$folder/space/work" \
        "lab-$name" "$folder/root"
    host_name_itself "$name" "$folder/root"
    (
        exec 9>&-
        host_own_cgroup "$name"
        # A host's network settings are its own, so they may be written as on a real one.
        export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
        exec setsid systemd-nspawn --quiet --directory="$folder/root" --machine="$LAB_NETNS-$name" \
            --hostname="$name" --register=no --keep-unit --resolv-conf=off --timezone=off \
            --link-journal=no --capability=CAP_NET_ADMIN --network-namespace-path="/run/netns/$(network_namespace_of "$name")" \
            --boot
    ) </dev/null >"$folder/console.log" 2>&1 &
    process_record "$folder/supervisor.pid" "$!"
}

host_name_itself() { # HOST ROOT
    host_keys_make "$1"
    printf '%s\n' "$1" >"$2/etc/hostname"
    printf '%s' "$1" | md5sum | cut -d' ' -f1 >"$2/etc/machine-id"
    names_hosts_file >"$2/etc/hosts"
    cp -a "$LAB_HOST_KEYS/$1/etc/ssh/." "$2/etc/ssh/"
}

# A group of its own for each host, so that no systemd sees the processes of another.
host_own_cgroup() { # HOST
    local tree
    for tree in "${LAB_CGROUP_TREES[@]}"; do
        [[ -f $tree/cgroup.procs ]] || continue
        mkdir -p "$tree/$LAB_NETNS/$1" 2>/dev/null || continue
        echo "$BASHPID" >"$tree/$LAB_NETNS/$1/cgroup.procs" 2>/dev/null || true
    done
}

hosts_wait() { # HOST...
    local name deadline=$((SECONDS + 90))
    for name; do
        until host_record_init "$name" && host_is_ready "$name"; do
            process_alive "$LAB_HOSTS/$name/supervisor.pid" >/dev/null ||
                die "$name stopped while it started: $(tail -n 5 "$LAB_HOSTS/$name/console.log")"
            ((SECONDS < deadline)) ||
                die "$name was not ready after 90 s: $(tail -n 5 "$LAB_HOSTS/$name/console.log")"
            sleep 0.2
        done
    done
}

# PID 1 of the host, as the machine sees it: the supervisor's only child, once it is what it
# is to become.
host_record_init() { # HOST
    local folder=$LAB_HOSTS/$1 supervisor init
    host_is_up "$1" && return
    supervisor=$(process_alive "$folder/supervisor.pid") || return 1
    # The list has no line end, for which `read` fails although it has read.
    read -r init _ < <(cat "/proc/$supervisor/task/$supervisor/children" 2>/dev/null && echo) || return 1
    [[ -n $init && $(cat "/proc/$init/comm" 2>/dev/null) =~ ^(systemd|sshd)$ ]] || return 1
    process_record "$folder/init.pid" "$init"
}

# Both as a user sees it: sshd lets root in, and systemd has finished starting.
host_is_ready() { # HOST
    local state
    state=$(lab_exec ssh -o ConnectTimeout=2 -o BatchMode=yes "$1" systemctl is-system-running 2>/dev/null) || true
    [[ $state == running || $state == degraded ]]
}

# At once, as if the power went: nothing they wrote is to be kept.
hosts_clear() { # HOST...
    local name
    for name; do
        # One that was not waited for has a PID 1 that outlives its supervisor.
        host_record_init "$name" || true
        process_signal "$LAB_HOSTS/$name/init.pid" KILL
        process_signal "$LAB_HOSTS/$name/supervisor.pid" KILL
    done
    for name; do
        process_forget "$LAB_HOSTS/$name/init.pid"
        process_forget "$LAB_HOSTS/$name/supervisor.pid"
        host_unmount "$LAB_HOSTS/$name"
        namespace_remove "$(network_namespace_of "$name")"
        host_leave_cgroup "$name"
    done
}

host_unmount() { # FOLDER
    local mounted
    for mounted in root space; do
        if mountpoint -q "$1/$mounted"; then
            umount "$1/$mounted" 2>/dev/null || umount --lazy "$1/$mounted"
        fi
    done
    rm -rf "$1"
}

# The group was made for this host alone: what is still in it is what a start that was cut short
# left behind.
host_leave_cgroup() { # HOST
    local tree group
    for tree in "${LAB_CGROUP_TREES[@]}"; do
        group=$tree/$LAB_NETNS/$1
        [[ -d $group ]] || continue
        [[ ! -f $group/cgroup.kill ]] || echo 1 >"$group/cgroup.kill"
        group_remove "$group"
    done
}

group_remove() { # FOLDER
    local tries
    for ((tries = 0; tries < 20; tries++)); do
        find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [[ -d $1 ]] || return 0
        sleep 0.05
    done
}

groups_remove() {
    local tree
    for tree in "${LAB_CGROUP_TREES[@]}"; do
        rmdir "$tree/$LAB_NETNS" 2>/dev/null || true
    done
}
