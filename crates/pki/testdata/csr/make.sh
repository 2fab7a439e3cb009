#!/bin/sh
# Makes the requests of this folder afresh with OpenSSL 3 (no two runs give the
# same bytes), then those with numbers of our own choice. README.md says what
# each is for.
set -eu
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

request() { # name, options of `openssl req`
    name=$1
    shift
    openssl req -new -key "$keys/key.pem" -out "$name.pem" "$@" 2>"$keys/log" || {
        cat "$keys/log" >&2
        exit 1
    }
}
names="subjectAltName=DNS:www.reseal.dev,DNS:reseal.dev"

for curve in P-256 P-384 P-521; do
    openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$curve" -out "$keys/key.pem"
    request "ec-$(echo $curve | tr -d P-)" -subj /CN=www.reseal.dev -addext "$names"
done
for bits in 2048 3072 4096 1024 2047 2056; do
    openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" -out "$keys/key.pem"
    request "rsa-$bits" -subj /CN=www.reseal.dev -addext "$names"
done

# Hashes and padding.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/key.pem"
request rsa-sha384 -subj /CN=www.reseal.dev -sha384
request rsa-sha512 -subj /CN=www.reseal.dev -sha512
request rsa-sha1 -subj /CN=www.reseal.dev -sha1
request rsa-md5 -subj /CN=www.reseal.dev -md5
request rsa-pss-signature -subj /CN=www.reseal.dev -sigopt rsa_padding_mode:pss
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$keys/key.pem"
request ec-sha1 -subj /CN=www.reseal.dev -sha1
request ec-256-sha512 -subj /CN=www.reseal.dev -sha512

# The subject, the attributes, and the old label.
request subject -utf8 -addext "$names" -subj \
    "/C=NL/ST=Overijssel/L=Zwolle/postalCode=8011 AA/street=Ceintuurbaan 32/street=2nd floor/O=Zoë, Koning \\+ Co/OU=Development/CN=www.Reseal.dev/emailAddress=info@reseal.dev"
cat >"$keys/attributes.cnf" <<CONFIGURATION
[req]
prompt = no
distinguished_name = subject
attributes = attributes
[subject]
CN = www.reseal.dev
[attributes]
challengePassword = correct horse
unstructuredName = nobody
CONFIGURATION
openssl req -new -newhdr -config "$keys/attributes.cnf" -key "$keys/key.pem" -out attributes.pem

# Extensions.
extension() { # name, extension
    request "$1" -subj /CN=www.reseal.dev -addext "$2"
}
extension ca-true "basicConstraints=critical,CA:TRUE"
extension ca-false "basicConstraints=CA:FALSE"
extension name-constraints "nameConstraints=permitted;DNS:reseal.dev"
extension code-signing "extendedKeyUsage=codeSigning"
extension ocsp-signing "extendedKeyUsage=serverAuth,OCSPSigning"
extension any-purpose "extendedKeyUsage=anyExtendedKeyUsage"
extension client-auth "extendedKeyUsage=serverAuth,clientAuth"
extension must-staple "tlsfeature=status_request"
extension san-email "subjectAltName=DNS:www.reseal.dev,email:ca@reseal.dev"
extension san-uri "subjectAltName=URI:https://www.reseal.dev/"
extension san-other-name "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ca@reseal.dev"
extension san-registered-id "subjectAltName=RID:1.2.3.4"
extension san-ip "subjectAltName=IP:192.0.2.1,IP:2001:db8::1"
cat >"$keys/directory.cnf" <<CONFIGURATION
[req]
prompt = no
distinguished_name = subject
req_extensions = extensions
[subject]
CN = www.reseal.dev
[extensions]
subjectAltName = dirName:directory
[directory]
CN = www.reseal.dev
CONFIGURATION
openssl req -new -config "$keys/directory.cnf" -key "$keys/key.pem" -out san-directory-name.pem

# Points and parameters.
openssl ec -in "$keys/key.pem" -conv_form compressed -out "$keys/compressed.pem" 2>"$keys/log"
openssl req -new -key "$keys/compressed.pem" -subj /CN=www.reseal.dev -out ec-compressed.pem
openssl ec -in "$keys/key.pem" -param_enc explicit -out "$keys/explicit.pem" 2>"$keys/log"
openssl req -new -key "$keys/explicit.pem" -subj /CN=www.reseal.dev -out ec-explicit.pem

# Types that we refuse.
for curve in secp256k1 brainpoolP256r1 secp224r1; do
    openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$curve" -out "$keys/key.pem"
    request "ec-$curve" -subj /CN=www.reseal.dev
done
for type in ED25519 ED448; do
    openssl genpkey -algorithm $type -out "$keys/key.pem"
    request "$(echo $type | tr DE de)" -subj /CN=www.reseal.dev
done
openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$keys/key.pem"
request rsa-pss-key -subj /CN=www.reseal.dev
openssl genpkey -quiet -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out "$keys/parameters.pem"
openssl genpkey -paramfile "$keys/parameters.pem" -out "$keys/key.pem"
request dsa -subj /CN=www.reseal.dev

# Private keys, as people paste them by mistake: PKCS#8, SEC 1, PKCS#1, and
# encrypted. They protect nothing.
mkdir -p exposed
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out exposed/ec-pkcs8.pem
openssl ec -in exposed/ec-pkcs8.pem -out exposed/ec-sec1.pem 2>"$keys/log"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out exposed/rsa-pkcs8.pem
openssl rsa -in exposed/rsa-pkcs8.pem -traditional -out exposed/rsa-pkcs1.pem 2>"$keys/log"
openssl pkcs8 -topk8 -in exposed/ec-pkcs8.pem -passout pass:secret -out exposed/encrypted.pem
openssl pkey -in exposed/ec-pkcs8.pem -pubout -out exposed/ec-public.pem
openssl pkey -in exposed/rsa-pkcs8.pem -pubout -out exposed/rsa-public.pem

python3 weak_rsa.py
