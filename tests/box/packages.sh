# shellcheck shell=bash
# Debian's packages of one release for another machine than this one, without touching /etc: by an apt with lists of its
# own. Needs root for nothing. Needs message.sh; whoever sources this sets `work`, a folder.

# The release whose systemd (257) and kernel (6.12) are nearest to those of the image.
SUITE=trixie

# For these architectures, on which nothing is installed; the first is what a package is for unless its name says more.
architectures=()
# shellcheck disable=SC2154  # `work` is of whoever sources this
apt() {
    local command=$1
    shift
    "$command" -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources" \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
        -o "APT::Architecture=${architectures[0]}" "${architectures[@]/#/-oAPT::Architectures::=}" \
        -o APT::Install-Recommends=false \
        -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"
}

# The machine's own sources of Debian, turned to the suite; those of others are left out.
# shellcheck disable=SC1091  # a file of the machine, not of the project
copy_sources() {
    local file codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$file" ] || sed -nE "s/^deb( +\[[^]]*\])? +([^ ]+) +$codename +.*/deb\1 \2 $SUITE main/p" "$file" |
            sed -E 's/\[? *arch=[^] ]*//; s/^deb +\]/deb/' >"$work/sources/$(basename "$file")"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$file" ] || awk -v RS= -v ORS='\n\n' -v wanted="(^|\n)Suites:([^\n]* )?$codename( |\n|$)" '$0 ~ wanted' "$file" |
            sed -E -e "s/^Suites:.*/Suites: $SUITE/" -e 's/^Types:.*/Types: deb/' -e 's/^Components:.*/Components: main/' \
                -e '/^Architectures:/d' >"$work/sources/$(basename "$file")"
    done
    find "$work/sources" -size -2c -delete
}

# fetch_lists WHAT ARCHITECTURE...: for WHAT, which is said where they cannot be had.
fetch_lists() {
    local what=$1
    architectures=("${@:2}")
    mkdir -p "$work"/{sources,lists/partial,cache/archives/partial}
    : >"$work/status"
    copy_sources
    [ -n "$(ls -A "$work/sources")" ] ||
        unavailable "$what comes from Debian's packages, and this machine has no package source of Debian"
    apt apt-get update || unavailable "the package lists of Debian $SUITE could not be fetched; connect this machine to its package sources"
}

# unpack PACKAGE_FILE FOLDER [TAR ARGUMENT...]
unpack() { dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink "${@:3}"; }
