#!/usr/bin/env python3
"""Checks that every folder of src/signfold includes only the folders that CMakeLists.txt lists for it.

Usage: dev/check_arrows.py [ROOT]

`signfold_folder(NAME PUBLIC … PRIVATE …)` is the only place where the arrows are written. A folder may include itself,
what it lists, and what its PUBLIC folders may include in turn. Two things more are checked: there is no cycle (static
libraries would link all the same), and theory/ never reaches the folders that measure, however indirectly.
"""

import re
import sys
from pathlib import Path

FOLDER = re.compile(r"^signfold_folder\((\w+)\s*([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# The Python package and the header for programs outside stand beside the command line, not on it.
NOT_FOR_USERS = {"cli", "experiment", "mpi"}
# Prediction and measurement meet only in tests and in the commands that print both: so their agreement is evidence.
NEVER = {"theory": {"encoder", "decoder", "training", "codec"}}


def read_arrows(cmake):
    """{folder: (public folders, private folders)} of the signfold_folder(…) lines."""
    arrows = {}
    for name, arguments in FOLDER.findall(cmake):
        public, private = set(), set()
        current = public
        for word in arguments.split():
            if word in ("PUBLIC", "PRIVATE"):
                current = public if word == "PUBLIC" else private
            elif word.startswith("signfold_") and word != "signfold_blas":
                current.add(word.removeprefix("signfold_"))
        arrows[name] = (public, private)
    return arrows


def public_closure(arrows, folders):
    """The folders, and everything their PUBLIC lists lead to."""
    seen, queue = set(), list(folders)
    while queue:
        folder = queue.pop()
        if folder in seen:
            continue
        seen.add(folder)
        queue.extend(arrows.get(folder, (set(), set()))[0])
    return seen


def reachable(arrows, folder):
    """Every folder that `folder` depends on, by whatever arrows."""
    seen, queue = set(), [folder]
    while queue:
        public, private = arrows.get(queue.pop(), (set(), set()))
        new = (public | private) - seen
        seen |= new
        queue.extend(new)
    return seen


def check_lines(arrows):
    """What is wrong with the arrows as written."""
    for folder, (public, private) in sorted(arrows.items()):
        for unknown in sorted((public | private) - arrows.keys()):
            yield f"CMakeLists.txt: {folder} lists {unknown}, which is no folder"
        below = reachable(arrows, folder)
        if folder in below:
            yield f"CMakeLists.txt: {folder} depends on itself"
        for forbidden in sorted(below & NEVER.get(folder, set())):
            yield f"CMakeLists.txt: {folder} must never depend on {forbidden}"


def check_includes(root, arrows):
    """What is wrong with the includes of src/signfold, tests, bench and python."""
    sources = root / "src"
    others = [path for folder in ("tests", "bench", "python/bindings") for path in root.glob(f"{folder}/*.cc")]
    for path in sorted([*sources.rglob("*.h"), *sources.rglob("*.cc"), *others]):
        where = path.relative_to(root)
        header = len(where.parts) == 3  # src/signfold/signfold.h
        inside = where.parts[:2] == ("src", "signfold") and not header
        user = header or where.parts[0] == "python"
        folder = where.parts[2] if inside else None
        if inside and folder not in arrows:
            yield f"{where}: folder {folder} has no signfold_folder line in CMakeLists.txt"
            continue
        if inside:
            public, private = arrows[folder]
            allowed = public_closure(arrows, public | private) | {folder}
            if path.name == "main.cc":  # puts a program together
                allowed = set(arrows)
        for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if inside and "/" not in include:
                yield f'{where}: includes "{include}"; write it as "signfold/FOLDER/FILE.h"'
            elif not include.startswith("signfold/"):
                continue  # a library that is customarily quoted, or a neighbour in tests/
            elif user and include.split("/")[1] in NOT_FOR_USERS:
                yield f"{where}: may not include {include} (nothing of {', '.join(sorted(NOT_FOR_USERS))})"
            elif not (sources / include).is_file():
                yield f'{where}: includes "{include}", which does not exist'
            elif inside and include.split("/")[1] not in allowed:
                yield f"{where}: {folder} may not include {include} (it may: {', '.join(sorted(allowed))})"


def check(root):
    arrows = read_arrows((root / "CMakeLists.txt").read_text(encoding="utf-8"))
    if not arrows:
        return ["CMakeLists.txt: no signfold_folder line found"]
    return [*check_lines(arrows), *check_includes(root, arrows)]


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
