"""The systemd unit is as closed as it can be.

Fails if systemd rates its exposure 2 or more, or if systemd finds a mistake in it.
"""
import re
import subprocess
import sys

from daemon import run

UNIT = sys.argv[1]


def exposure():
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", UNIT], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    rating = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert rating, done.stdout[-500:]
    assert float(rating.group(1)) < 2, rating.group()


def no_mistakes():
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", UNIT], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    # The program is not installed where tests run.
    wrong = [line for line in done.stdout.splitlines() if "pinwatch.service" in line and "not executable" not in line]
    assert not wrong, wrong


if __name__ == "__main__":
    sys.exit(run([("exposure is below 2", exposure), ("no mistake in it", no_mistakes)]))
