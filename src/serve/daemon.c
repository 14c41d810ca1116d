#include "serve/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/safe.h"
#include "parse/parser.h"
#include "serve/control.h"
#include "serve/doors.h"
#include "serve/notify.h"
#include "serve/pushed.h"
#include "serve/reload.h"
#include "serve/retention.h"
#include "serve/web.h"

/* Reading goes on so long before the loop looks at anything else. */
#define TURN (20 * NS_PER_MS)
#define LOOK (1 * NS_PER_S)
#define RETENTION (10 * NS_PER_S)
#define MAX_EVENTS 64
/* A last judgement at the end, if it takes no longer. */
#define LAST_JUDGEMENT (3 * NS_PER_S)

void daemon_log(const struct daemon *d, enum log_level level, const char *fmt, ...)
{
	char text[2048], when[INSTANT_ISO_SIZE];
	struct buf line;
	va_list args;

	if ((int)level > d->log_level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_init(&line, 65536);
	if (d->log_plain) {
		buf_printf(&line, "<%d>", (int)level);
	} else {
		instant_format_iso(d->wall, when);
		buf_printf(&line, "%s pinwatch serve: ", when);
	}
	text_safe(&line, sv_cstr(text), 0);
	buf_char(&line, '\n');
	fwrite(line.p, 1, line.n, stderr);
	buf_free(&line);
}

void daemon_now(struct daemon *d)
{
	const struct serve_clock *c = &d->options->clock;

	d->wall = c->wall(c->arg);
	d->monotonic = c->monotonic(c->arg);
	d->intake.wall = d->wall;
	d->intake.monotonic = d->monotonic;
}

static bool open_signals(struct daemon *d, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a full disk, no end */
	d->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->signals < 0 || d->epoll < 0 ||
	    epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->signals, &event) != 0)
		return error_set(err, ERROR_IO, 0, "%s: the event loop cannot be begun: %s",
				 d->options->config, strerror(errno));
	return true;
}

static void take_signals(struct daemon *d)
{
	struct signalfd_siginfo s;

	while (read(d->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
			d->stop = true;
		else if (s.ssi_signo == SIGHUP)
			d->reload = true;
	}
}

/* Watches the descriptors of inputs that were read to their end. */
static void watch(struct daemon *d)
{
	for (size_t i = 0; i < d->intake.n; i++) {
		struct live_input *x = d->intake.inputs[i];
		struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = x };
		int fd = live_input_fd(x);

		if (fd < 0 || x->ready || x->watched)
			continue;
		if (epoll_ctl(d->epoll, EPOLL_CTL_MOD, fd, &event) == 0 ||
		    (errno == ENOENT && epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) == 0))
			x->watched = true;
	}
}

static void wait_for_news(struct daemon *d, int64_t until)
{
	struct epoll_event events[MAX_EVENTS];
	int64_t left = until - d->monotonic.ns;
	int timeout = left <= 0 ? 0 : left > 60 * NS_PER_S ? 60000 : (int)(left / NS_PER_MS) + 1;
	int n = epoll_wait(d->epoll, events, MAX_EVENTS, timeout);

	daemon_now(d);
	for (int i = 0; i < n; i++) {
		struct live_input *x = events[i].data.ptr;

		if (x == NULL) {
			take_signals(d);
			continue;
		}
		if (events[i].data.ptr == d->control) {
			control_serve(d->control);
			continue;
		}
		if (events[i].data.ptr == d->doors) {
			if (d->options->doors->allow_changed(d->doors))
				reload_allow(d);
			continue;
		}
		x->ready = true;
		x->watched = false;
	}
}

static void release(struct daemon *d) { keeper_release(&d->keeper, intake_watermark(&d->intake)); }

/* Nothing has come for longer than any record may be late: what waits for later ones has waited
 * enough. */
static void release_the_rest(struct daemon *d)
{
	int64_t newest;

	live_sources_believe(&d->sources);
	newest = live_sources_newest(&d->sources);
	if (newest != INT64_MIN)
		keeper_release(&d->keeper, (newest / NS_PER_S + 1) * NS_PER_S);
}

