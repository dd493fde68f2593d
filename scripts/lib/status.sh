# shellcheck shell=bash
# What an engine says of itself, asked again and again over a network that loses datagrams. Needs message.sh.

# Answers in a row that may be missing: each was waited for, so after these the box itself is gone.
readonly MOST_MISSED=5

# How many answers are missing since the last.
missed=0

# ask PROGRAM ADDRESS: puts the status, every counter of it, into $status. False, with the last one kept, if no answer came; ends the script if
# none came several times in a row.
ask() {
    local told
    if told=$("$1" status "$2" --all 2>&1); then
        # shellcheck disable=SC2034  # for whoever asks
        status=$told
        missed=0
        return 0
    fi
    missed=$((missed + 1))
    [ "$missed" -lt "$MOST_MISSED" ] || die "no engine answers at $2, asked $missed times in a row" "$told"
    return 1
}
