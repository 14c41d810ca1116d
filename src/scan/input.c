#include "scan/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/capture.h"
#include "scan/recognise.h"

#define MAX_FILES 100000
#define MAX_DEPTH 16
#define MAX_SOURCES 4096
/* How far out of order an input's records may be before it has to be read whole. Looking ahead
 * costs a scan only the memory of that span, so it is generous where max_lag is not. */
#define SCAN_LAG (15 * NS_PER_MINUTE)

/* Standard input and pipes can be read once only, a scan may have to read again: they go into an
 * unnamed file first. */
static bool spool(struct inputs_read *in, int from, const char *name, const char **path,
		  struct error *err)
{
	FILE *kept = tmpfile();
	char chunk[65536];
	ssize_t n;
	int fd;

	if (kept == NULL)
		return error_set(err, ERROR_IO, 0,
				 "%s: no room to keep it while it is read: %s; make room in the "
				 "folder for temporary files",
				 name, strerror(errno));
	while ((n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fwrite(chunk, 1, (size_t)n, kept) != (size_t)n) {
			error_set(err, ERROR_IO, 0, "%s: cannot be kept while it is read: %s", name,
				  strerror(errno));
			fclose(kept);
			return false;
		}
	}
	if (fflush(kept) != 0 || (fd = dup(fileno(kept))) < 0) {
		error_set(err, ERROR_IO, 0, "%s: cannot be kept while it is read: %s", name,
			  strerror(errno));
		fclose(kept);
		return false;
	}
	fclose(kept);
	in->_spooled = xrealloc(in->_spooled, in->_n_spooled + 1, sizeof(*in->_spooled));
	in->_spooled[in->_n_spooled++] = fd;
	snprintf(chunk, sizeof(chunk), "/proc/self/fd/%d", fd);
	*path = arena_sv(in->arena, sv_cstr(chunk)).p;
	return true;
}

static void leave_alone(struct inputs_read *in, const char *path)
{
	if (in->n_left_alone == in->_left_capacity) {
		in->_left_capacity = in->_left_capacity == 0 ? 8 : in->_left_capacity * 2;
		in->left_alone =
		    xrealloc(in->left_alone, in->_left_capacity, sizeof(*in->left_alone));
	}
	in->left_alone[in->n_left_alone++] = arena_sv(in->arena, sv_cstr(path));
}

/* Truth, findings, configuration and list files that lie beside logs. */
static bool is_companion(struct sv head, const char *path)
{
	struct sv name = sv_cstr(path), start = sv_first(head, 256);

	if (sv_find(start, SV("\"pinwatch.truth/")) != SIZE_MAX ||
	    sv_find(start, SV("\"pinwatch.finding/")) != SIZE_MAX)
		return true;
	return (sv_ends(name, SV(".yaml")) || sv_ends(name, SV(".yml"))) &&
	       conf_recognise(head) != CONF_DOCUMENT_NONE;
}

static struct source *source_named(struct inputs_read *in, struct sv name,
				   const struct conf_source *configured, const struct format *f)
{
	struct source *s;

	for (size_t i = 0; i < in->n_sources; i++)
		if (sv_eq(in->sources[i]->name, name) && in->sources[i]->configured == configured)
			return in->sources[i];
	if (in->n_sources >= MAX_SOURCES)
		return NULL;
	in->sources = xrealloc(in->sources, in->n_sources + 1, sizeof(*in->sources));
	s = arena_alloc(in->arena, sizeof(*s));
	*s = (struct source){ .name = name, .configured = configured, .cut = INT64_MAX };
	s->summary = (struct source_summary){
		.name = name,
		.kind = f != NULL ? format_sensor(f) : SENSOR_FLOW,
		.format = f != NULL ? format_name(f) : CAPTURE_FORMAT,
		.configured = configured != NULL,
		.first = INSTANT_NONE,
		.last = INSTANT_NONE,
	};
	in->sources[in->n_sources++] = s;
	return s;
}

/* f NULL: a capture. */
static bool add_input(struct inputs_read *in, const struct scan_input *asked, const char *path,
		      const char *open_path, const struct format *f, enum framing framing,
		      const struct stat *st, struct error *err)
{
	const struct conf_source *c = asked->source;
	struct source *source = source_named(in,
					     c != NULL	 ? c->name
					     : f != NULL ? format_source(f)
							 : CAPTURE_SOURCE,
					     c, f);
	struct instant modified = { (int64_t)st->st_mtime * NS_PER_S };
	struct input *x;

	if (source == NULL || in->n >= MAX_FILES)
		return error_set(err, ERROR_LIMIT, 0,
				 "%s: more than %d files or %d sources; scan in parts", path,
				 MAX_FILES, MAX_SOURCES);
	if (in->n == in->_capacity) {
		in->_capacity = in->_capacity == 0 ? 16 : in->_capacity * 2;
		in->list = xrealloc(in->list, in->_capacity, sizeof(*in->list));
	}
	x = &in->list[in->n++];
	*x = (struct input){
		.path = arena_sv(in->arena, sv_cstr(path)),
		.open_path = arena_sv(in->arena, sv_cstr(open_path)).p,
		.asked = asked,
		.format = f,
		.capture = f == NULL,
		.framing = framing,
		.source = source,
		.max_lag = { SCAN_LAG },
		.date = modified,
		.size = st->st_size > 0 ? (uint64_t)st->st_size : 0,
		.device = st->st_dev,
		.file = st->st_ino,
	};
	if (c != NULL) {
		if (c->max_lag.ns > SCAN_LAG)
			x->max_lag = c->max_lag;
		x->vantage = (enum vantage)c->vantage;
		x->zone = zone_offset(&c->timezone, modified);
		if (instant_known(c->date))
			x->date = c->date;
		if (conf_source_sensor(c) != SENSORS)
			source->summary.kind = conf_source_sensor(c);
	}
	if (asked->kind_forced)
		source->summary.kind = asked->forced_kind;
	source->summary.files++;
	return true;
}

