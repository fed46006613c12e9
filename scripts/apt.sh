# What get_chromium and get_node share: packages of Debian and its like, as root or by sudo.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

install() {
    DEBIAN_FRONTEND=noninteractive as_root timeout 300 apt-get -qq install -y --no-install-recommends "$1" > /dev/null 2>&1
}

# Install a package, with a fresh list of what there is where the old one does not know it.
bring() {
    echo "installing $1 for the studio's tests"
    install "$1" || {
        as_root timeout 120 apt-get -qq update > /dev/null 2>&1
        install "$1"
    }
}
