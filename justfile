# The commands of this project; `just` lists them.

default:
    @just --list

# A release build.
build:
    cargo build --release --bin rplay

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

# Build, boot three hosts, make an etcd cluster.
demo:
    ./demo

# Licences and advisories of dependencies (cargo-deny).
deny:
    cargo deny check
