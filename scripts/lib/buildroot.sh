# shellcheck shell=bash
# Buildroot: which one, where from, and its configuration for a board. Needs message.sh, ROOT, TARGET_DIR.

# The long-term release the fragments in board/ were checked with. A commit is named by a hash of all that is in it, so
# the right commit is the right source, whichever server it came from.
readonly BUILDROOT_VERSION=2026.02.3
readonly BUILDROOT_COMMIT=679b9ead7620bbf193620d1ebf56f53c1764d37a
readonly BUILDROOT_SERVERS="https://gitlab.com/buildroot.org/buildroot.git https://github.com/buildroot/buildroot.git"

# need_buildroot: sets BUILDROOT, the directory of its sources.
need_buildroot() {
    local server
    if [ -n "${BUILDROOT_DIR:-}" ]; then
        BUILDROOT=$(realpath -m "$BUILDROOT_DIR")
        [ -f "$BUILDROOT/support/kconfig/merge_config.sh" ] ||
            die "BUILDROOT_DIR=$BUILDROOT is no Buildroot: it has no support/kconfig/merge_config.sh"
        return
    fi
    BUILDROOT=$TARGET_DIR/buildroot-$BUILDROOT_VERSION
    for server in $BUILDROOT_SERVERS; do
        [ ! -d "$BUILDROOT/.git" ] || break
        step "Fetching Buildroot $BUILDROOT_VERSION from ${server%%/buildroot*} (15 MB)"
        rm -rf "$BUILDROOT.new"
        logged "$TARGET_DIR/buildroot-fetch.log" git -c advice.detachedHead=false clone --quiet --depth 1 \
            --branch "$BUILDROOT_VERSION" "$server" "$BUILDROOT.new" && mv "$BUILDROOT.new" "$BUILDROOT"
    done
    [ -d "$BUILDROOT/.git" ] || unavailable "Buildroot $BUILDROOT_VERSION could not be fetched; the network's words are above." \
        "With a copy of it (git clone, tag $BUILDROOT_VERSION):  BUILDROOT_DIR=DIRECTORY $0 $*"
    [ "$(git -C "$BUILDROOT" rev-parse HEAD)" = "$BUILDROOT_COMMIT" ] ||
        die "$BUILDROOT is not the Buildroot that was asked for: its commit is not $BUILDROOT_COMMIT." \
            "Somebody has changed the tag, or the copy. Delete that directory to fetch it anew."
    [ -z "$(git -C "$BUILDROOT" status --porcelain --untracked-files=no)" ] ||
        die "there are changes in $BUILDROOT." "Delete it to fetch it anew, or name it: BUILDROOT_DIR=$BUILDROOT $0"
}

# buildroot_fragments BOARD: ours, in the order in which they are laid on top of Buildroot's own configuration.
buildroot_fragments() {
    echo "$ROOT/board/common/buildroot.fragment"
    case $1 in rpi*) echo "$ROOT/board/rpi/buildroot.fragment" ;; esac
    echo "$ROOT/board/$1/buildroot.fragment"
}

# kernel_fragments BOARD
kernel_fragments() {
    echo "$ROOT/board/common/linux.fragment"
    case $1 in rpi*) echo "$ROOT/board/rpi/linux.fragment" ;; *) echo "$ROOT/board/$1/linux.fragment" ;; esac
}

# defconfig_of BOARD: Buildroot's own configuration, which brings the vendor's kernel by commit and hash.
defconfig_of() {
    case $1 in
        rpi4) echo raspberrypi4_64_defconfig ;;
        rpi5) echo raspberrypi5_defconfig ;;
        vm) echo qemu_aarch64_virt_defconfig ;;
    esac
}

# in_buildroot OUT TARGET...: make, with our external tree.
in_buildroot() {
    local out=$1
    shift
    # As root GNU tar's configure wants to be told that it is meant so.
    env -u MAKEFLAGS -u LD_LIBRARY_PATH -u PERL_MM_OPT FORCE_UNSAFE_CONFIGURE=1 \
        make --no-print-directory -C "$BUILDROOT" O="$out" BR2_EXTERNAL="$ROOT/buildroot" "$@"
}

# configure_buildroot BOARD OUT PROGRAM: writes OUT/.config and stops if a line of ours is not in effect.
configure_buildroot() {
    local board=$1 out=$2 fragments
    mkdir -p "$out"
    # Where things are on this machine is nobody's to keep.
    {
        echo "BR2_PACKAGE_CHRONUS_PROGRAM=\"$3\""
        echo "BR2_DL_DIR=\"$DOWNLOADS\""
    } >"$out/here.fragment"
    mapfile -t fragments < <(buildroot_fragments "$board")
    fragments+=("$out/here.fragment")
    (cd "$BUILDROOT" && logged "$out/merge.log" support/kconfig/merge_config.sh -m -O "$out" \
        "configs/$(defconfig_of "$board")" "${fragments[@]}") || die "Buildroot's configuration could not be merged"
    logged "$out/olddefconfig.log" in_buildroot "$out" olddefconfig || die "Buildroot does not take the configuration"
    hold_lines "Buildroot's configuration for $board" BR2_ "$out/.config" "${fragments[@]}"
    hold_symbols
}

# hold_lines WHAT PREFIX CONFIG FRAGMENT...: kconfig drops what it does not know, or what depends on something that is
# off, and says nothing. So every line of ours is looked for in what it made of them.
hold_lines() {
    local what=$1 prefix=$2 config=$3 line symbol missing=()
    shift 3
    while IFS= read -r line; do
        symbol=$(grep -oE "${prefix}[A-Za-z0-9_]+" <<<"$line" | head -n 1)
        missing+=("$line" "    there is: $(grep -E "^(# )?${symbol}[ =]" "$config" || echo "nothing of that name")")
    done < <(lines_of "$prefix" "$@" | grep -vxF -f "$config")
    [ ${#missing[@]} -eq 0 ] || die "$((${#missing[@]} / 2)) of our lines are not in effect in $what:" "${missing[@]}" \
        "Either it does not know that name any more, or something it depends on is off. The file: $config"
}

# lines_of PREFIX FRAGMENT...: what they set, without comments. Of two lines for one name the last counts.
lines_of() {
    local prefix=$1
    shift
    grep -hE "^(${prefix}|# ${prefix}[A-Za-z0-9_]+ is not set\$)" "$@" |
        awk '{ name = ($1 == "#") ? $2 : substr($0, 1, index($0, "=") - 1); last[name] = $0 }
            END { for (name in last) print last[name] }'
}

# A `select` of a name that does not exist is not complained of either.
hold_symbols() {
    local symbol
    while read -r symbol; do
        grep -rqE --include='Config*.in*' "^[[:space:]]*(menu)?config $symbol\$" "$BUILDROOT" ||
            die "our package wants $symbol, which this Buildroot does not know (buildroot/package/*/Config.in)"
    done < <(grep -hoE '(select|depends on) BR2_[A-Za-z0-9_]+' "$ROOT"/buildroot/package/*/Config.in | awk '{ print $NF }')
}
