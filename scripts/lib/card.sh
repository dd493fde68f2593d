# shellcheck shell=bash
# The finished card: what is in it, how large it is, how it is packed. Needs message.sh and buildroot.sh.

# Megabytes (of 1048576 bytes). A root of 40 is read in a second and a half from a slow card; 60 are fetched in a minute
# over a slow line.
readonly LARGEST_ROOT=40
readonly LARGEST_PACKED=60

# write_sbom OUT FILE: before anything is built, so that what it lacks is known at once.
write_sbom() {
    step "Listing all that goes into the card ($2)"
    # Buildroot's tool fetches the list of licences' names once, and keeps it with the downloads.
    if ! (set -o pipefail; in_buildroot "$1" -s show-info |
        BR2_DL_DIR="$DOWNLOADS" "$BUILDROOT/utils/generate-cyclonedx" >"$2.new" 2>"$1/sbom.log"); then
        tail -n 5 "$1/sbom.log" | sed 's/^/    /' >&2
        die "the list of what is in the card (SBOM) could not be made; see above."
    fi
    mv "$2.new" "$2"
}

# kernel_directory OUT: where Buildroot builds it; the name carries a version or a commit.
kernel_directory() { in_buildroot "$1" -s printvars VARS=LINUX_DIR | sed 's/^LINUX_DIR=//'; }

# hold_kernel BOARD OUT: our lines in the .config that the kernel is, or was, built with.
hold_kernel() {
    local fragments
    mapfile -t fragments < <(kernel_fragments "$1")
    hold_lines "the kernel's configuration for $1" CONFIG_ "$(kernel_directory "$2")/.config" "${fragments[@]}"
}

card_name() { case $1 in vm) echo disk.img ;; *) echo sdcard.img ;; esac; }

megabytes() { echo $((($(stat -Lc %s "$1") + 1048575) / 1048576)); }

# hold_size WHAT FILE MOST
hold_size() {
    # shellcheck disable=SC2154  # build: of the script that sources this file
    [ "$(megabytes "$2")" -le "$3" ] || die "$1 has $(megabytes "$2") MB; $3 are allowed." \
        "What takes the room:  make -C $BUILDROOT O=${build:-target/image/BOARD/build} graph-size; or raise the limit in scripts/lib/card.sh."
}

# finish_card BOARD IMAGES RESULT: the card, and packed for the way to its owner.
finish_card() {
    local card
    card=$3/$(card_name "$1")
    hold_size "the root file system" "$2/rootfs.squashfs" "$LARGEST_ROOT"
    cp --sparse=always "$2/$(card_name "$1")" "$card"
    [ "$1" != vm ] || cp "$2/Image" "$2/cmdline.txt" "$3/"
    step "Packing (a minute)"
    # The second system is the first one again, 160 MB further on: with a memory of 192 MB xz sees that.
    xz -T1 --keep --force --lzma2=preset=6,dict=192MiB "$card"
    hold_size "the packed card" "$card.xz" "$LARGEST_PACKED"
}

# version_of_package OUT NAME: as Buildroot has it.
version_of_package() { in_buildroot "$1" -s printvars VARS="$2_VERSION" | sed 's/^[A-Z_]*_VERSION=//'; }

# What the kernel calls itself, with PREEMPT_RT in it.
kernel_banner() {
    grep -aoE 'Linux version [0-9][^ ]*|SMP PREEMPT_RT' "$1" | sort -u | tr '\n' ' ' | sed 's/Linux version //; s/ $//'
}

# summary_of_card BOARD OUT RESULT VERSION
summary_of_card() {
    local card file
    card=$3/$(card_name "$1")
    for file in "$card" "$card.xz"; do
        printf 'file       %s\n' "$file"
        printf 'size       %s bytes (%s MB)\n' "$(stat -c %s "$file")" "$(megabytes "$file")"
        printf 'sha256     %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)"
    done
    printf 'root       %s MB of %s\n' "$(megabytes "$2/images/rootfs.squashfs")" "$LARGEST_ROOT"
    printf 'sbom       %s\n' "$3/sbom.cdx.json"
    printf 'chronus    %s, sha256 %s\n' "$(version_of_package "$2" CHRONUS)" \
        "$(sha256sum <"$2/target/usr/bin/chronus" | cut -d' ' -f1)"
    printf 'kernel     %s\n' "$(kernel_banner "$2/images/Image")"
    printf 'systemd    %s\n' "$(version_of_package "$2" SYSTEMD)"
    printf 'buildroot  %s\n' "$4"
    if [ "$1" = vm ]; then
        say "Start it:  qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 4 -m 1024 -display none -serial stdio \\"
        say "               -kernel $3/Image -append \"\$(cat $3/cmdline.txt)\" -drive if=virtio,format=raw,file=$card"
    else
        say "Write it:  with Raspberry Pi Imager (Use custom) and $card.xz, or"
        say "           xzcat $card.xz | sudo dd of=/dev/sdX bs=4M conv=fsync     (sdX: the card, see lsblk)"
    fi
}
