"""What the wire tests share: running pinwatch over captures, and saying in TAP what came out."""
import json
import os
import subprocess
import sys
import tempfile

import packets

FOLDER = tempfile.TemporaryDirectory()


class Harness:
    def __init__(self):
        self.program, self.number, self.failed = sys.argv[1], 0, 0

    def check(self, name, problem):
        """problem: what is wrong, empty if nothing."""
        self.number += 1
        self.failed += bool(problem)
        print("%s %d - %s" % ("not ok" if problem else "ok", self.number, name))
        if problem:
            print("# " + str(problem).replace("\n", "\n# "))

    def same(self, name, got, want):
        self.check(name, "" if got == want else "got %r, expected %r" % (got, want))

    def skip(self, name, reason):
        self.number += 1
        print("ok %d - %s # SKIP %s" % (self.number, name, reason))

    def run(self, *args, **options):
        return subprocess.run([self.program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False, **options)

    def parse(self, content, *options, name="x.pcap", code=0):
        """Observations of a capture, given as its bytes."""
        path = os.path.join(FOLDER.name, name)
        with open(path, "wb") as f:
            f.write(content)
        p = self.run("parse", *options, path)
        if p.returncode != code:
            raise SystemExit("parse: exit code %d, expected %d: %s" % (p.returncode, code, p.stderr.decode()))
        return [json.loads(line) for line in p.stdout.decode().splitlines()] if "--stats" not in options \
            else p.stdout.decode()

    def one(self, segments, wrap=packets.plain, **how):
        """The one observation of a conversation's segments; {} where there is not one."""
        got = self.parse(packets.pcap(packets.frames(segments, wrap), **how))
        return got[0] if len(got) == 1 else {"outcome": "%d observations" % len(got)}

    def outcome(self, name, conversation, want, **fields):
        """fields: further ones, by dotted path with __ for the dot."""
        got = self.one(conversation.segments)
        wrong = [] if got.get("outcome") == want else ["outcome is %s, expected %s" % (got.get("outcome"), want)]
        for path, value in fields.items():
            have = got
            for key in path.split("__"):
                have = have.get(key) if isinstance(have, dict) else None
            if have != value:
                wrong.append("%s is %r, expected %r" % (path.replace("__", "."), have, value))
        self.check(name, "\n".join(wrong))

    def finish(self):
        print("1..%d" % self.number)
        sys.exit(1 if self.failed else 0)
