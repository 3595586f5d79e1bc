# To be sourced: which programs are here, and how root installs Debian's packages.

has() {
    command -v "$1" >/dev/null 2>&1
}

may_install() {
    [ "$(id -u)" = 0 ] && has apt-get
}

# Install Debian packages; what apt-get says is shown only if it fails. Its lists may be missing or old.
install() {
    echo "apt-get install $*" >&2
    log=$(mktemp)
    if apt_get install "$@" >"$log" 2>&1 || { apt_get update && apt_get install "$@"; } >"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends "$@" </dev/null
}
