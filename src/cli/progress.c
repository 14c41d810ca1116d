#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/report.h"

#define LEAST_INTERVAL (200 * NS_PER_MS)

void progress_begin(struct progress *p, bool quiet)
{
	p->enabled = !quiet && isatty(STDERR_FILENO) == 1;
	p->shown = false;
	p->began = p->last = report_now();
}

void progress_show(void *arg, const struct scan_progress *now)
{
	struct progress *p = arg;
	struct instant t;
	double elapsed, done;
	struct buf b;

	if (!p->enabled)
		return;
	t = report_now();
	if (t.ns - p->last.ns < LEAST_INTERVAL && t.ns >= p->last.ns)
		return;
	p->last = t;
	p->shown = true;
	elapsed = (double)(t.ns - p->began.ns) / 1e9;
	done = now->bytes_total > 0 ? (double)now->bytes_done / (double)now->bytes_total : 0;
	if (done > 1) /* a file that grows while it is read */
		done = 1;
	buf_init(&b, 1024);
	buf_str(&b, "\r\x1b[K");
	text_bytes(&b, now->bytes_done);
	if (now->bytes_total > 0) {
		buf_str(&b, " of ");
		text_bytes(&b, now->bytes_total);
		buf_printf(&b, " (%.0f %%)", done * 100);
	}
	if (elapsed > 0) {
		buf_str(&b, ", ");
		text_count(&b, (uint64_t)((double)now->records / elapsed));
		buf_str(&b, " records/s");
	}
	if (done > 0.02 && done < 1) {
		buf_str(&b, ", ");
		text_span(&b, (struct span){ (int64_t)(elapsed / done * (1 - done) * 1e9) });
		buf_str(&b, " left");
	}
	report_buf(stderr, &b);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
	p->shown = false;
}
