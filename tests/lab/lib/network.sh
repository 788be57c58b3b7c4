# shellcheck shell=bash
# The lab's network: one namespace for the controller with a bridge, one namespace a host, joined
# by a veth pair. None of them has a link to the machine's own network, so nothing leaves.

network_namespace_of() { printf '%s-%s' "$LAB_NETNS" "$1"; } # HOST

# A name left in /run/netns by an earlier boot is a plain file: it lists, and nothing runs in it.
namespace_lives() { ip netns exec "$1" true 2>/dev/null; } # NAME

namespace_remove() { # NAME
    [[ -e /run/netns/$1 ]] || return 0
    ip netns delete "$1" 2>/dev/null || rm -f "/run/netns/$1"
}

namespace_make() { # NAME
    namespace_remove "$1"
    ip netns add "$1"
    ip -n "$1" link set lo up
}

network_up() {
    namespace_lives "$LAB_NETNS" && return
    namespace_make "$LAB_NETNS"
    ip netns exec "$LAB_NETNS" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
    ip -n "$LAB_NETNS" link add "$LAB_BRIDGE" type bridge
    ip -n "$LAB_NETNS" address add "$LAB_CONTROLLER/24" dev "$LAB_BRIDGE"
    ip -n "$LAB_NETNS" address add "$LAB_LIGHT_CONTROLLER/16" dev "$LAB_BRIDGE"
    ip -n "$LAB_NETNS" link set "$LAB_BRIDGE" up
}

# The default route gives a host the facts of one that has a network; it ends at the controller,
# which forwards nothing.
network_join() { # HOST ADDRESS/BITS PORT GATEWAY
    local namespace hardware octets
    namespace=$(network_namespace_of "$1")
    # The same at every start: the others remember for half a minute who had an address.
    IFS=. read -ra octets <<<"${2%/*}"
    hardware=$(printf '02:00:%02x:%02x:%02x:%02x' "${octets[0]}" "${octets[1]}" "${octets[2]}" "${octets[3]}")
    namespace_make "$namespace"
    ip -n "$LAB_NETNS" link delete "$3" 2>/dev/null || true
    ip -n "$LAB_NETNS" link add "$3" type veth peer name eth0 address "$hardware" netns "$namespace"
    ip -n "$LAB_NETNS" link set "$3" master "$LAB_BRIDGE" up
    ip -n "$namespace" address add "$2" dev eth0
    ip -n "$namespace" link set eth0 up
    ip -n "$namespace" route add default via "$4"
}

network_down() {
    local namespace
    for namespace in /run/netns/"$LAB_NETNS"-* /run/netns/"$LAB_NETNS"; do
        namespace_remove "${namespace##*/}"
    done
    rm -rf "/etc/netns/$LAB_NETNS"
}
