# shellcheck shell=bash
# The controller's side: a home folder with keys and known hosts, the names of the lab, and the
# way to run a command there.

controller_home_make() {
    local ssh=$LAB_HOME/.ssh
    mkdir -p "$ssh"
    chmod 0700 "$LAB_HOME" "$ssh"
    install -m 0600 "$LAB_KEYS"/id_ed25519* "$ssh/"
    controller_ssh_config >"$ssh/config"
    controller_known_hosts >"$ssh/known_hosts"
    chmod 0600 "$ssh/config" "$ssh/known_hosts"
    controller_credentials >"$LAB_HOME/credentials.env"
    cat /etc/ssl/certs/ca-certificates.crt "$LAB_CA/ca.pem" >"$LAB_HOME/ca-bundle.pem" 2>/dev/null ||
        cp "$LAB_CA/ca.pem" "$LAB_HOME/ca-bundle.pem"
    # `ip netns exec` lays these over /etc for the command it runs, and for nothing else.
    # It needs a file to lay over, which a bare container may lack.
    [[ -e /etc/hosts ]] || printf '127.0.0.1 localhost\n' >/etc/hosts
    [[ -e /etc/resolv.conf ]] || touch /etc/resolv.conf
    local etc=/etc/netns/$LAB_NETNS
    mkdir -p "$etc/ssh"
    { names_hosts_file && names_light_hosts; } >"$etc/hosts"
    printf '# The lab has no name server.\n' >"$etc/resolv.conf"
    # OpenSSH looks for ~/.ssh by the user's entry in passwd, not by HOME: this makes a plain
    # `ssh HOST` work in the lab.
    cp "$ssh/config" "$etc/ssh/ssh_config"
    chmod 0644 "$etc/ssh/ssh_config"
}

controller_ssh_config() {
    cat <<CONFIG
Host $LAB_HOST_PREFIX-* *.$LAB_DOMAIN light-* 192.168.6.* 10.66.*
    User root
    IdentityFile $LAB_HOME/.ssh/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile $LAB_HOME/.ssh/known_hosts
    StrictHostKeyChecking yes
CONFIG
}

controller_known_hosts() {
    local index name address key
    for ((index = 1; index <= LAB_HOST_MAX; index++)); do
        name=$(host_name "$index")
        address=$(host_address "$index")
        for key in "$LAB_HOST_KEYS/$name"/etc/ssh/ssh_host_*_key.pub; do
            [[ -f $key ]] && printf '%s,%s.%s,%s %s\n' "$name" "$name" "$LAB_DOMAIN" "$address" \
                "$(cut -d' ' -f1,2 "$key")"
        done
    done
    [[ -d $LAB_HOST_KEYS/light ]] || return 0
    key=$(cut -d' ' -f1,2 "$LAB_HOST_KEYS/light/etc/ssh/ssh_host_ed25519_key.pub")
    for ((index = 1; index <= LAB_LIGHT_MAX; index++)); do
        printf '%s,%s %s\n' "$(light_name "$index")" "$(light_address "$index")" "$key"
    done
}

controller_credentials() {
    printf '%s=%q\n' RPLAY_LAB_ALICE_PASSWORD "$LAB_ALICE_PASSWORD" \
        RPLAY_LAB_ROOT_PASSWORD "$LAB_ROOT_PASSWORD" RPLAY_LAB_KEY_PASSPHRASE "$LAB_KEY_PASSPHRASE"
}

# Runs a command in the controller's namespace with the lab's home; tools that find their own
# files by HOME are told where those stay.
lab_exec() { # COMMAND...
    local home=$HOME
    (
        export CARGO_HOME=${CARGO_HOME:-$home/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$home/.rustup}
        [[ -d $home/.pyenv ]] && export PYENV_ROOT=${PYENV_ROOT:-$home/.pyenv}
        export HOME=$LAB_HOME RPLAY_LAB_HOME=$LAB_HOME
        export SSL_CERT_FILE=$LAB_HOME/ca-bundle.pem CURL_CA_BUNDLE=$LAB_HOME/ca-bundle.pem \
            REQUESTS_CA_BUNDLE=$LAB_HOME/ca-bundle.pem
        unset SSH_AUTH_SOCK SSL_CERT_DIR
        exec ip netns exec "$LAB_NETNS" "$@"
    )
}
