"""Are docs/formats/ and its tables what formats/*.yaml says? pages.py ROOT

If it fails, the pages promise fields or settings that the program does not read: run tools/docs.sh. It also holds every link
between the pages to what it points at.
"""
import filecmp
import pathlib
import re
import subprocess
import sys
import tempfile


def stale(root):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-B", root / "tools" / "format_pages.py", root / "formats", folder], check=True)
        compared = filecmp.dircmp(folder, root / "docs" / "formats")
        for name in compared.left_only:
            yield f"docs/formats/{name} is missing: run tools/docs.sh"
        for name in compared.right_only:
            yield f"docs/formats/{name} belongs to no format: run tools/docs.sh"
        _, differ, wrong = filecmp.cmpfiles(folder, root / "docs" / "formats", compared.common, shallow=False)
        for name in differ + wrong:
            yield f"docs/formats/{name} is not what formats/ says: run tools/docs.sh"


def dangling(root):
    for page in [*root.glob("*.md"), *root.glob("docs/**/*.md")]:
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not re.match(r"\w+:", target) and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: links to {target}, which is not there"


def main():
    root = pathlib.Path(sys.argv[1])
    found = [*stale(root), *dangling(root)]
    print("\n".join(found) or "every page is current, every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
