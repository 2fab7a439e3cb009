#!/usr/bin/env python3
"""Runs pkilint's server-certificate linter and `openssl verify` over a folder that the example wrote.

    pip install pkilint
    cargo run -p reseal-pki --example golden -- FOLDER && judge.py FOLDER

Fails on any ERROR or FATAL that the manifest does not expect, and when an expected finding no longer appears. All in
one process: the linter takes longer to start than to judge a certificate.
"""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pkilint import finding_filter, loader
from pkilint.cabf import serverauth
from pkilint.cabf.serverauth import serverauth_constants
from pkilint.pkix import certificate
from pkilint.validation import ValidationFindingSeverity

WORST = {ValidationFindingSeverity.ERROR, ValidationFindingSeverity.FATAL}
VALIDATORS = {}


def validator(kind):
    if kind not in VALIDATORS:
        VALIDATORS[kind] = certificate.create_pkix_certificate_validator_container(
            serverauth.create_decoding_validators(), serverauth.create_validators(kind)
        )
    return VALIDATORS[kind]


def lint(path, kind):
    """Codes of all findings that are errors or worse."""
    kind = serverauth_constants.CertificateType.from_option_str(kind)
    with open(path, "rb") as file:
        read = loader.RFC5280CertificateDocumentLoader().load_file(file, str(path))
    results = validator(kind).validate(read.root)
    filters = serverauth.create_serverauth_finding_filters(kind)
    results, _ = finding_filter.filter_results(filters, results)
    return {
        description.finding.code
        for result in results
        for description in result.finding_descriptions
        if description.finding.severity in WORST
    }


def verify(path, issuer):
    command = ["openssl", "verify", "-x509_strict", "-partial_chain", "-trusted", issuer, path]
    if path.startswith("pre"):
        # The poison is there so that nobody takes it for a certificate.
        command.insert(2, "-ignore_critical")
    return subprocess.run(command, capture_output=True, text=True)


def judge(line):
    """What is wrong with the certificate of a line of the manifest."""
    file, kind, issuer, expected = line.split("\t")
    problems = []
    found = lint(file, kind)
    if found != (set() if expected == "-" else {expected}):
        problems.append(f"{file} ({kind}): expected {expected}, found {' '.join(sorted(found)) or '-'}")
    verified = verify(file, issuer)
    if verified.returncode:
        problems.append(f"{file}: {verified.stderr.strip()}")
    return problems


def main(folder):
    os.chdir(folder)
    lines = Path("manifest.tsv").read_text().splitlines()
    with ProcessPoolExecutor() as pool:
        problems = sum(pool.map(judge, lines, chunksize=8), [])
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(lines)} certificates linted")
    return 1 if problems or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