static const struct input *input_of(const struct inputs_read *in, const struct stat *st)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->list[i].device == st->st_dev && in->list[i].file == st->st_ino)
			return &in->list[i];
	return NULL;
}

/* Whether both say the same of what they name. */
static bool same_asked(const struct scan_input *a, const struct scan_input *b)
{
	const char *f = a->format != NULL ? a->format : "", *g = b->format != NULL ? b->format : "";

	return a->source == b->source && a->kind_forced == b->kind_forced &&
	       (!a->kind_forced || a->forced_kind == b->forced_kind) && strcmp(f, g) == 0;
}

/* A file is read once, however often and under which names it is named. */
static bool name_again(struct inputs_read *in, const struct input *x,
		       const struct scan_input *asked, const char *path, struct error *err)
{
	if (!same_asked(x->asked, asked))
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%s: is the same file as %.*s, which is read as something else: name it once",
		    path, SV_ARG(x->path));
	leave_alone(in, path);
	return true;
}

static bool add_file(struct inputs_read *in, const struct scan_options *o,
		     const struct scan_input *asked, const char *path, bool in_folder,
		     struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0, ok = false;
	const char *open_path = path, *named = asked->format;
	struct reader_options options = { .max_record = o->conf->max_record };
	const struct format *f;
	struct format_match match = { 0 };
	const struct input *before;
	struct reader *r;
	struct stat st;
	struct sv head, record;

	if ((is_stdin ? fstat(0, &st) : stat(path, &st)) != 0)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path, strerror(errno));
	if (is_stdin || !S_ISREG(st.st_mode)) {
		int fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path,
					 strerror(errno));
		ok = spool(in, fd, path, &open_path, err);
		if (!is_stdin)
			close(fd);
		if (!ok)
			return false;
	} else if ((before = input_of(in, &st)) != NULL) {
		return name_again(in, before, asked, path, err);
	}
	if (asked->source != NULL && !sv_eq(asked->source->format, SV("auto")) &&
	    !sv_empty(asked->source->format))
		named = asked->source->format.p;
	r = reader_open(open_path, &options, err);
	if (r == NULL)
		return false;
	head = reader_peek(r, RECOGNISE_BYTES);
	/* Nothing to look at: unreadable is not the same as empty. */
	if (head.n == 0 && reader_next(r, &record, err) == READ_ERROR) {
		reader_close(r);
		return false;
	}
	/* An empty log, as after rotation, says nothing and is nothing wrong. */
	if (sv_trim(head).n == 0 || (in_folder && is_companion(head, path))) {
		leave_alone(in, path);
		reader_close(r);
		return true;
	}
	if (named == NULL && capture_recognise(head)) {
		reader_close(r);
		return add_input(in, asked, path, open_path, NULL, FRAMING_DOCUMENT, &st, err);
	}
	f = named != NULL ? recognise_name(o->formats, named, err)
			  : recognise(o->formats, r, path, &match, err);
	if (f != NULL && named != NULL)
		match.framing = recognise_framing(o->formats, r, f);
	reader_close(r);
	return f != NULL && recognise_usable(f, path, err) &&
	       add_input(in, asked, path, open_path, f, match.framing, &st, err);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The folders that one is in, so that a link back to one of them is not walked for ever. */
struct above {
	dev_t device;
	ino_t file;
	const struct above *above;
};

static bool walks_back(const struct above *a, const struct stat *st)
{
	for (; a != NULL; a = a->above)
		if (a->device == st->st_dev && a->file == st->st_ino)
			return true;
	return false;
}

