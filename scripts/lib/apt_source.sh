# shellcheck shell=bash
# Debian source packages without touching /etc: the machine's own package sources, read as source entries,
# in a directory of ours. Needs no root. Needs message.sh.

# write_source_entries APT_DIR OUT_DIR: from /etc/apt and the like, both formats.
write_source_entries() {
    local file out=$2
    mkdir -p "$out"
    for file in "$1"/sources.list "$1"/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]+/deb-src /p' "$file" | sort -u >"$out/$(basename "$file" .list)-src.list"
    done
    for file in "$1"/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed -E 's/^[Tt]ypes:.*/Types: deb-src/' "$file" >"$out/$(basename "$file")"
    done
}

# download_source PACKAGE DIR: fetches, checks (apt does, against the distribution's signatures) and unpacks it in DIR.
download_source() {
    local package=$1 dir=$2 options
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
    write_source_entries /etc/apt "$dir/apt/sources"
    options=(
        -qq
        -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$dir/apt/sources"
        -o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache"
        # As root apt would drop to a user who may not write here.
        -o "APT::Sandbox::User=$(id -un)"
    )
    # A source without source packages is not ours to worry about: the next line finds out what matters.
    apt-get "${options[@]}" update || true
    (cd "$dir" && apt-get "${options[@]}" source "$package")
}
