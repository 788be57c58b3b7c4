# shellcheck shell=bash
# Which host has which name and address. Nothing here starts or looks at anything.

host_name() { printf '%s-%s' "$LAB_HOST_PREFIX" "$1"; }                          # INDEX
host_address() { printf '192.168.6.%s' "$((LAB_FIRST_OCTET + $1 - 1))"; }        # INDEX
light_name() { printf 'light-%03d' "$1"; }                                       # INDEX
light_address() { printf '10.66.%s.%s' "$((1 + ($1 - 1) / 200))" "$((1 + ($1 - 1) % 200))"; } # INDEX
# The controller's end of a host's link: h1 for z-b-data-1, l1 for light-001.
host_port() { # HOST
    local kind=h
    [[ $1 == light-* ]] && kind=l
    printf '%s%s' "$kind" "$((10#${1##*-}))"
}

names_hosts_file() {
    local index
    printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n'
    printf '%s %s\n' "$LAB_CONTROLLER" "$LAB_RELEASE_NAME"
    for ((index = 1; index <= LAB_HOST_MAX; index++)); do
        printf '%s %s.%s %s\n' "$(host_address "$index")" "$(host_name "$index")" "$LAB_DOMAIN" "$(host_name "$index")"
    done
    for ((index = 1; index <= LAB_ETCD_MEMBERS; index++)); do
        printf '%s etcd.%s\n' "$(host_address "$index")" "$LAB_DOMAIN"
    done
}

names_light_hosts() {
    local index
    for ((index = 1; index <= LAB_LIGHT_MAX; index++)); do
        printf '%s %s\n' "$(light_address "$index")" "$(light_name "$index")"
    done
}