static bool add_path(struct inputs_read *in, const struct scan_options *o,
		     const struct scan_input *asked, const char *path, int depth,
		     const struct above *above, struct error *err)
{
	struct dirent **entries;
	struct above here;
	struct stat st;
	bool ok = true;
	int n;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 ||
	    (depth == 0 && !S_ISDIR(st.st_mode)) || S_ISREG(st.st_mode))
		return add_file(in, o, asked, path, depth > 0, err);
	/* A pipe or socket in a folder would be waited for; nobody asked for it by name. */
	if (!S_ISDIR(st.st_mode) || walks_back(above, &st)) {
		leave_alone(in, path);
		return true;
	}
	here = (struct above){ st.st_dev, st.st_ino, above };
	if (depth > MAX_DEPTH)
		return error_set(err, ERROR_LIMIT, 0,
				 "%s: folders nest deeper than %d; name the inner one", path,
				 MAX_DEPTH);
	n = scandir(path, &entries, NULL, by_name);
	if (n < 0)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct buf child;
		/* Hidden files are nobody's logs. */
		if (ok && entries[i]->d_name[0] != '.') {
			buf_init(&child, 65536);
			buf_printf(&child, "%s%s%s", path,
				   sv_ends(sv_cstr(path), SV("/")) ? "" : "/", entries[i]->d_name);
			buf_char(&child, '\0');
			ok = add_path(in, o, asked, child.p, depth + 1, &here, err);
			buf_free(&child);
		}
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static int by_source_name(const void *a, const void *b)
{
	const struct source *x = *(struct source *const *)a, *y = *(struct source *const *)b;

	return sv_cmp(x->name, y->name);
}

bool inputs_find(struct inputs_read *in, const struct scan_options *o, struct arena *a,
		 struct error *err)
{
	*in = (struct inputs_read){ .arena = a };
	for (size_t i = 0; i < o->n_inputs; i++)
		if (!add_path(in, o, &o->inputs[i], o->inputs[i].path, 0, NULL, err))
			return false;
	if (in->n == 0)
		return error_set(err, ERROR_FORMAT, 0,
				 "%s: there is no log in it; name files or folders with logs",
				 o->inputs[0].path);
	qsort(in->sources, in->n_sources, sizeof(struct source *), by_source_name);
	for (size_t i = 0; i < in->n; i++)
		for (size_t s = 0; s < in->n_sources; s++)
			if (in->sources[s] == in->list[i].source)
				in->list[i].source_number = (uint16_t)s;
	return true;
}

void inputs_close(struct inputs_read *in)
{
	for (size_t i = 0; i < in->_n_spooled; i++)
		close(in->_spooled[i]);
	for (size_t s = 0; s < in->n_sources; s++) {
		free(in->sources[s]->days);
		free(in->sources[s]->suspects);
		if (in->sources[s]->days != NULL)
			keymap_free(&in->sources[s]->_day_numbers);
	}
	free(in->_spooled);
	free(in->list);
	free(in->sources);
	free(in->left_alone);
}

void source_note(struct source *s, int64_t order, uint64_t seed)
{
	int64_t number = order / NS_PER_DAY;
	struct day *d;

	if (s->n_days == 0)
		keymap_init(&s->_day_numbers, sizeof(int64_t), seed);
	if (s->n_days == 0 || s->days[s->_last_day].number != number) {
		uint32_t *slot = keymap_slot(&s->_day_numbers, &number);
		if (*slot == KEYMAP_NONE) {
			if (s->n_days == s->_days_capacity) {
				s->_days_capacity =
				    s->_days_capacity == 0 ? 16 : s->_days_capacity * 2;
				s->days = xrealloc(s->days, s->_days_capacity, sizeof(*s->days));
			}
			s->days[s->n_days] = (struct day){ number, 0, INT64_MAX, INT64_MIN };
			*slot = (uint32_t)s->n_days++;
		}
		s->_last_day = *slot;
	}
	d = &s->days[s->_last_day];
	d->count++;
	if (order < d->first)
		d->first = order;
	if (order > d->last)
		d->last = order;
}

static int by_day(const void *a, const void *b)
{
	const struct day *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

int64_t source_cut(const struct source *s)
{
	struct day *days;
	uint64_t total = 0, before = 0;
	size_t n = 0;
	int64_t cut = INT64_MAX;

	if (s->n_days < 2)
		return INT64_MAX;
	days = xmalloc(s->n_days * sizeof(*days));
	for (size_t i = 0; i < s->n_days; i++)
		if (s->days[i].count > 0)
			days[n++] = s->days[i];
	qsort(days, n, sizeof(*days), by_day);
	for (size_t i = 0; i < n; i++)
		total += days[i].count;
	for (size_t i = 0; i + 1 < n && cut == INT64_MAX; i++) {
		before += days[i].count;
		if (days[i + 1].first - days[i].last > NS_PER_DAY &&
		    (total - before) * 100 <= total)
			cut = days[i + 1].first;
	}
	free(days);
	return cut;
}

uint64_t source_beyond(const struct source *s, int64_t t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_days; i++)
		n += s->days[i].first >= t ? s->days[i].count : 0;
	return n;
}

int64_t source_newest(const struct source *s, int64_t t)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < s->n_days; i++)
		if (s->days[i].count > 0 && s->days[i].first < t && s->days[i].last > newest)
			newest = s->days[i].last;
	return newest;
}
