/* The control socket: `control.sock` in the state folder, for whoever may open it.
 *
 * A client writes one line and gets one answer, then the connection is closed: `status json`,
 * `status table`, `settle` (answered once everything that lies in the inputs has been read, judged
 * and made durable) and `reload`. Clients are few and bounded; one that is slow delays nobody. The
 * daemon's thread.
 */
#ifndef PINWATCH_SERVE_CONTROL_H
#define PINWATCH_SERVE_CONTROL_H

#include "serve/daemon.h"

struct control_socket *control_open(struct daemon *d, struct error *err);
void control_close(struct control_socket *c);
/* Readable when control_serve has something to do. */
int control_fd(const struct control_socket *c);
void control_serve(struct control_socket *c);
/* What somebody waited for has come about: settling, or its failure. */
void control_settled(struct control_socket *c);

#endif
