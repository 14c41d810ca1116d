#!/usr/bin/python3
"""Every row of the table "Wire" in the evidence page, on conversations written by hand: test_outcomes.py PINWATCH

Lengths are those of the standards (RFC 8446): Finished is 4 + hash + 1 + tag, an alert 2 + 1 + tag.
"""
from harness import Harness
from packets import Conversation
from tls import (CCM_8, CCS, FINISHED_12, KEY_EXCHANGE, RETRY, SHA256, SHA384, alert, client_hello, data, extension,
                 finished, flight, flight_12, record, server_hello, server_hello_12)

t = Harness()


def begun(suite=SHA256, **hello):
    return Conversation().c(client_hello(**hello)).s(flight(suite))


def done(suite=SHA256, **hello):
    return begun(suite, **hello).c(CCS + data(finished(suite)))


def rows_13():
    for suite, name in ((SHA256, "SHA-256"), (SHA384, "SHA-384"), (CCM_8, "CCM_8")):
        tag = 8 if suite == CCM_8 else 16
        t.outcome("1.3, %s: an encrypted alert in place of Finished" % name,
                  begun(suite).c(CCS + data(3 + tag)).close(), "client_reject", tls__established=False)
        t.outcome("1.3, %s: Finished, then data" % name, done(suite).c(data(300)).s(data(900)).close(), "established",
                  tls__established=True, tls__version="1.3")
        t.outcome("1.3, %s: Finished, then close_notify" % name, done(suite).c(data(3 + tag)).close(),
                  "established_no_data", tls__established=True)
    t.outcome("1.3: a padding client's alert", begun().c(CCS + data(35)).close(), "client_reject")
    t.outcome("1.3: a padding client's Finished, then its close_notify",
              begun().c(CCS + data(69), data(35)).close(), "established_no_data")
    t.outcome("1.3: a padding client's 19 bytes are data", begun().c(CCS + data(69), data(19)).close(), "established")
    t.outcome("1.3: under SHA-384, 53 is shorter than Finished", begun(SHA384).c(CCS + data(53)).close(),
              "client_reject")
    t.outcome("1.3: FIN after the flight", begun().close(), "client_silent_close", closed_by="client", close="fin")
    t.outcome("1.3: RST after the flight", begun().rst(True), "client_silent_close", closed_by="client", close="rst")
    t.outcome("1.3: FIN before the flight", Conversation().c(client_hello()).close(), "incomplete")
    t.outcome("1.3: FIN behind a ServerHello alone",
              Conversation().c(client_hello()).s(server_hello()).close(), "incomplete")
    t.outcome("1.3: the server leaves in mid handshake", begun().close(client=False), "incomplete")
    t.outcome("1.3: no end", begun(), "incomplete", ended=False)
    t.outcome("1.3: no end after Finished", done(), "incomplete", ended=False)
    t.outcome("1.3: data, and no end", done().c(data(200)), "established", ended=False)
    t.outcome("1.3: Finished, then RST without close_notify", done().rst(True), "established_no_data")
    t.outcome("1.3: closed at once is no idle preconnect", done().close(), "established_no_data", weak_late=None)
    t.outcome("1.3: closed after a while may be one", done().wait(5).close(), "established_no_data", weak_late=True)
    t.outcome("1.3: closed by the server may be one", done().close(client=False), "established_no_data", weak_late=True)
    t.outcome("1.3: close_notify, which the server is quicker to answer than the client to close", done().c(data(19))
              .close(client=False), "established_no_data", weak_late=None, closed_by="server")
    t.outcome("1.3: the same behind a certificate of the client's own", done().c(data(19)).wait(5).close(client=False),
              "established_no_data", weak_late=None)
    t.outcome("1.3: a spare connection that says close_notify", done().wait(5).c(data(19)).close(client=False),
              "established_no_data", weak_late=True)
    t.outcome("1.3: CH CCS CH behind a HelloRetryRequest is one hello",
              Conversation().c(client_hello()).s(server_hello(random=RETRY) + CCS).c(CCS + client_hello()).s(flight())
              .c(data(19)).close(), "client_reject")
    psk = extension(41, b"\0\0")
    t.outcome("1.3: a resumed session shows no certificate",
              Conversation().c(client_hello()).s(flight(more=psk)).c(CCS + data(53), data(100)).close(), "established",
              tls__server_certificate=False)


def early_data():
    hello = client_hello(more=[extension(42)])
    t.outcome("1.3: early data is data, accepted",
              Conversation().c(hello, CCS + data(500)).s(flight()).c(data(21), data(53)).close(), "established")
    t.outcome("1.3: early data refused, then an alert",
              Conversation().c(hello, CCS + data(500)).s(flight()).c(data(19)).close(), "client_reject")


