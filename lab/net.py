"""The lab's network: phones, a gateway and origins, each in a network namespace of its own.

The lab runs in fresh namespaces for network, mounts and processes (`enter`), so nothing it does reaches the machine's own
network, it needs no network at all, and all that it started ends with it. The namespace it is in plays the gateway:

    phone ── veth ── bridge "phones" 10.8.0.1 ── proxies ── veth "wan" 10.9.0.1 ── origins 10.9.0.11 and up
"""
import os
import pathlib
import subprocess
import sys

GATEWAY = "10.8.0.1"
MARK = "PINWATCH_LAB_INSIDE"
INSIDE, OUTSIDE = "phones", "wan"


def enter():
    """Runs this program again inside the namespaces; comes back there only. Its exit code is passed on."""
    if os.environ.get(MARK):
        return
    # Where ip and squid are; an ordinary user's path lacks it.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    root = os.geteuid() == 0
    # Without root a user namespace in which we keep our name and have the rights over our own network.
    who = [] if root else ["--user", "--map-current-user", "--keep-caps"]
    command = ["unshare", *who, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
               sys.executable, "-B", *sys.argv]
    may = subprocess.run([*command[:command.index("--")], "true"], stderr=subprocess.PIPE, text=True, check=False)
    if may.returncode:
        print(f"lab: no network namespaces here: {may.stderr.strip()}; run it as root, or allow user namespaces")
        # What is skipped there would hide what is broken.
        sys.exit(1 if os.environ.get("CI") else 77)
    sys.exit(subprocess.run(command, env={**os.environ, MARK: "1"}, check=False).returncode)


def ip(*words, where=None):
    command = ["ip", *words] if where is None else where.inside(["ip", *words])
    subprocess.run(command, check=True, timeout=10, pass_fds=() if where is None else (where.fd,))


class Host:
    """A network namespace with one link to a bridge or to the gateway."""

    def __init__(self, name, address, link_to=None, gateway=GATEWAY):
        self.name, self.address = name, address
        holder = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        try:
            holder.stdout.readline()  # it is in its namespace now
            self.fd = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
            link = f"v{name}"[:15]
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        finally:
            # The open file keeps the namespace.
            holder.stdin.close()
            holder.wait(10)
        if link_to:
            ip("link", "set", link, "master", link_to, "up")
        else:
            ip("link", "set", link, "name", OUTSIDE)
            ip("addr", "add", f"{gateway}/24", "dev", OUTSIDE)
            ip("link", "set", OUTSIDE, "up")
        ip("link", "set", "lo", "up", where=self)
        ip("addr", "add", f"{address}/24", "dev", "eth0", where=self)
        ip("link", "set", "eth0", "up", where=self)
        ip("route", "add", "default", "via", gateway, where=self)

    def inside(self, command):
        """The command, run in this namespace. The caller passes `fd` on."""
        return ["nsenter", f"--net=/proc/self/fd/{self.fd}", "--", *command]

    def popen(self, command, **options):
        return subprocess.Popen(self.inside(command), pass_fds=(self.fd,), **options)


class Network:
    """Everything but the phones, which are made as they are needed."""

    def __init__(self, folder, names):
        """names: of origins; each gets an address of its own."""
        ip("link", "set", "lo", "up")
        ip("link", "add", INSIDE, "type", "bridge")
        ip("addr", "add", f"{GATEWAY}/24", "dev", INSIDE)
        ip("link", "set", INSIDE, "up")
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n", encoding="ascii")
        self.origins = Host("origins", "10.9.0.2", gateway="10.9.0.1")
        self.address = {name: f"10.9.0.{11 + i}" for i, name in enumerate(names)}
        for address in self.address.values():
            ip("addr", "add", f"{address}/24", "dev", "eth0", where=self.origins)
        # Where a transparent proxy listens in place of each origin.
        self.front = {name: f"10.8.1.{11 + i}" for i, name in enumerate(names)}
        for address in self.front.values():
            ip("addr", "add", f"{address}/32", "dev", INSIDE)
        self.hosts = pathlib.Path(folder) / "hosts"
        self.resolve()
        subprocess.run(["mount", "--bind", self.hosts, "/etc/hosts"], check=True, timeout=10)
        self.phones = []

    def resolve(self, transparent=False, exempt=()):
        """What names mean from now on: the origins, or the transparent proxy in front of all but the exempt ones."""
        where = {n: self.front[n] if transparent and n not in exempt else a for n, a in self.address.items()}
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in where.items()), encoding="ascii")

    def phone(self):
        number = len(self.phones) + 1
        self.phones.append(Host(f"phone{number}", f"10.8.0.{10 + number}", link_to=INSIDE))
        return self.phones[-1]
