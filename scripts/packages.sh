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
    [ ${#missing[@]} -eq 0 ] || get "${missing[@]}"
}

# The same for packages that are known to be missing.
get() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing: $*; install them (apt-get install $*) or run this as root" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # A package whose service cannot start in a container is installed all the same: only its program is needed.
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# What the tests drive. Without its recommendations gcc comes without the C library's headers.
require_for_tests() {
    require cc:gcc /usr/include/stdio.h:libc6-dev openssl:openssl knotd:knot kdig:knot-dnsutils ip:iproute2 \
        initdb:postgresql pebble:pebble curl:curl softhsm2-util:softhsm2 pkcs11-tool:opensc
}

# `python_program FOLDER PROGRAM PACKAGE==VERSION`: has it, with what it needs, in a folder of its own.
python_program() {
    [ ! -x "$1/bin/$2" ] || return 0
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check "$3"
}

# `schemathesis_in FOLDER`: what drives the server by its own document.
schemathesis_in() {
    python_program "$1" schemathesis schemathesis==4.32.5
}