def client_certificates():
    t.outcome("1.3: asked for a certificate, has none, refused",
              begun().c(CCS + data(25) + data(53)).s(data(19)).close(client=False), "mutual_tls")
    t.outcome("1.3: its request does not make a refusal a success",
              begun().c(CCS + data(25) + data(53), data(400)).s(data(19)).close(client=False), "mutual_tls")
    t.outcome("1.3: asked, has none, and that is fine",
              begun().c(CCS + data(25) + data(53), data(400)).s(data(250), data(900)).close(), "established")
    t.outcome("1.3: shows a certificate and is let in",
              begun().c(CCS + data(900) + data(130) + data(53), data(400)).s(data(900)).close(), "established")
    t.outcome("1.3: certificate and Finished in one record, refused",
              begun().c(CCS + data(61)).s(data(19)).close(client=False), "mutual_tls")
    t.outcome("1.2: asked for a certificate, alert 40 from the server",
              Conversation().c(client_hello(old=True)).s(flight_12(request=True)).c(KEY_EXCHANGE + CCS + FINISHED_12)
              .s(alert(40)).close(client=False), "mutual_tls", tls__alert_from="server")


def rows_12():
    hello = client_hello(old=True)
    issuer = "CN=api.bank.test"

    def begun_12():
        return Conversation().c(hello).s(flight_12())

    def done_12():
        return begun_12().c(KEY_EXCHANGE + CCS + FINISHED_12).s(CCS + FINISHED_12)

    t.outcome("1.2: data", done_12().c(data(100)).s(data(900)).close(), "established", tls__version="1.2",
              tls__issuer=issuer)
    t.outcome("1.2: Finished, then an encrypted alert only", done_12().c(record(21, bytes(26))).close(),
              "established_no_data", tls__alert=None)
    t.outcome("1.2: an encrypted alert, which the server is quicker to answer than the client to close",
              done_12().c(record(21, bytes(26))).close(client=False), "established_no_data", weak_late=None)
    t.outcome("1.2: closed by the server may be an idle preconnect", done_12().close(client=False), "established_no_data",
              weak_late=True)
    t.outcome("1.2: FIN after the certificate", begun_12().close(), "client_silent_close", tls__issuer=issuer)
    t.outcome("1.2: FIN after the certificate, and the server's word for it is decode_error",
              begun_12().fin(True).s(alert(50)).fin(False).ack(True), "client_silent_close", closed_by="client")
    t.outcome("1.2: the server's decode_error comes first", begun_12().s(alert(50)).close(), "unknown")
    t.outcome("1.2: RST after the certificate", begun_12().rst(True), "client_silent_close", close="rst")
    t.outcome("1.2: FIN before the certificate", Conversation().c(hello).s(server_hello_12()).close(), "incomplete")
    for code, outcome in ((42, "client_reject"), (46, "client_reject"), (48, "client_reject"), (40, "client_reject"),
                          (45, "client_reject_validity"), (80, "client_silent_close"), (90, "client_cancel"),
                          (0, "client_silent_close"), (70, "tls_mismatch")):
        level = 1 if code in (0, 90) else 2
        t.outcome("1.2: alert %d from the client" % code, begun_12().c(alert(code, level)).close(), outcome,
                  tls__alert=code, tls__alert_from="client")


def refusals():
    hello = client_hello()
    t.outcome("1.3: alert 48 in the clear", begun().c(alert(48)).close(), "client_reject", tls__alert=48)
    t.outcome("close_notify before there was a certificate", Conversation().c(hello).c(alert(0, 1)).close(),
              "incomplete")
    t.outcome("RST by the server in answer to the hello", Conversation().c(hello).rst(False), "upstream_failed")
    t.outcome("alert 40 from the server", Conversation().c(hello).s(alert(40)).close(client=False), "tls_mismatch")
    t.outcome("alert 70 from the server", Conversation().c(hello).s(alert(70)).close(client=False), "tls_mismatch")
    t.outcome("alert 112 from the server", Conversation().c(hello).s(alert(112)).close(client=False), "upstream_failed")
    t.outcome("a warning does not end anything",
              Conversation().c(hello).s(alert(112, 1) + flight()).c(CCS + data(53), data(90)).close(), "established",
              tls__alert=None)
    t.outcome("an alert that the table does not know", begun().c(alert(47)).close(), "unknown", tls__alert=47)
    t.outcome("left without a word over suites that nobody takes",
              Conversation().c(client_hello(old=True, suites=(0x003b, 0x00ff))).close(client=False), "tls_mismatch")
    t.outcome("left without a word over an ordinary offer", Conversation().c(hello).close(client=False), "incomplete")


rows_13()
early_data()
client_certificates()
rows_12()
refusals()
t.finish()