static void release_when_quiet(struct daemon *d)
{
	int64_t heard = INT64_MIN, lag = 0;

	if (!intake_idle(&d->intake))
		return;
	for (size_t i = 0; i < d->sources.n; i++) {
		const struct live_source *s = d->sources.list[i];

		if (s->conf == NULL)
			continue;
		if (s->heard.ns > heard)
			heard = s->heard.ns;
		if (s->conf->max_lag.ns > lag)
			lag = s->conf->max_lag.ns;
	}
	if (heard != INT64_MIN && d->monotonic.ns - heard > lag + NS_PER_S)
		release_the_rest(d);
}

static void rebuild(struct daemon *d, const char *why)
{
	struct error err;

	daemon_log(d, LOG_NOTICE, "judging the past anew: %s", why);
	if (keeper_rebuild(&d->keeper, d->conf, &err))
		return;
	d->broken = true;
	d->why = err;
}

static void heed_listener(struct daemon *d)
{
	char text[ADDR_TEXT_SIZE + 16], ip[ADDR_TEXT_SIZE];
	struct error err;

	if (!keeper_found_listener(&d->keeper))
		return;
	addr_format(&d->keeper.found.ip, ip);
	snprintf(text, sizeof(text), strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip,
		 d->keeper.found.port);
	daemon_log(d, LOG_NOTICE,
		   "%s is taken as a listener of the gateway, since flows and the gateway's "
		   "records meet there; write it as inspection.listeners to make that sure",
		   text);
	if (!store_put_meta(d->store, "listener", sv_cstr(text), &err))
		daemon_log(d, LOG_WARNING, "%s", err.message);
	rebuild(d, "with the listener that was found");
}

/* Reads for a while. */
static void read_on(struct daemon *d)
{
	int64_t until = d->monotonic.ns + TURN;

	do {
		if (!intake_run(&d->intake))
			return;
		release(d);
		heed_listener(d);
		daemon_now(d);
	} while (d->monotonic.ns < until && !d->broken && !d->trouble);
}

static void look_around(struct daemon *d)
{
	d->next_look.ns = d->monotonic.ns + LOOK;
	d->silence_changed |= live_sources_listen(&d->sources, d->monotonic);
	release_when_quiet(d);
	pushed_look(d->pushed);
	d->reload |= reload_noticed(d);
	if (d->allow_again)
		reload_allow(d);
	if (!d->trouble && governed_is_due(&d->governed, d->wall))
		reload_allow_ends(d);
	web_publish(d->web, d);
	d->options->doors->look(d->doors, d);
	if (d->monotonic.ns < d->next_retention.ns || d->trouble)
		return;
	d->next_retention.ns = d->monotonic.ns + RETENTION;
	retention_memory(d);
	retention_journal(d);
}

/* Somebody waits for all that lies in the inputs: once they have been read to their ends, and
 * looked at again, nothing is waited for. */
static void settle(struct daemon *d)
{
	if (!d->trouble) {
		release_the_rest(d);
		retention_memory(d);
		retention_journal(d);
		d->silence_changed |= live_sources_listen(&d->sources, d->monotonic);
		daemon_judge(d, true);
	}
	daemon_checkpoint(d);
	if (d->deliver.done != d->deliver.dropped)
		daemon_checkpoint(d);
	daemon_now(d);
	d->options->doors->look(d->doors, d);
	control_settled(d->control);
}

static void settle_when_asked(struct daemon *d)
{
	if (!d->settle)
		return;
	if (!d->settling)
		intake_ask_all(&d->intake);
	d->settling = true;
	if (!d->trouble)
		read_on(d);
	if (!intake_idle(&d->intake) && !d->trouble)
		return;
	settle(d);
	d->settling = false;
}

static int64_t next_due(const struct daemon *d)
{
	int64_t due = d->next_look.ns;

	if (!d->trouble && !intake_idle(&d->intake))
		return d->monotonic.ns;
	if (d->keeper.news > 0 && d->next_judge.ns < due)
		due = d->next_judge.ns;
	if (daemon_has_news(d) && d->next_checkpoint.ns < due)
		due = d->next_checkpoint.ns;
	return due;
}

