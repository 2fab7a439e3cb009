# For the scripts that drive other programs: `require TOOL:PACKAGE …` installs what is missing, as root by apt-get;
# otherwise it says what to install. The package names are Debian's.

# Whether TOOL is there: a command, or a file with its whole path.
found() {
    case $1 in
        /*) [ -e "$1" ] ;;
        # Debian puts the server's programs beside the path.
        initdb) command -v initdb || ls /usr/lib/postgresql/*/bin/initdb ;;
        *) command -v "$1" || [ -x "/usr/sbin/$1" ] ;;
    esac >/dev/null 2>&1
}

require() {
    local entry missing=()
    for entry in "$@"; do
        found "${entry%%:*}" || missing+=("${entry##*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing: ${missing[*]}; install them (apt-get install ${missing[*]}) or run this as root" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # A package whose service cannot start in a container is installed all the same: only its program is needed.
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}
