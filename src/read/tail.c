#include "read/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "read/tail_internal.h"

#define TURN_BYTES (256u * 1024u) /* of one live file, before it is the next one's turn */
#define WATCH_EVERY 256		  /* records */
#define POLL NS_PER_S
#define SETTLE (5 * NS_PER_S)

static char *copy_text(const char *s, size_t n)
{
	char *copy = memcpy(xmalloc(n + 1), s, n);

	copy[n] = '\0';
	return copy;
}

/* A folder stands for all files in it. */
static void split_path(struct tail *t)
{
	const char *slash = strrchr(t->path, '/');
	struct stat st;

	if (stat(t->path, &st) == 0 && S_ISDIR(st.st_mode)) {
		t->folder = copy_text(t->path, strlen(t->path));
		t->pattern = copy_text("*", 1);
		return;
	}
	t->folder = slash == NULL
			? copy_text("", 0)
			: copy_text(t->path, (size_t)(slash > t->path ? slash - t->path : 1));
	t->pattern = copy_text(slash != NULL ? slash + 1 : t->path,
			       strlen(slash != NULL ? slash + 1 : t->path));
}

struct tail *tail_open(const struct tail_options *options, struct sv position, struct error *err)
{
	struct tail *t = xcalloc(1, sizeof(*t));

	t->options = *options;
	t->path = copy_text(options->path, strlen(options->path));
	t->options.path = t->path;
	t->watch_fd = -1;
	if (t->options.max_record == 0)
		t->options.max_record = READER_MAX_RECORD;
	if (t->options.poll.ns <= 0)
		t->options.poll.ns = POLL;
	if (t->options.settle.ns <= 0)
		t->options.settle.ns = SETTLE;
	split_path(t);
	t->fresh = position.n == 0;
	if (t->path[0] == '\0' || strcmp(t->path, "-") == 0 || t->pattern[0] == '\0') {
		error_set(err, ERROR_USAGE, 0,
			  "`%s` cannot be followed: name a file, a folder or a glob", t->path);
		goto failed;
	}
	if (t->options.framing == FRAMING_DOCUMENT && t->options.framing_of == NULL) {
		error_set(err, ERROR_USAGE, 0,
			  "%s: a file that is one document cannot be followed: move such files "
			  "into a watched folder",
			  t->path);
		goto failed;
	}
	if (position.n > 0 && !tail_position_read(t, position, err)) {
		error_prefix(err, "%s", t->path);
		goto failed;
	}
	tail_watch_open(t);
	return t;
failed:
	tail_close(t);
	return NULL;
}

void tail_close(struct tail *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_files; i++)
		tail_file_free(t->files[i]);
	free(t->files);
	for (size_t i = 0; i < t->n_candidates; i++)
		free(t->candidates[i].path);
	free(t->candidates);
	if (t->watch_fd >= 0)
		close(t->watch_fd);
	free(t->path);
	free(t->folder);
	free(t->pattern);
	free(t);
}

int tail_fd(const struct tail *t) { return t->watch_fd; }
void tail_stats(const struct tail *t, struct tail_stats *out) { *out = t->stats; }

void tail_say(struct tail *t, const struct error *err)
{
	if (t->n_errors < TAIL_MAX_ERRORS)
		t->errors[t->n_errors++] = *err;
}

/* Whoever is not written to any more first, oldest first; the live ones in turn. */
static struct tail_file *choose(struct tail *t)
{
	struct tail_file *f = t->current;

	if (f != NULL && f->look && (!f->live || t->turn_bytes < TURN_BYTES))
		return f;
	t->turn_bytes = 0;
	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i]->look && !t->files[i]->live)
			return t->current = t->files[i];
	for (size_t i = 1; i <= t->n_files; i++) {
		size_t at = (t->turn + i) % t->n_files;
		if (!t->files[at]->look)
			continue;
		t->turn = at;
		return t->current = t->files[at];
	}
	return t->current = NULL;
}

/* Nothing more will be written to it, so that an unfinished line is a record. */
static bool is_final(const struct tail *t, const struct tail_file *f, struct instant now)
{
	if (f->packed)
		return f->at_end;
	if (f->copy)
		return true;
	return !f->live && !f->missing && instant_known(f->quiet_since) &&
	       now.ns - f->quiet_since.ns >= t->options.settle.ns;
}

/* The head for framing_of: from the disk, for what has begun before us. */
static void announce(struct tail *t, struct tail_file *f)
{
	char *head = NULL;
	struct sv view = sv_make(f->p + f->start, f->end - f->start);

	f->announced = true;
	if (t->options.framing_of == NULL)
		return;
	if (f->resumed && f->packed) {
		view = sv_make(f->intro, f->intro_n);
	} else if (f->resumed) {
		ssize_t got;
		head = xmalloc(INPUT_HEAD);
		do {
			got = pread(f->fd, head, INPUT_HEAD, 0);
		} while (got < 0 && errno == EINTR);
		view = sv_make(head, got > 0 ? (size_t)got : 0);
	}
	if (sv_starts(view, SV("\xef\xbb\xbf")))
		view = sv_skip(view, 3);
	f->framing = t->options.framing_of(t->options.context, f->number, sv_cstr(f->path),
					   sv_first(view, INPUT_HEAD), f->resumed);
	free(head);
}

