# shellcheck shell=bash
# The steps of a check: each has a log, a time and a verdict, and the summary is read from those.
# Needs message.sh and LOGS, a directory that is empty at the start.

summary=()
# Steps that failed with no failed test to show for it, such as code that does not compile: they count as one each.
failed_steps=0

# record NAME VERDICT SECONDS [NOTE]
record() { summary+=("$(printf '%-14s %5s s  %s' "$1" "$3" "$2${4:+  $4}")"); }

# skip NAME REASON [SECONDS]
skip() {
    printf 'SKIPPED %s: %s\n' "$1" "$2" | tee -a "$LOGS/$1.log"
    record "$1" SKIPPED "${3:-0}"
}

# run_step NAME quiet|loud COMMAND...: loud shows the output as it comes. Returns the command's status.
run_step() {
    local name=$1 mode=$2 log=$LOGS/$1.log began=$SECONDS status=0 note="" failed seconds
    shift 2
    step "$name: $*"
    if [ "$mode" = loud ]; then
        "$@" 2>&1 | tee "$log" || status=$?
    else
        logged "$log" "$@" || status=$?
    fi
    seconds=$((SECONDS - began))
    failed=$(tests_in failed "$log")
    if grep -q '^test result: ' "$log"; then
        note="$(tests_in passed "$log") passed, $failed failed"
        [ "$(tests_in ignored "$log")" -eq 0 ] || note+=", $(tests_in ignored "$log") ignored"
    fi
    if [ "$status" -eq 0 ]; then
        record "$name" ok "$seconds" "$note"
    elif [ "$status" -eq "$UNAVAILABLE" ]; then
        skip "$name" "$(reason_in "$log")" "$seconds"
    else
        record "$name" FAILED "$seconds" "${note:+$note; }see $log"
        [ "$failed" -gt 0 ] || failed_steps=$((failed_steps + 1))
    fi
    return "$status"
}

# reason_in LOG: the first error and its further lines, as one line.
reason_in() {
    awk '/^error: / { on = 1; sub(/^error: /, "") } on && !/^error: / { if (n++ && !/^ /) exit; print }' "$1" |
        tr -s ' \n' ' ' | sed 's/ $//'
}

# tests_in WORD LOG...: the sum of "N WORD" (passed, failed, ignored) over all `test result:` lines.
tests_in() {
    awk -v word="$1" '/^test result: / {
        for (i = 2; i <= NF; i++) if ($i == word ";") sum += $(i - 1)
    } END { print sum + 0 }' "${@:2}"
}

# skipped_in LOG...: every line that says SKIPPED, from that word on. Without capture, the test harness has put
# the test's name before what the test says.
skipped_in() { sed -nE 's/^(.*[^[:alnum:]_"])?(SKIPPED[: ].*)$/\2/p' "$@"; }

# failures_in LOG...: each failed test with where it failed and why: what it said last, five lines at most, for a
# status in whole may follow.
failures_in() {
    awk '
        # The first such line is above what the failed tests said, the second above their names.
        /^failures:$/ { listed = ++sections == 2; next }
        /^test result: / { listed = sections = 0 }
        listed && /^    [^ ]+$/ { if (!known[$1]++) names[++count] = $1; next }
        match($0, /^thread \047[^\047]+\047 .*panicked at /) {
            name = $0; sub(/^thread \047/, "", name); sub(/\047.*/, "", name)
            said[name] = substr($0, RLENGTH + 1); lines = 5; next
        }
        # Behind it comes what somebody else says, only the first in a process with a note before.
        /^(stack backtrace|note): ?/ || /^(test |test result: |---- )/ || !NF { lines = 0 }
        lines > 0 { said[name] = said[name] "\n    " $0; lines-- }
        END { for (i = 1; i <= count; i++) print names[i] ": " said[names[i]] }
    ' "$@"
}

# close_steps: the summary and the totals; 1 when anything failed.
close_steps() {
    local failed failures skipped
    printf '\nSummary\n'
    printf '  %s\n' "${summary[@]}"
    skipped=$(skipped_in "$LOGS"/*.log)
    if [ -n "$skipped" ]; then
        printf '\nNot tried on this machine\n'
        printf '%s\n' "$skipped" | sed 's/^/  /'
    fi
    failures=$(failures_in "$LOGS"/*.log)
    if [ -n "$failures" ]; then
        printf '\nWhat failed\n'
        printf '%s\n' "$failures" | sed 's/^/  /'
    fi
    failed=$(($(tests_in failed "$LOGS"/*.log) + failed_steps))
    printf '\n%d passed, %d failed, %d skipped\n' \
        "$(tests_in passed "$LOGS"/*.log)" "$failed" "$(grep -c . <<<"$skipped")"
    [ "$failed" -eq 0 ]
}
