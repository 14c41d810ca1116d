"""Runs every test of the build folder and ends with `N passed, N failed`."""
import subprocess
import sys
import xml.etree.ElementTree as tree


def main(build):
    ran = subprocess.run(["meson", "test", "-C", build, "--print-errorlogs"], check=False)
    passed = failed = 0
    for case in tree.parse(f"{build}/meson-logs/testlog.junit.xml").iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        if case.find("skipped") is not None:
            print(f"skipped: {case.get('classname', '')} {case.get('name')}")
        elif bad:
            failed += 1
        else:
            passed += 1
    if ran.returncode != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
