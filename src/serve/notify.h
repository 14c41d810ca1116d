/* Telling a service manager how the daemon is, by the protocol of sd_notify(3): datagrams to
 * NOTIFY_SOCKET. Nothing happens where there is none. */
#ifndef PINWATCH_SERVE_NOTIFY_H
#define PINWATCH_SERVE_NOTIFY_H

/* `READY=1`, `STOPPING=1`, `STATUS=…`; several on lines of their own. */
void notify(const char *state);

#endif
