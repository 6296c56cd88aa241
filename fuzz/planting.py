"""Puts faults into a copy of the repository: what `fuzz/planted` and `crates/interop/planted` share.

A list of faults is a TOML file with a table for each fault: `what` is wrong, in which `crate` and `file`,
and the code to `find`, which must occur exactly once, and to `replace`.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- planted -->\n", "<!-- /planted -->\n"


def options(description):
    """The command line that both programs have."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("words", nargs="*")
    return parser


def read(path):
    """The faults in a list, numbered from 1."""
    faults = tomllib.loads((ROOT / path).read_text())["fault"]
    for number, fault in enumerate(faults, 1):
        fault["number"] = number
    return faults


def select(faults, words, group):
    """The faults whose description contains one of the words, or whose group is one of them."""
    return [
        fault
        for fault in faults
        if not words or any(word in fault["what"] or word == fault[group] for word in words)
    ]


@contextlib.contextmanager
def workplace(folder):
    """The folder for the copy, which is kept if it is named, and temporary if not."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)


def place(fault):
    """The file in which a fault is, from the repository's root."""
    return Path("crates") / fault["crate"] / fault["file"]


def change(text, fault, replacement):
    """The text with the fault in it."""
    if text.count(fault["find"]) != 1:
        sys.exit(f"{place(fault)} has this {text.count(fault['find'])} times: {fault['find']}")
    return text.replace(fault["find"], replacement)


def copy(work, texts):
    """Copies the repository's files, some of them with other texts.

    Unchanged files keep their modification time, so that cargo does not rebuild them.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, work / name
        if not source.is_file():
            continue
        content = texts[Path(name)].encode() if Path(name) in texts else source.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(source, target)


def environment(workspace):
    """The environment in which cargo builds a workspace of the copy.

    Cargo does not distinguish the copy's crates from the repository's. In a target folder of both, whatever
    CARGO_TARGET_DIR says, a normal build would use a crate with a fault.
    """
    return {**os.environ, "CARGO_TARGET_DIR": str(workspace / "target")}


def write_table(page, head, faults, rows):
    """Writes the table of all faults into a page. The faults without a new row keep their old one.

    A row begins with the crate and the description of its fault, so that each is found again.
    """
    page = ROOT / page
    before, rest = page.read_text().split(START)
    old, after = rest.split(END)
    lines = [*old.splitlines(), *("| " + " | ".join(row) + " |" for row in rows)]
    table = []
    for fault in faults:
        begin = f"| {fault['crate']} | {fault['what']} | "
        table += [line for line in lines if line.startswith(begin)][-1:]
    page.write_text(before + START + "\n".join([*head, *table]) + "\n" + END + after)
