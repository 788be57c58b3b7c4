# shellcheck shell=bash
# Processes the lab started, remembered by pid and start time, so that a pid used again by
# another process is never mistaken for ours.

process_start_time() { # PID
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The command name may hold spaces and brackets: count the fields after its last bracket.
    read -ra fields <<<"${stat##*) }"
    printf '%s' "${fields[19]}"
}

process_record() { # FILE PID
    printf '%s %s\n' "$2" "$(process_start_time "$2")" >"$1"
}

# Prints the pid when the recorded process still runs.
process_alive() { # FILE
    local pid started
    [[ -f $1 ]] || return 1
    read -r pid started <"$1" || return 1
    [[ -n $started && $(process_start_time "$pid") == "$started" ]] || return 1
    printf '%s' "$pid"
}

process_stop() { # FILE SIGNAL
    local pid tries
    if pid=$(process_alive "$1"); then
        kill "-$2" "$pid" 2>/dev/null || true
        for ((tries = 0; tries < 100; tries++)); do
            process_alive "$1" >/dev/null || break
            sleep 0.05
        done
        if process_alive "$1" >/dev/null; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    rm -f "$1"
}
