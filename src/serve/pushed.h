/* Sources that are pushed to: their spools, and what fills them: syslog listeners, the HTTP route,
 * live captures.
 *
 * One spool a source, in `spool/NAME` of the state folder. Listeners and the HTTP server append to
 * it on their own threads; the daemon's reads it like a file. What is configured is opened with the
 * daemon and stays as it is until it ends: a reload may change everything about a source but this.
 */
#ifndef PINWATCH_SERVE_PUSHED_H
#define PINWATCH_SERVE_PUSHED_H

#include "http/http.h"
#include "serve/daemon.h"

struct pushed;
struct wire_live_stats;

/* Opens spools; nothing is taken yet. */
struct pushed *pushed_open(struct daemon *d, struct error *err);
/* Begins to take: to be called once the spools' readers are open. */
bool pushed_start(struct pushed *p, struct error *err);
void pushed_stop(struct pushed *p);
void pushed_close(struct pushed *p);
/* The source's spool, or NULL. */
struct spool *pushed_spool(const struct pushed *p, struct sv source);
/* Says what live captures have to say (gaps, dropped packets), and counts it as the sources'
 * errors. */
void pushed_look(struct pushed *p);
/* False where the source does not capture. */
bool pushed_capture(const struct pushed *p, struct sv source, struct wire_live_stats *out);
/* False where no source takes records over HTTP. */
bool pushed_route(const struct pushed *p, struct http_route *out);
/* Whether two configurations push alike. */
bool pushed_same(const struct conf *a, const struct conf *b);
/* Metrics of spools and listeners. */
void pushed_metrics(const struct pushed *p, struct buf *out);

#endif
