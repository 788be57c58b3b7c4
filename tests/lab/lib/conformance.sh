# shellcheck shell=bash
# What a host of the kind `conformance` has beyond packages: what Ansible's suite finds in the
# containers that it is written for.

conformance_make() { # ROOT
    conformance_speak "$1" en_US
    conformance_speak "$1" fr_FR
    conformance_language_pack "$1"
    conformance_free_ports "$1"
    conformance_shelf "$1"
    # The suite's own Python takes packages from pip.
    rm -f "$1"/usr/lib/python3.*/EXTERNALLY-MANAGED
}

conformance_speak() { # ROOT LANGUAGE
    chroot "$1" localedef --inputfile="$2" --charmap=UTF-8 "$2.UTF-8"
}

# To the suite every Debian is Ubuntu, which has its translations in packages of their own: here an
# empty one, for the language is there.
conformance_language_pack() { # ROOT
    local name=language-pack-fr folder=$1/tmp/language-pack
    mkdir -p "$folder/DEBIAN"
    printf '%s\n' "Package: $name" 'Version: 1' 'Architecture: all' 'Maintainer: the rplay lab <lab@localhost>' \
        'Description: nothing, by the name of a package that Ubuntu has' >"$folder/DEBIAN/control"
    chroot "$1" dpkg-deb --build /tmp/language-pack /tmp/language-pack.deb >/dev/null
    chroot "$1" dpkg --install /tmp/language-pack.deb >/dev/null
    rm -rf "$folder" "$folder.deb"
}

# Targets start these servers themselves, or the suite's runner does.
conformance_free_ports() { # ROOT
    rm -f "$1"/etc/systemd/system/multi-user.target.wants/{nginx,apache2,gunicorn}.service
}

# A host reaches no mirror: what targets take off and put on again is on a shelf of its own.
conformance_shelf() { # ROOT
    mkdir -p "$1/opt/apt"
    # shellcheck disable=SC2086 # a list of words
    chroot "$1" sh -c "cd /opt/apt && apt-get download -q $LAB_CONFORMANCE_SHELF &&
        dpkg-scanpackages --multiversion . >Packages" >/dev/null 2>&1
    printf 'deb [trusted=yes] file:/opt/apt ./\n' >"$1/etc/apt/sources.list"
    chroot "$1" apt-get update -q >/dev/null
}
