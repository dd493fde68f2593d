# shellcheck shell=bash
# How far a build of Buildroot's is, and how long it will take. Needs message.sh and buildroot.sh.

# About how many seconds the large packages take on two cores, estimated; only their ratios matter. Any other: 10.
readonly HEAVY_PACKAGES="linux 1500 systemd 400 host-python3 300 host-cmake 600 host-systemd 200 util-linux 130
    util-linux-libs 100 host-util-linux 120 host-libopenssl 200 busybox 60 e2fsprogs 90 host-e2fsprogs 80 alsa-lib 50
    toolchain-external-bootlin 60 rpi-firmware 60 host-libtool 30 host-autoconf 20 dbus 40 dropbear 40"

# installed_packages OUT: names with versions of what is finished.
installed_packages() {
    find "$1/build" -mindepth 2 -maxdepth 2 -name .stamp_installed -printf '%h\n' 2>/dev/null | sed 's:.*/::'
}

# done_weight OUT ORDER: "WEIGHT_DONE WEIGHT_ALL FINISHED ALL" for the packages in the file ORDER.
done_weight() {
    { cat "$2"; echo '='; installed_packages "$1"; } | awk -v heavy="$HEAVY_PACKAGES" '
        BEGIN { n = split(heavy, part); for (i = 1; i < n; i += 2) weight[part[i]] = part[i + 1] }
        $0 == "=" { installed = 1; next }
        !installed { if (!($0 in w)) { w[$0] = ($0 in weight) ? weight[$0] : 10; all += w[$0]; count++ } next }
        {
            # The version goes, word by word, until what is left is a package.
            name = $0
            while (!(name in w) && sub(/-[^-]*$/, "", name)) continue
            if (name in w && !(name in seen)) { seen[name] = 1; finished++; sum += w[name] }
        }
        END { print sum + 0, all + 0, finished + 0, count + 0 }'
}

minutes() { echo "$((($1 + 30) / 60)) min"; }

# with_progress OUT LOG COMMAND...: runs it, with its output in LOG, and says every minute (on a terminal: all the time)
# how far it is. What was there before does not count for the speed.
with_progress() {
    local out=$1 log=$2 order=$1/build-order began=$SECONDS first="" pid="" status=0 told=-60
    local weight all finished count now left line
    shift 2
    in_buildroot "$out" -s show-build-order >"$order" 2>/dev/null || die "Buildroot cannot tell what it would build"
    # A process group of its own: interrupted here, all of it is to stop too.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    trap 'kill -- "-$pid" 2>/dev/null; wait "$pid" 2>/dev/null; exit 130' INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        sleep 2
        read -r weight all finished count < <(done_weight "$out" "$order")
        first=${first:-$weight}
        now=$((SECONDS - began))
        left="time left not known yet"
        if [ "$((weight - first))" -ge 30 ]; then
            left="about $(minutes $((now * (all - weight) / (weight - first)))) left"
        fi
        line="    $finished of $count packages, $(minutes "$now"), $left; now $(current_package "$log")"
        if [ -t 2 ]; then
            printf '\r%-100.100s' "$line" >&2
        elif [ $((now - told)) -ge 60 ]; then
            say "$line"
            told=$now
        fi
    done
    wait "$pid" || status=$?
    trap - INT TERM
    [ ! -t 2 ] || printf '\r%-100s\r' "" >&2
    [ "$status" -eq 0 ] || {
        grep -aE 'rror|failed' "$log" | tail -n 10 | sed 's/^/    /' >&2
        say "    (all of it: $log)"
    }
    return "$status"
}

# The last package Buildroot has announced (">>> name version Step").
current_package() { grep -a '>>>' "$1" 2>/dev/null | tail -n 1 | awk '{ print $2 }'; }
