# shellcheck shell=bash
# Light hosts, for scale: sshd alone as PID 1 in namespaces of its own, over the same root file
# system. No systemd, so no services; they share one host key.

lights_started() {
    [[ -d $LAB_HOSTS ]] || return 0
    find "$LAB_HOSTS" -mindepth 1 -maxdepth 1 -name 'light-*' -printf '%f\n' | sort
}

lights_up() { # KIND COUNT
    local index names=() started=0
    mapfile -t names < <(lights_started)
    ((${#names[@]} <= $2)) || hosts_clear "${names[@]:$2}"
    host_keys_make light
    for ((index = 1; index <= $2; index++)); do
        host_is_up_as "$(light_name "$index")" "$1" && continue
        light_start "$1" "$index" &
        ((++started % 8)) || wait
    done
    wait
    lights_wait "$2"
}

light_start() { # KIND INDEX
    local name folder
    name=$(light_name "$2")
    hosts_clear "$name"
    folder=$LAB_HOSTS/$name
    network_join "$name" "$(light_address "$2")/16" "$(host_port "$name")" "$LAB_LIGHT_CONTROLLER"
    mkdir -p "$folder/space"
    printf '%s' "$1" >"$folder/kind"
    (
        exec 9>&-
        exec setsid nsenter --net="/run/netns/$(network_namespace_of "$name")" \
            unshare --mount --uts --ipc --pid --fork --kill-child \
            bash "$LAB_FOLDER/lib/light-init" "$name" "$folder/space" "$(rootfs_path "$1")" \
            "$LAB_HOST_KEYS/light/etc/ssh" "$LAB_LIGHT_SPACE"
    ) </dev/null >"$folder/console.log" 2>&1 &
    process_record "$folder/supervisor.pid" "$!"
}

# A host is ready when its sshd says so by its greeting.
lights_wait() { # COUNT
    local index name addresses=()
    for ((index = 1; index <= $1; index++)); do addresses+=("$(light_address "$index")"); done
    # shellcheck disable=SC2016
    ip netns exec "$LAB_NETNS" timeout 60 bash -c '
        for address; do
            until exec 3<>"/dev/tcp/$address/22" && read -r -t 5 greeting <&3 && [[ $greeting == SSH-* ]]; do
                sleep 0.2
            done
            exec 3>&-
        done' lights_wait "${addresses[@]}" 2>/dev/null || die "light hosts were not ready after 60 s; see $LAB_HOSTS/light-*/console.log"
    for ((index = 1; index <= $1; index++)); do
        name=$(light_name "$index")
        host_record_init "$name" || die "$name stopped: $(tail -n 3 "$LAB_HOSTS/$name/console.log")"
    done
}
