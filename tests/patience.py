"""How long a test waits until it takes for lost what it waits for, and how much memory it measures.

Bounds are those of an ordinary build. TEST_SLOWNESS says how many times slower the build under test is; tools/sanitize.sh sets it,
since a sanitizer's program takes several times as long.
"""
import os

SLOWNESS = float(os.environ.get("TEST_SLOWNESS", "1"))


def seconds(ordinary):
    return ordinary * SLOWNESS


def measure_memory():
    """For programs that are started from now on: AddressSanitizer gives freed memory back early, since it would be taken for used."""
    given = os.environ.get("ASAN_OPTIONS", "")
    os.environ["ASAN_OPTIONS"] = f"{given}:quarantine_size_mb=4:thread_local_quarantine_size_kb=16".lstrip(":")
