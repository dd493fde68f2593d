# shellcheck shell=bash
# Which disks of this machine may be written over. Needs message.sh.

# value KEY LINE: of a line of `lsblk --pairs`.
value() { sed -nE "s/(^|.* )$1=\"([^\"]*)\".*/\2/p" <<<"$2"; }

# disks: a line for each whole disk, in lsblk's pairs.
disks() { lsblk --nodeps --pairs --bytes --paths --output NAME,TYPE,RM,HOTPLUG,RO,SIZE,TRAN,MODEL; }

# Where the kernel tells of disks; a test has a place of its own.
SYS_BLOCK=/sys/block

# mounts_of DISK: where it, its partitions and what lies on those are mounted or used, a line each. False if that cannot be
# told. Before util-linux 2.37 lsblk knew only one place of each.
mounts_of() {
    local mounts
    mounts=$(lsblk --noheadings --list --output MOUNTPOINTS "$1" 2>/dev/null) ||
        mounts=$(lsblk --noheadings --list --output MOUNTPOINT "$1" 2>/dev/null) || return 1
    grep -v '^[[:space:]]*$' <<<"$mounts" || true
}

# is_built_in LINE: what is soldered to the board hangs on the same controller as a card does; its kind tells them apart.
is_built_in() {
    local name
    name=$(value NAME "$1")
    case $name in
        /dev/mmcblk*) [ "$(cat "$SYS_BLOCK/${name##*/}/device/type" 2>/dev/null)" != SD ] ;;
        *) [ "$(value RM "$1")" != 1 ] && [ "$(value HOTPLUG "$1")" != 1 ] ;;
    esac
}

# objection LINE: why this disk must not be written; nothing if it may.
objection() {
    local name mounts
    name=$(value NAME "$1")
    if ! mounts=$(mounts_of "$name"); then
        echo "whether it is in use cannot be told: lsblk does not say where it is mounted"
    elif [ "$(value TYPE "$1")" != disk ] && [ "$(value TYPE "$1")" != loop ]; then
        echo "it is no disk"
    elif grep -qxE '/|/boot|/boot/.*|/usr|/var|/home|\[SWAP\]' <<<"$mounts"; then
        echo "this system runs from it"
    elif is_built_in "$1"; then
        echo "it is built in"
    elif [ "$(value SIZE "$1")" = 0 ]; then
        echo "there is no card in it"
    elif [ "$(value RO "$1")" = 1 ]; then
        echo "it is write-protected (the small slider at the side of the card)"
    elif [ -n "$mounts" ]; then
        echo "it is in use at $(tr '\n' ' ' <<<"$mounts")- eject it first: sudo umount $name?*"
    fi
}

# in_words LINE: name, size and make.
in_words() {
    local model size
    model=$(value MODEL "$1")
    size=$(value SIZE "$1")
    printf '%-16s %7s GB  %s %s' "$(value NAME "$1")" "$(awk "BEGIN { printf \"%.1f\", $size / 1e9 }")" \
        "$(value TRAN "$1")" "${model:-no name}"
}

# list_cards: those that may be written, and those that could be if something were otherwise. False if there is none.
list_cards() {
    local line why any=no
    while read -r line; do
        why=$(objection "$line")
        case $why in
            "") say "    $(in_words "$line")"; any=yes ;;
            "it is no disk" | "it is built in" | "this system runs from it") ;;
            *) say "    $(in_words "$line")  not now: $why" ;;
        esac
    done < <(disks)
    [ "$any" = yes ]
}