static void turn(struct daemon *d)
{
	watch(d);
	wait_for_news(d, next_due(d));
	intake_wake(&d->intake);
	if (!d->trouble)
		read_on(d);
	if (intake_idle(&d->intake))
		d->caught_up = d->monotonic;
	if (d->monotonic.ns >= d->next_look.ns)
		look_around(d);
	if ((d->keeper.news > 0 || d->silence_changed) && d->monotonic.ns >= d->next_judge.ns) {
		daemon_judge(d, false);
		daemon_now(d);
	}
	if (d->reload)
		reload_run(d);
	settle_when_asked(d);
	if (d->monotonic.ns >= d->next_checkpoint.ns) {
		daemon_checkpoint(d);
		daemon_now(d);
		d->next_checkpoint.ns = d->monotonic.ns + d->conf->checkpoint.ns;
	}
}

/* Everything read is judged and durable. */
static void end(struct daemon *d)
{
	daemon_log(d, LOG_INFO, "ending");
	notify("STOPPING=1");
	if (d->keeper.news + d->ledger.n_stale > 0 && d->judged_in.ns < LAST_JUDGEMENT)
		daemon_judge(d, true);
	if (!daemon_checkpoint(d) && !d->broken) {
		d->broken = true;
		d->why = d->trouble_why;
	}
	if (d->deliver.done != d->deliver.dropped)
		daemon_checkpoint(d);
}

static void close_all(struct daemon *d)
{
	d->options->doors->close(d->doors);
	pushed_stop(d->pushed);
	web_free(d->web);
	control_close(d->control);
	intake_free(&d->intake);
	pushed_close(d->pushed);
	keeper_close(&d->keeper);
	governed_free(&d->governed);
	ledger_free(&d->ledger);
	dead_letter_free(&d->dead);
	store_close(d->store);
	live_sources_free(&d->sources);
	pool_free(&d->pool);
	format_set_free(d->formats);
	if (d->conf != NULL)
		conf_free(d->conf);
	free(d->conf);
	free(d->state_dir);
	free(d->journal_dir);
	if (d->lock >= 0)
		close(d->lock);
	if (d->signals >= 0)
		close(d->signals);
	if (d->epoll >= 0)
		close(d->epoll);
}

static bool open_control(struct daemon *d, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	d->control = control_open(d, err);
	event.data.ptr = d->control;
	return d->control != NULL &&
	       (epoll_ctl(d->epoll, EPOLL_CTL_ADD, control_fd(d->control), &event) == 0 ||
		error_set(err, ERROR_IO, 0, "%s: the event loop cannot be begun: %s",
			  d->options->config, strerror(errno)));
}

static bool open_web(struct daemon *d, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (!pushed_start(d->pushed, err))
		return false;
	d->web = web_new();
	web_publish(d->web, d);
	d->doors = d->options->doors->open(d, err);
	if (d->doors == NULL)
		return false;
	event.data.ptr = d->doors;
	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->options->doors->fd(d->doors), &event) == 0 ||
	       error_set(err, ERROR_IO, 0, "%s: the event loop cannot be begun: %s",
			 d->options->config, strerror(errno));
}

static bool begin(struct daemon *d, struct error *err)
{
	const struct serve_options *o = d->options;

	d->formats = format_set_builtin(err);
	if (d->formats == NULL ||
	    (o->formats_dir != NULL && !format_set_add_dir(d->formats, o->formats_dir, err)))
		return false;
	d->conf = xcalloc(1, sizeof(*d->conf));
	if (!reload_load(o, d->formats, d->conf, err))
		return false;
	reload_note(d);
	pool_init(&d->pool, o->threads > 0 ? o->threads : pool_processors());
	daemon_now(d);
	d->began = d->monotonic;
	return open_signals(d, err) && daemon_restore(d, err) && open_control(d, err) &&
	       open_web(d, err);
}

bool serve_run(const struct serve_options *options, struct error *err)
{
	struct daemon d = {
		.options = options,
		.lock = -1,
		.epoll = -1,
		.signals = -1,
		.log_level = options->verbose ? LOG_INFO : LOG_NOTICE,
		.log_plain = getenv("JOURNAL_STREAM") != NULL,
	};
	bool ok = begin(&d, err);

	if (ok) {
		d.ready = true;
		notify("READY=1");
		daemon_log(&d, LOG_INFO, "reading %zu inputs; %zu findings known", d.intake.n,
			   d.ledger.n);
		d.keeper.news = 1;
		while (!d.stop && !d.broken)
			turn(&d);
		if (!d.broken)
			end(&d);
		ok = !d.broken;
		if (!ok)
			*err = d.why;
	}
	close_all(&d);
	return ok;
}
