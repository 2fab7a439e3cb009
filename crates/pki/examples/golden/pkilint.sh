#!/bin/sh
# Runs pkilint's server-certificate linter over a folder that the example wrote.
# Fails on any ERROR or FATAL that the manifest does not expect, and when an
# expected finding no longer appears.
#
#   pip install pkilint
#   cargo run -p reseal-pki --example golden -- FOLDER && pkilint.sh FOLDER
set -eu
cd "$1"
failed=0
count=0
tab=$(printf '\t')
while IFS="$tab" read -r file type issuer expected; do
    found=$(lint_cabf_serverauth_cert lint -t "$type" -s ERROR -f CSV "$file" |
        sed -n 's/.*,\(FATAL\|ERROR\),\([^,]*\).*/\2/p' | sort -u | tr '\n' ' ')
    found=${found% }
    if [ "${found:--}" != "$expected" ]; then
        echo "$file ($type): expected $expected, found ${found:--}" >&2
        failed=1
    fi
    openssl verify -x509_strict -partial_chain -trusted "$issuer" "$file" >/dev/null || failed=1
    count=$((count + 1))
done <manifest.tsv
echo "$count certificates linted"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
