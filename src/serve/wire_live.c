#include "serve/wire_live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/parser.h"
#include "read/spool.h"
#include "scan/capture.h"

#define STEP 1024			 /* packets between two looks at anything else */
#define BUFFER (32u * 1024u * 1024u)	 /* the kernel's: a second of a busy gigabit */
#define LOOK (1 * NS_PER_S)		 /* between two looks at the kernel's counters */
#define GAP (5 * NS_PER_S)		 /* shorter ones are a restart's own */
#define PAUSE_MS 20			 /* between two looks at a full spool */
#define RETRY_MS 1000			 /* between two tries to capture again */
#define MAX_RECORD ((size_t)1024 * 1024) /* of a connection's names there are a few kilobytes */
#define WAITING 8			 /* words nobody has fetched yet */

struct wire_live {
	struct wire_live_options options;
	char *interface, *filter, *heard;
	pthread_t thread;
	bool runs;
	int stop_fd;
	struct capture_input *input; /* NULL: away */
	struct buf record;
	bool unsynced, stopping;
	int64_t looked; /* wall */

	pthread_mutex_t lock;
	struct wire_live_stats stats;
	struct wire_live_stats before; /* of captures that have ended */
	char words[WAITING][WIRE_LIVE_WORDS];
	size_t n_words;
};

static struct instant wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct instant){ (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec };
}

static void say(struct wire_live *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct wire_live *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&w->lock);
	if (w->n_words < WAITING)
		vsnprintf(w->words[w->n_words++], WIRE_LIVE_WORDS, fmt, args);
	pthread_mutex_unlock(&w->lock);
	va_end(args);
}

/* True: it is to end. */
static bool rest(const struct wire_live *w, int ms)
{
	struct pollfd stop = { w->stop_fd, POLLIN, 0 };

	return poll(&stop, 1, ms) > 0;
}

/* ---- gaps */

static void note_gap(struct wire_live *w, struct instant from, struct instant to, const char *why)
{
	char when[INSTANT_ISO_SIZE], how_long[INSTANT_ISO_SIZE];
	struct span gap = { to.ns - from.ns };

	if (gap.ns < GAP)
		return;
	gap.ns -= gap.ns % NS_PER_S;
	instant_format_iso((struct instant){ from.ns - from.ns % NS_PER_S }, when);
	span_format(gap, how_long);
	pthread_mutex_lock(&w->lock);
	w->stats.gaps++;
	w->stats.gap.ns += gap.ns;
	pthread_mutex_unlock(&w->lock);
	say(w, "%s: nothing was captured for %s from %s on, %s: what passed then is not known",
	    w->interface, how_long, when, why);
}

static void note_heard(const struct wire_live *w)
{
	int fd = open(w->heard, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return; /* then the next gap is told longer than it was */
	futimens(fd, NULL);
	close(fd);
}

static void note_absence(struct wire_live *w)
{
	struct stat st;

	if (stat(w->heard, &st) != 0)
		return;
	note_gap(w, (struct instant){ st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec }, wall(),
		 "since no daemon ran");
}

/* ---- capturing */

/* Into the spool, however long that takes: it is the kernel that drops then, and counts. */
static void take(void *arg, const struct wire_seen *s)
{
	struct wire_live *w = arg;
	enum spool_result r;
	struct error err;

	buf_reset(&w->record);
	observation_write_json(&w->record, &s->observation, w->options.source);
	while ((r = spool_append(w->options.spool, buf_view(&w->record), wall(), NULL, &err)) ==
	       SPOOL_FULL) {
		/* Ending, there is nobody left who would make room. */
		if (w->stopping || rest(w, PAUSE_MS))
			break;
	}
	w->unsynced = true;
	pthread_mutex_lock(&w->lock);
	w->stats.records += r == SPOOL_DONE;
	w->stats.failed += r != SPOOL_DONE;
	pthread_mutex_unlock(&w->lock);
}

static bool open_input(struct wire_live *w, struct error *err)
{
	const struct capture_input_options options = {
		.interface = w->interface,
		.capture = { .filter = w->filter, .buffer_bytes = BUFFER },
		.settings = w->options.settings,
		.seen = take,
		.arg = w,
	};

	w->input = capture_input_open(&options, err);
	return w->input != NULL;
}

static void sync_spool(struct wire_live *w)
{
	struct error err; /* appending meets the same one, and counts it */

	if (w->unsynced)
		spool_sync(w->options.spool, UINT64_MAX, &err);
	w->unsynced = false;
}

static void sum(struct wire_counts *to, const struct wire_counts *a, const struct wire_counts *b)
{
	uint64_t *out = (uint64_t *)to;
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	_Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "counts are counters only");
	for (size_t i = 0; i < sizeof(*to) / sizeof(uint64_t); i++)
		out[i] = x[i] + y[i];
}

