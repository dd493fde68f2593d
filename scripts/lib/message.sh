# shellcheck shell=bash
# What the scripts say, and how they stop. Messages go to standard error, results to standard output.

# Exit status for "this machine cannot do it": what is missing is named, nothing is broken.
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly UNAVAILABLE=3

say() { printf '%s\n' "$*" >&2; }

# One line before anything that takes more than a moment.
step() { printf '==> %s\n' "$*" >&2; }

# die TEXT...: each argument is one line.
die() {
    printf 'error: %s\n' "$1" >&2
    [ $# -eq 1 ] || printf '       %s\n' "${@:2}" >&2
    exit 1
}

# unavailable TEXT...: this machine cannot do it; what it lacks, and how to get it.
unavailable() {
    printf 'error: %s\n' "$1" >&2
    [ $# -eq 1 ] || printf '       %s\n' "${@:2}" >&2
    exit "$UNAVAILABLE"
}

wrong_usage() {
    printf 'error: %s\n       %s --help says what there is.\n' "$1" "$0" >&2
    exit 2
}

# help_of SCRIPT: the comment at the head of a script is its help.
help_of() { awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"; }

# logged LOG COMMAND...: run with the output in LOG; show its end only if the command fails.
logged() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if "$@" >"$log" 2>&1; then return 0; fi
    tail -n 30 "$log" | sed 's/^/    /' >&2
    say "    (all of it: $log)"
    return 1
}
