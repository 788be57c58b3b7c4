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

process_signal() { # FILE SIGNAL
    local pid
    pid=$(process_alive "$1") || return 0
    kill "-$2" "$pid" 2>/dev/null || true
}

# Waits until the process is gone, ends it if it has not gone by itself, and forgets it.
process_forget() { # FILE
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        process_alive "$1" >/dev/null || break
        sleep 0.05
    done
    process_signal "$1" KILL
    rm -f "$1"
}
