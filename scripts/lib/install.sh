# shellcheck shell=bash
# Installing what is missing, from the distribution's own packages, and nothing that is there already.
# Needs message.sh.

have() { command -v "$1" >/dev/null 2>&1; }

# shellcheck disable=SC1091  # a file of the machine, not of the project
distribution() { (. /etc/os-release 2>/dev/null && printf '%s' "${ID:-unknown}") || printf unknown; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

can_be_root() { [ "$(id -u)" -eq 0 ] || have sudo; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The package lists are fetched at most once per run, and only when there is something to install.
# A source that does not answer is no reason to stop: what is missing shows when it is asked for.
lists_are_fresh=no
refresh_package_lists() {
    [ "$lists_are_fresh" = no ] || return 0
    step "Fetching the package lists"
    as_root apt-get update -qq >/dev/null 2>&1 ||
        say "    some package lists could not be fetched; going on with those there are"
    lists_are_fresh=yes
}

# The version apt would install, or nothing.
candidate() { apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'; }

# install_packages WHY PACKAGE...: installs those that are missing; 0 when all are there in the end.
install_packages() {
    local why=$1 package log missing=()
    shift
    for package in "$@"; do is_installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! have apt-get; then
        say "error: needed for $why, under their Debian names: ${missing[*]}"
        say "       Chronus installs packages on Debian and Ubuntu only; install these by hand, then try again."
        return 1
    fi
    if ! can_be_root; then
        say "error: needed for $why: ${missing[*]}"
        say "       Installing needs root, and there is no sudo here. As root, type:"
        say "       apt-get update && apt-get install ${missing[*]}"
        return 1
    fi
    refresh_package_lists
    step "Installing ${missing[*]} ($why)"
    apt_install "${missing[@]}" || install_one_by_one "${missing[@]}" || return 1
}

# --no-remove: a script that starts a synthesizer never takes away what somebody else installed.
apt_install() {
    local log
    log=$(mktemp)
    logged "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove \
        --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" || return 1
    rm -f "$log"
}

# One package that cannot be had (what is installed is in its way, its source does not answer) must not keep the others away.
install_one_by_one() {
    local package refused=()
    if [ $# -gt 1 ]; then
        say "    Not all at once, then: one by one."
        for package in "$@"; do apt_install "$package" || refused+=("$package"); done
    else
        refused=("$@")
    fi
    [ ${#refused[@]} -gt 0 ] || return 0
    say "error: apt-get could not install ${refused[*]}; its words are above. By hand, as root, looking at what it would"
    say "       take away:"
    say "       apt-get install ${refused[*]}"
    return 1
}

# What is wanted is gathered first and installed in one go, so that a user without root is told all of it at once.
wanted=()
wanted_for=()

# want WHY COMMAND PACKAGE...: by what is there, not by package, so that any origin will do.
want() {
    have "$2" || want_packages "$1" "${@:3}"
}

want_packages() {
    wanted+=("${@:2}")
    wanted_for+=("$1")
}

install_wanted() {
    local packages=("${wanted[@]}") why
    [ ${#packages[@]} -gt 0 ] || return 0
    why=$(printf ', %s' "${wanted_for[@]}")
    wanted=()
    wanted_for=()
    install_packages "${why#, }" "${packages[@]}"
}

# A compiler for the box without the box's C library compiles nothing: apt-get without its recommendations brings just that.
want_box_compiler() {
    if ! have aarch64-linux-gnu-gcc || [ ! -e "$(aarch64-linux-gnu-gcc -print-file-name=crt1.o)" ]; then
        want_packages "$1" gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    fi
}

# What every build needs beside Rust, for this machine or for the box.
want_build_basics() {
    want "the linker" cc gcc libc6-dev
    want "finding libraries" pkg-config pkg-config
    has_certificates || want_packages "fetching crates" ca-certificates
}

# Cargo fetches crates over TLS; a bare container has no certificates to check it against.
has_certificates() {
    local place
    for place in "${SSL_CERT_FILE:-/nowhere}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs; do
        [ ! -e "$place" ] || return 0
    done
    return 1
}

# What a build for this machine needs beside Rust.
need_desk_libraries() {
    want_build_basics
    { have pkg-config && pkg-config --exists alsa; } || want_packages "the sound card" libasound2-dev
    install_wanted
}
