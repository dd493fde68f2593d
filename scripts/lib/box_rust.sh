# shellcheck shell=bash
# A Rust toolchain for the box (aarch64). Needs message.sh, install.sh and rust.sh.

use_rustup_target() {
    use_path_rust && have rustup || return 1
    step "Asking rustup for the standard library of $BOX_TARGET"
    # 25 MB to fetch; a line that needs longer, or hangs, is no reason to wait while Debian's packages may do.
    timeout 120 rustup target add "$BOX_TARGET" >/dev/null 2>&1 && has_box_target
}

# Debian builds its Rust for every architecture, so the box's library is one foreign package away. Ubuntu keeps
# arm64 on other servers, which its own sources do not name: there rustup is the way.
use_debian_target() {
    local rustc library
    [ "$(distribution)" = debian ] && can_be_root || return 1
    if [ "$(dpkg --print-architecture)" != arm64 ] && ! dpkg --print-foreign-architectures | grep -qx arm64; then
        step "Letting apt see packages for arm64 (dpkg --add-architecture arm64)"
        as_root dpkg --add-architecture arm64 || return 1
        # shellcheck disable=SC2034  # install.sh reads it
        lists_are_fresh=no
    fi
    refresh_package_lists
    read -r rustc _ <<<"$(packaged_rust)"
    case $rustc in
        rustc-web) library=libstd-rust-web-dev ;;
        rustc) library=libstd-rust-dev ;;
        *) return 1 ;;
    esac
    # shellcheck disable=SC2046  # two package names
    install_packages "the compiler, and its library for the box" $(packaged_rust) "$library:arm64" || return 1
    use_packaged_rust && has_box_target
}

# need_box_toolchain: 0 with CARGO and RUSTC set, or 1 with what is missing said.
need_box_toolchain() {
    if ! { use_path_rust && has_box_target; } && ! { use_packaged_rust && has_box_target; } &&
        ! use_rustup_target && ! use_debian_target && ! { install_packaged_rustup && use_rustup_target; }; then
        say "error: no Rust toolchain here can compile for $BOX_TARGET, and none could be installed."
        say "       With rustup (https://rustup.rs):  rustup target add $BOX_TARGET"
        say "       On Debian 12, as root:            dpkg --add-architecture arm64 && apt-get update &&"
        say "                                         apt-get install rustc-web cargo-web libstd-rust-web-dev:arm64"
        return 1
    fi
}
