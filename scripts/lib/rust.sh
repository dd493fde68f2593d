# shellcheck shell=bash
# Finding a Rust toolchain, or installing one. Sets and exports CARGO, and RUSTC where it is not cargo's own.
# Needs message.sh, install.sh and ROOT.

readonly BOX_TARGET=aarch64-unknown-linux-gnu
# A toolchain is only used, never fetched, while it is looked at.
export RUSTUP_AUTO_INSTALL=0

oldest_rust() { sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$ROOT/Cargo.toml"; }

# is_new_enough VERSION
is_new_enough() {
    [ -n "$1" ] && printf '%s\n%s\n' "$(oldest_rust)" "$1" | sort -C -V
}

version_of() { "$1" --version 2>/dev/null | awk '{ print $2 }'; }

use_path_rust() {
    local dir
    # rustup's own place, for a shell that was open before rustup was installed.
    for dir in "" "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin"; do
        if PATH="$PATH${dir:+:$dir}" have cargo && is_new_enough "$(PATH="$PATH${dir:+:$dir}" version_of rustc)"; then
            [ -z "$dir" ] || PATH="$PATH:$dir"
            export CARGO=cargo
            unset RUSTC
            return 0
        fi
    done
    return 1
}

# The distribution's toolchain, beside a rustup that is too old or lacks the box's target.
use_packaged_rust() {
    [ -x /usr/bin/cargo ] && is_new_enough "$(version_of /usr/bin/rustc)" || return 1
    export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc
}

# Ubuntu names some of its newer toolchains by version, beside the default one.
use_versioned_rust() {
    local rustc version
    for rustc in $(compgen -G '/usr/bin/rustc-1.*' | sort -rV); do
        version=${rustc#/usr/bin/rustc-}
        if [ -x "/usr/bin/cargo-$version" ] && is_new_enough "$(version_of "$rustc")"; then
            export CARGO="/usr/bin/cargo-$version" RUSTC="$rustc"
            return 0
        fi
    done
    return 1
}

# The packages of the first new enough toolchain that apt offers: Debian's rustc-web (kept new for its
# browsers), the plain one, or Ubuntu's newest rustc-1.N. Nothing when there is none.
packaged_rust() {
    local rustc cargo
    # shellcheck disable=SC2046  # a list of words
    for rustc in rustc-web rustc $(apt-cache pkgnames rustc-1. 2>/dev/null | sort -rV); do
        cargo=${rustc/rustc/cargo}
        if is_new_enough "$(candidate "$rustc")" && [ -n "$(candidate "$cargo")" ]; then
            echo "$rustc $cargo"
            return 0
        fi
    done
}

# Ubuntu 24.04 and Debian 13 have rustup itself as a package; it fetches the toolchain for this user alone.
install_packaged_rustup() {
    if have rustup || ! have apt-get || ! can_be_root; then return 1; fi
    refresh_package_lists
    [ -n "$(candidate rustup)" ] || return 1
    install_packages "gets the compiler; Chronus is written in Rust" rustup || return 1
    step "Letting rustup fetch the current stable Rust"
    timeout 600 rustup default stable >/dev/null 2>&1 && use_path_rust
}

say_how_to_get_rust() {
    say "error: Chronus needs Rust $(oldest_rust) or newer, which is not here and could not be installed."
    if have rustup; then
        say "       rustup is here; type this, then try again:"
        say "       rustup default stable && rustup update stable"
    else
        say "       With rustup you get it without being root. Type this, then try again:"
        say "       curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    fi
}

# need_rust: 0 with CARGO set, or 1 with the way to get it said.
need_rust() {
    local packages
    use_path_rust || use_packaged_rust || use_versioned_rust && return 0
    if have apt-get && can_be_root; then
        refresh_package_lists
        read -ra packages <<<"$(packaged_rust)"
        if [ ${#packages[@]} -gt 0 ] && install_packages "the compiler; Chronus is written in Rust" "${packages[@]}"; then
            use_packaged_rust || use_versioned_rust && return 0
        fi
        install_packaged_rustup && return 0
    fi
    say_how_to_get_rust
    return 1
}

# rustfmt and clippy come apart from the compiler.
need_formatter() { need_rust_part rustfmt rustfmt rustfmt; }
need_clippy() { need_rust_part cargo-clippy clippy rust-clippy; }

# need_rust_part COMMAND RUSTUP_NAME DEBIAN_NAME
need_rust_part() {
    local package=$3
    if have "$1" && "$1" --version >/dev/null 2>&1; then return 0; fi
    if [ "$CARGO" = cargo ] && have rustup; then
        timeout 120 rustup component add "$2" >/dev/null 2>&1
        return
    fi
    case $package in
        rustfmt) ! is_installed rustc-web || package=rustfmt-web ;;
        rust-clippy) ! is_installed rustc-web || package=rust-web-clippy ;;
    esac
    install_packages "checking the code" "$package"
}

# need_miri: the interpreter that finds undefined behaviour, which only comes with rustup's nightly toolchain. That one
# is fetched beside the toolchain in use, never in its place.
need_miri() {
    have rustup || return 1
    if has_miri; then return 0; fi
    step "Letting rustup fetch Miri, with a nightly toolchain beside yours"
    timeout 300 rustup toolchain install nightly --profile minimal --component miri,rust-src >/dev/null 2>&1 && has_miri
}

has_miri() {
    rustup run nightly cargo miri --version >/dev/null 2>&1 &&
        [ -d "$(rustup run nightly rustc --print sysroot)/lib/rustlib/src/rust/library" ]
}

# has_box_target: the chosen compiler has the box's standard library.
has_box_target() {
    local library
    library=$("${RUSTC:-rustc}" --print target-libdir --target "$BOX_TARGET" 2>/dev/null) &&
        compgen -G "$library/libstd-*.rlib" >/dev/null
}
