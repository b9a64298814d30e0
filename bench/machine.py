"""Where a number was measured: every benchmark prints it beside its numbers."""

import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def machine() -> str:
    """The processor's name and the number of cores."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or "unknown CPU"
    return f"{name}, {os.cpu_count()} cores"


def commit() -> str:
    """The commit of the checkout, with a + where its files differ from it; empty outside git."""
    command = ["git", "-c", f"safe.directory={ROOT}", "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
