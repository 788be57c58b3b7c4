# shellcheck shell=bash
# Keys, made once and kept in the cache: the users' keys, the hosts' keys, the lab's own CA.

keys_make() {
    mkdir -p "$LAB_KEYS"
    chmod 0700 "$LAB_KEYS"
    key_make id_ed25519 ''
    key_make id_ed25519_encrypted "$LAB_KEY_PASSPHRASE"
    # Accepted by no host: for tests of a refused key.
    key_make id_ed25519_stranger ''
    ca_make
}

key_make() { # NAME PASSPHRASE
    [[ -f $LAB_KEYS/$1 ]] || ssh-keygen -q -t ed25519 -N "$2" -C "$1@lab" -f "$LAB_KEYS/$1"
}

# Every host has its own keys, all the kinds Debian makes.
host_keys_make() { # HOST
    local folder=$LAB_HOST_KEYS/$1
    [[ -f $folder/etc/ssh/ssh_host_ed25519_key ]] && return
    mkdir -p "$folder/etc/ssh"
    ssh-keygen -A -f "$folder" >/dev/null
}

ca_make() {
    [[ -f $LAB_CA/server.pem ]] && return
    local new=$LAB_CA.new
    rm -rf "$new"
    mkdir -p "$new"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj '/CN=rplay lab CA' -keyout "$new/ca-key.pem" -out "$new/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$LAB_RELEASE_NAME" -keyout "$new/server-key.pem" -out "$new/server.csr" 2>/dev/null
    openssl x509 -req -in "$new/server.csr" -CA "$new/ca.pem" -CAkey "$new/ca-key.pem" \
        -CAcreateserial -days 3650 -out "$new/server.pem" -extfile <(
        printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' \
            "$LAB_RELEASE_NAME" "$LAB_CONTROLLER"
    ) 2>/dev/null
    rm -rf "$LAB_CA"
    mv "$new" "$LAB_CA"
}