/* Drops a byte order mark; false where it is not yet told whether there is one. */
static bool pass_mark(struct tail_file *f, bool final)
{
	struct sv text = sv_make(f->p + f->start, f->end - f->start), mark = SV("\xef\xbb\xbf");

	if (f->offset > 0)
		return true;
	if (sv_starts(text, mark)) {
		f->start += mark.n;
		f->offset += mark.n;
	}
	return final || text.n >= mark.n || text.n == 0 || !sv_starts(mark, text);
}

enum next { NEXT_RECORD, NEXT_OVERLONG, NEXT_NONE, NEXT_REFILL };

static enum next next_in_buffer(struct tail *t, struct tail_file *f, bool final, struct sv *record,
				struct input_where *where)
{
	for (;;) {
		struct sv text = sv_make(f->p + f->start, f->end - f->start);
		struct frame frame = { .skip = f->skip };
		enum frame_result r;

		if (text.n == 0 || !pass_mark(f, final))
			return NEXT_REFILL;
		text = sv_make(f->p + f->start, f->end - f->start);
		if (!f->announced)
			announce(t, f);
		r = frame_next(text, f->searched, final, f->framing, t->options.max_record, &frame);
		if (r == FRAME_MORE) {
			f->searched = text.n;
			return NEXT_REFILL;
		}
		*where = (struct input_where){
			.path = sv_cstr(f->path),
			.line = f->line + 1,
			.offset = f->offset,
			.file = f->number,
			.first = f->first,
		};
		f->skip = frame.skip;
		f->searched = 0;
		f->start += frame.used;
		f->offset += frame.used;
		f->line += frame.lines;
		t->turn_bytes += frame.used;
		if (r == FRAME_NOTHING)
			continue;
		*record = sv_make(text.p, frame.length);
		f->first = false;
		return r == FRAME_RECORD ? NEXT_RECORD : NEXT_OVERLONG;
	}
}

/* Nothing more in it for now. */
static void rest(struct tail_file *f, bool final)
{
	f->look = false;
	if (!final || f->end > f->start)
		return;
	f->done = true;
	tail_file_close(f);
}

static enum next next_of(struct tail *t, struct tail_file *f, struct instant now, struct sv *record,
			 struct input_where *where, struct error *err, bool *failed)
{
	for (;;) {
		enum next r =
		    tail_file_is_open(f) ? next_in_buffer(t, f, false, record, where) : NEXT_REFILL;
		bool final;

		if (r != NEXT_REFILL)
			return r;
		switch (tail_file_refill(t, f, err)) {
		case REFILL_MORE:
			continue;
		case REFILL_CHANGED:
			f->look = false;
			t->dirty = true;
			return NEXT_NONE;
		case REFILL_FAILED:
			*failed = !f->told;
			f->told = true;
			t->stats.refused += !f->packed;
			if (tail_file_is_open(f))
				break; /* damaged: what came before it is handed out */
			f->look = false;
			f->done = f->packed;
			return NEXT_NONE;
		case REFILL_NOTHING:
			break;
		}
		if (!tail_file_is_open(f)) { /* its name is another's: the next scan tells */
			f->look = false;
			return NEXT_NONE;
		}
		final = is_final(t, f, now);
		if (final) {
			r = next_in_buffer(t, f, true, record, where);
			if (r != NEXT_REFILL)
				return r;
		}
		rest(f, final);
		return NEXT_NONE;
	}
}

enum input_result tail_next(struct tail *t, struct instant now, struct sv *record,
			    struct input_where *where, struct error *err)
{
	*record = SV_NONE;
	for (;;) {
		struct tail_file *f = choose(t);
		bool failed = false;
		enum next r;

		if (f == NULL || ++t->since_watch >= WATCH_EVERY) {
			t->since_watch = 0;
			tail_watch_take(t);
		}
		if (!t->scanned || t->dirty || now.ns - t->last_scan.ns >= t->options.poll.ns ||
		    now.ns < t->last_scan.ns)
			tail_scan(t, now);
		if (t->n_errors > 0) {
			*err = t->errors[0];
			memmove(t->errors, t->errors + 1, --t->n_errors * sizeof(t->errors[0]));
			return INPUT_ERROR;
		}
		f = choose(t);
		if (f == NULL)
			return INPUT_NOTHING_YET;
		r = next_of(t, f, now, record, where, err, &failed);
		if (failed && r == NEXT_NONE)
			return INPUT_ERROR;
		if (failed)
			tail_say(t, err);
		if (r == NEXT_NONE)
			continue;
		t->stats.records += r == NEXT_RECORD;
		t->stats.overlong += r == NEXT_OVERLONG;
		t->stats.bytes += record->n;
		return r == NEXT_RECORD ? INPUT_RECORD : INPUT_OVERLONG;
	}
}
