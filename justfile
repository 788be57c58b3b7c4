# The commands of this project; `just` lists them.

default:
    @just --list

# A release build: one static binary.
build:
    cargo rustc --release --package rplay --bin rplay -- -C target-feature=+crt-static

# Formatting, lints and unit tests.
check:
    tests/run --fast

# Everything, the tests on real hosts too.
test:
    tests/run

# The tests on real hosts alone.
lab *CASES:
    cargo build --bin rplay
    tests/lab/cases {{CASES}}

# Ansible's own suite: all of it, or the named targets.
conformance *TARGETS:
    cargo build --bin rplay
    tests/conformance/run {{TARGETS}}

# Build, boot three hosts, make an etcd cluster.
demo:
    ./demo

# Licences and advisories of dependencies (cargo-deny).
deny:
    cargo deny check
