# shellcheck shell=bash
# libasound.a for the box, from the distribution's alsa-lib source, kept between builds.
# Needs message.sh, install.sh, apt_source.sh and TARGET_DIR.

# The finished one, if any: found by what pkg-config will tell Cargo, so that a moved directory is not taken.
find_box_alsa() {
    local dir
    for dir in "$TARGET_DIR"/firmware/alsa-lib-*; do
        if [ -f "$dir/lib/libasound.a" ] && [ "$(alsa_libdir_from "$dir/lib/pkgconfig")" = "$dir/lib" ]; then
            echo "$dir"
            return 0
        fi
    done
    return 1
}

# What Cargo's build script will find with this directory, and only this one, to look in.
alsa_libdir_from() { PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR="$1" pkg-config --variable=libdir alsa 2>/dev/null; }

# build_box_alsa WORK_DIR: the static library alone; the box's kernel devices need nothing of the rest.
build_box_alsa() {
    local work=$1 source prefix
    step "Fetching the source of alsa-lib"
    logged "$TARGET_DIR/firmware/alsa-fetch.log" download_source alsa-lib "$work" || return 1
    source=$(compgen -G "$work/alsa-lib-*/configure") || return 1
    source=$(dirname "$source")
    prefix=$TARGET_DIR/firmware/$(basename "$source")
    step "Compiling $(basename "$source") for the box (15 to 60 s)"
    logged "$TARGET_DIR/firmware/alsa-build.log" compile_alsa "$source" "$prefix" "$work/out" || return 1
    # Moved into its place in one go: a build that was cut off leaves nothing that looks finished.
    rm -rf "$prefix"
    mv "$work/out$prefix" "$prefix"
}

compile_alsa() {
    cd "$1" || return 1
    CFLAGS=-O2 ./configure --host=aarch64-linux-gnu --prefix="$2" --enable-static --disable-shared \
        --disable-python --disable-topology --disable-ucm --disable-rawmidi --disable-seq --disable-hwdep \
        --with-configdir=/usr/share/alsa &&
        make -j"$(nproc)" && make install DESTDIR="$3"
}

# need_box_alsa: sets BOX_ALSA, the directory it is in; UNAVAILABLE where there are no source packages.
need_box_alsa() {
    local work status=0
    # shellcheck disable=SC2034  # for the script that sources this file
    if BOX_ALSA=$(find_box_alsa); then return 0; fi
    if ! have apt-get; then
        say "error: libasound.a for the box is built from Debian's or Ubuntu's source package, and there is no apt-get here."
        say "       Build the firmware on Debian 12 or Ubuntu; a container of either will do."
        return "$UNAVAILABLE"
    fi
    install_packages "compiling alsa-lib" make dpkg-dev patch xz-utils bzip2 || return "$UNAVAILABLE"
    mkdir -p "$TARGET_DIR/firmware"
    work=$(mktemp -d "$TARGET_DIR/firmware/work.XXXXXX")
    (build_box_alsa "$work") || status=1
    rm -rf "$work"
    # shellcheck disable=SC2034
    [ "$status" -eq 0 ] && BOX_ALSA=$(find_box_alsa)
}