static void publish(struct wire_live *w)
{
	struct capture_counts losses = capture_input_losses(w->input);
	uint64_t before, now;

	pthread_mutex_lock(&w->lock);
	before = w->stats.dropped + w->stats.dropped_by_interface;
	sum(&w->stats.wire, &w->before.wire, capture_input_counts(w->input));
	w->stats.received = w->before.received + losses.received;
	w->stats.dropped = w->before.dropped + losses.dropped;
	w->stats.dropped_by_interface =
	    w->before.dropped_by_interface + losses.dropped_by_interface;
	w->stats.capturing = true;
	now = w->stats.dropped + w->stats.dropped_by_interface;
	pthread_mutex_unlock(&w->lock);
	if (now > before)
		say(w,
		    "%s: %" PRIu64 " packets were dropped before they could be looked at: narrow "
		    "`filter:`, or give the machine more time",
		    w->interface, now - before);
}

static void close_input(struct wire_live *w)
{
	capture_input_finish(w->input);
	publish(w);
	sync_spool(w);
	capture_input_close(w->input);
	w->input = NULL;
	pthread_mutex_lock(&w->lock);
	w->before = w->stats;
	w->stats.capturing = false;
	pthread_mutex_unlock(&w->lock);
}

/* The interface went away. True: it is to end. */
static bool recover(struct wire_live *w, const char *why)
{
	struct instant from = wall();
	struct error err;

	say(w, "%s; trying again every second", why);
	close_input(w);
	while (!open_input(w, &err))
		if (rest(w, RETRY_MS))
			return true;
	note_gap(w, from, wall(), "since the interface was away");
	return false;
}

static void look(struct wire_live *w)
{
	int64_t now = wall().ns;

	if (now >= w->looked && now - w->looked < LOOK)
		return;
	w->looked = now;
	publish(w);
	note_heard(w);
}

static void *run(void *arg)
{
	struct wire_live *w = arg;
	struct error err;

	note_absence(w);
	while (!rest(w, 0)) {
		enum capture_result r = capture_input_run(w->input, STEP, wall(), &err);

		sync_spool(w);
		if ((r == CAPTURE_ERROR || r == CAPTURE_END) &&
		    recover(w, r == CAPTURE_ERROR ? err.message : "the capture has ended"))
			break;
		look(w);
	}
	w->stopping = true;
	if (w->input != NULL) {
		close_input(w);
		note_heard(w);
	}
	return NULL;
}

static void free_all(struct wire_live *w)
{
	capture_input_close(w->input);
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	buf_free(&w->record);
	pthread_mutex_destroy(&w->lock);
	free(w->interface);
	free(w->filter);
	free(w->heard);
	free(w);
}

struct wire_live *wire_live_start(const struct wire_live_options *options, struct error *err)
{
	struct wire_live *w = xcalloc(1, sizeof(*w));

	w->options = *options;
	w->interface = xstrdup(options->interface);
	w->filter = options->filter != NULL ? xstrdup(options->filter) : NULL;
	w->heard = xstrdup(options->heard);
	buf_init(&w->record, MAX_RECORD);
	pthread_mutex_init(&w->lock, NULL);
	w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!open_input(w, err))
		goto failed;
	w->runs = w->stop_fd >= 0 && pthread_create(&w->thread, NULL, run, w) == 0;
	if (w->runs)
		return w;
	error_set(err, ERROR_IO, 0,
		  "%s: cannot be given a thread: %s; end other programs, or raise the limit",
		  w->interface, strerror(errno));
failed:
	free_all(w);
	return NULL;
}

void wire_live_stop(struct wire_live *w)
{
	uint64_t one = 1;

	if (w == NULL)
		return;
	while (write(w->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
	pthread_join(w->thread, NULL);
	free_all(w);
}

void wire_live_stats(struct wire_live *w, struct wire_live_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->lock);
}

bool wire_live_word(struct wire_live *w, char words[WIRE_LIVE_WORDS])
{
	bool any;

	pthread_mutex_lock(&w->lock);
	any = w->n_words > 0;
	if (any) {
		memcpy(words, w->words[0], WIRE_LIVE_WORDS);
		w->n_words--;
		memmove(w->words[0], w->words[1], w->n_words * sizeof(w->words[0]));
	}
	pthread_mutex_unlock(&w->lock);
	return any;
}
