#!/usr/bin/env python3
"""Checks that every relative link of the Markdown files points to a file, and to a heading where it names one.

Usage: dev/check_links.py FILE.md…
"""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)>\s]+)>?[^)]*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def anchors(text):
    """The anchors that GitHub and its kin give to the headings of a Markdown text."""
    names = set()
    for heading in HEADING.findall(CODE.sub("", text)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, count = slug, 0
        while name in names:
            count += 1
            name = f"{slug}-{count}"
        names.add(name)
    return names


def check(path):
    text = path.read_text(encoding="utf-8")
    prose = INLINE_CODE.sub("", CODE.sub("", text))
    for link in LINK.findall(prose) + REFERENCE.findall(prose):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue  # another site: not checked, so that the check needs no network
        name, _, anchor = unquote(link).partition("#")
        target = path.parent / name if name else path
        if not target.exists():
            yield f"{path}: {link} points to nothing"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{path}: {link} points to no heading of {target}"


def main():
    problems = [problem for name in sys.argv[1:] for problem in check(Path(name))]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
