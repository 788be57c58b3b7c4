# shellcheck shell=bash disable=SC2034
# What the lab is made of: names, addresses, folders. Every other file reads these; none sets them.

# The name of the lab, which is also the controller's network namespace; a host's own is
# $LAB_NETNS-HOST. Labs of different names run side by side.
LAB_NETNS=${RPLAY_LAB_NAME:-rplay-lab}

LAB_CACHE=${RPLAY_LAB_CACHE:-/var/cache/rplay-lab}
LAB_STATE=${RPLAY_LAB_STATE:-/run/$LAB_NETNS}
LAB_HOME=$LAB_STATE/home
LAB_KEYS=$LAB_CACHE/keys
LAB_HOST_KEYS=$LAB_CACHE/host-keys
LAB_CA=$LAB_CACHE/ca
LAB_RELEASES=$LAB_CACHE/releases
LAB_HOSTS=$LAB_STATE/hosts

LAB_SUITE=bookworm
LAB_TARGET_PACKAGES=systemd,systemd-sysv,dbus,openssh-server,sudo,ca-certificates,iproute2,procps
# What a kind of host has more. `plain` has no python, as rplay needs none; `python` is for the
# tools rplay is compared with; `conformance` is what Ansible's own test suite expects of a host.
declare -A LAB_KIND_PACKAGES=(
    [plain]=
    [python]=python3
    [conformance]="python3 python3-jinja2 python3-yaml python3-cryptography python3-packaging python3-resolvelib python3-passlib python3-pexpect python3-pip python3-venv python3-virtualenv python3-setuptools acl attr file unzip zip xz-utils bzip2 zstd git cron gnupg openssl locales iptables subversion netcat-openbsd debconf-utils apt-utils dpkg-dev rsync less curl openssh-client jq kmod python3-apt libuser libfaketime socat nginx-light gunicorn python3-httpbin apache2 apache2-utils libapache2-mod-svn python3-debian sshpass tzdata equivs libfile-fcntllock-perl"
)
# What a host of the kind `conformance` can install without a network.
LAB_CONFORMANCE_SHELF="hello tar unzip zip python3-rpm rpm-common libdw1 libfsverity0 liblua5.3-0 librpm9 librpmbuild9 librpmio9 librpmsign9"

# What one host may write before its disk is full; it is held in memory.
LAB_HOST_SPACE=${RPLAY_LAB_HOST_SPACE:-1g}
LAB_LIGHT_SPACE=64m

# The bridge in the controller's namespace, and its addresses.
LAB_BRIDGE=lab0
LAB_CONTROLLER=192.168.6.1
LAB_LIGHT_CONTROLLER=10.66.0.1
LAB_LIGHT_MAX=300

# The guide's names: z-b-data-1 is .204, and so on upward.
LAB_HOST_PREFIX=z-b-data
LAB_FIRST_OCTET=204
LAB_HOST_MAX=40
LAB_DOMAIN=staging.huatai.me
LAB_ETCD_MEMBERS=3

LAB_RELEASE_NAME=releases.lab
LAB_HTTPS_PORT=8443
LAB_HTTP_PORT=8080

# Known to the tests, worth nothing outside the lab; also written to $LAB_HOME/credentials.env.
LAB_ALICE_PASSWORD='alice knows this'
LAB_ROOT_PASSWORD='root of the lab'
LAB_KEY_PASSPHRASE='open the lab key'

say() { printf 'lab: %s\n' "$*" >&2; }

die() {
    printf 'lab: error: %s\n' "$*" >&2
    exit 1
}
