"""The systemd unit is as closed as it can be.

Fails if systemd rates its exposure 2 or more, also with the right to capture, or if systemd finds a mistake in it.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

from daemon import run

UNIT = sys.argv[1]


def rated(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", unit], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    rating = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert rating, done.stdout[-500:]
    print(f"# exposure {rating.group(1)}")
    assert float(rating.group(1)) < 2, rating.group()
    return float(rating.group(1))


def exposure():
    rated(UNIT)


def with_capture(folder):
    """The unit and its drop-in as one file, as systemd reads them."""
    unit = pathlib.Path(folder) / "pinwatch.service"
    text, more = pathlib.Path(UNIT).read_text(), pathlib.Path(UNIT).with_name("pinwatch-wire.conf").read_text()
    unit.write_text(text.replace("[Install]", more + "\n[Install]"))
    return unit


def exposure_with_capture():
    with tempfile.TemporaryDirectory() as folder:
        rating = rated(with_capture(folder))
        assert rating > rated(UNIT), "the right to capture changes nothing: the drop-in was not read"
        no_mistakes(with_capture(folder))


def no_mistakes(unit=UNIT):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    # The program is not installed where tests run.
    wrong = [line for line in done.stdout.splitlines() if "pinwatch.service" in line and "not executable" not in line]
    assert not wrong, wrong


if __name__ == "__main__":
    sys.exit(run([("exposure is below 2", exposure), ("no mistake in it", no_mistakes),
                  ("exposure with the right to capture is below 2", exposure_with_capture)]))
