"""A large capture for the benchmark: make_capture.py FILE [CONNECTIONS [BULK]]

Connections as phones make them, written by hand (tests/wire): mostly TLS 1.3 with data, some TLS 1.2, refusals and
silent closes, from many addresses and interleaved, with bulk data in full-sized packets. Addresses, ports and times are put
into frames made once, so that writing takes seconds.
"""
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "wire"))
import packets
import tls

SEED = 20261124
AT_ONCE = 200       # connections under way at one time
BULK = 30           # full packets from the server in a connection with data
STEP = 2e-6         # seconds between two packets: a busy gigabit link


def conversations(n_bulk):
    """(weight, frames of one connection)."""
    big = tls.data(1455)
    done = tls.CCS + tls.data(tls.finished())
    old = packets.Conversation().c(tls.client_hello(old=True)).s(tls.flight_12())
    old = old.c(tls.KEY_EXCHANGE + tls.CCS + tls.FINISHED_12).s(tls.CCS + tls.FINISHED_12)

    def bulk(c):
        for i in range(n_bulk):
            c.s(big)
            if i % 4 == 0:
                c.ack(True)
        return c.close()

    def begun():
        return packets.Conversation().c(tls.client_hello()).s(tls.flight()[:1460], tls.flight()[1460:])

    yield 80, bulk(begun().c(done, tls.data(420)))
    yield 8, bulk(old.c(tls.data(420)))
    yield 8, begun().c(tls.CCS + tls.data(19)).close()
    yield 4, begun().close()


def main(path, count, n_bulk=BULK):
    dice = random.Random(SEED)
    shapes, weights = [], []
    for weight, c in conversations(n_bulk):
        shapes.append([(packets.plain(s), s.client) for s in c.segments if s.payload or s.flags != packets.ACK | packets.PSH])
        weights.append(weight)
    now, begun, open_now, n = packets.START, 0, [], 0
    with open(path, "wb") as out:
        out.write(packets.pcap([]))
        while open_now or begun < count:
            while len(open_now) < AT_ONCE and begun < count:
                client = struct.pack("!BBH", 10, 8 + begun // 60000, begun % 60000)
                server = struct.pack("!BBBB", 192, 0, 2, begun % 251)
                ports = struct.pack("!H", 1024 + begun % 60000)
                open_now.append([iter(dice.choices(shapes, weights)[0]), client, server, ports])
                begun += 1
            at = dice.randrange(len(open_now))
            each, client, server, port = open_now[at]
            frame = next(each, None)
            if frame is None:
                open_now[at] = open_now[-1]
                open_now.pop()
                continue
            raw, from_client = frame
            if from_client:
                raw = raw[:26] + client + server + port + raw[36:]
                if raw[54:57] == b"\x16\x03\x01":  # the hello: no two have the same random
                    raw = raw[:65] + dice.randbytes(32) + raw[97:]
            else:
                raw = raw[:26] + server + client + raw[34:36] + port + raw[38:]
            now += STEP
            n += 1
            second = int(now)
            out.write(struct.pack("<IIII", second, int((now - second) * 1e6), len(raw), len(raw)) + raw)
    print("%d connections, %d packets" % (begun, n))


if __name__ == "__main__":
    main(sys.argv[1], *(int(n) for n in sys.argv[2:] or ["8000"]))
