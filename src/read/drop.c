#include "read/drop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"
#include "read/position.h"

#define HEAD 1024u /* bytes that are hashed to know a file again */
#define POLL NS_PER_S
#define SETTLE (5 * NS_PER_S)
#define MAX_PATH 4096
#define MAX_MOVED 256 /* beyond, they wait as others do */

enum drop_state { DROP_NEW, DROP_READING, DROP_DONE };

struct drop_file {
	char *name;
	uint64_t dev, ino, size;
	int64_t mtime;
	uint64_t head; /* XXH3 of the first HEAD bytes, or all, once it is read */
	uint64_t number;
	enum drop_state state;
	uint64_t records; /* handed out of it */
	bool moved_in;	  /* it came complete */
	bool seen;
	bool changed; /* counted as such */
	struct instant quiet_since;
};

struct drop {
	struct drop_options options;
	char *dir;
	int watch_fd;
	bool scanned, dirty;
	struct instant last_scan;
	struct drop_file **files;
	size_t n, capacity;
	uint64_t next_number;
	struct drop_file *current;
	struct reader *reader;
	char path[MAX_PATH];
	bool first;
	char *moved[MAX_MOVED]; /* names that came complete since the last scan */
	size_t n_moved;
	struct drop_stats stats;
};

static char *copy_text(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

static struct drop_file *add(struct drop *d)
{
	struct drop_file *f = xcalloc(1, sizeof(*f));

	if (d->n == d->capacity) {
		d->capacity = d->capacity == 0 ? 16 : d->capacity * 2;
		d->files = xrealloc(d->files, d->capacity, sizeof(struct drop_file *));
	}
	f->number = ++d->next_number;
	return d->files[d->n++] = f;
}

static uint64_t number_at(struct position_cursor *c, const char *key)
{
	position_need(c, key);
	return position_number(c);
}

/* {"files":[{"dev":…,"ino":…,"size":…,"mtime":…,"head":"…","done":0|1,"records":N},…]} */
static bool read_position(struct drop *d, struct sv position, struct error *err)
{
	struct position_cursor c = { position, false };

	position_need(&c, "{\"files\":[");
	while (!c.failed && d->n < DROP_MAX_FILES && !position_is(&c, "]}")) {
		struct drop_file *f;
		if (d->n > 0)
			position_need(&c, ",");
		f = add(d);
		f->dev = number_at(&c, "{\"dev\":");
		f->ino = number_at(&c, ",\"ino\":");
		f->size = number_at(&c, ",\"size\":");
		f->mtime = (int64_t)number_at(&c, ",\"mtime\":");
		position_need(&c, ",\"head\":");
		f->head = position_hex(&c);
		f->state = number_at(&c, ",\"done\":") != 0 ? DROP_DONE : DROP_READING;
		f->records = number_at(&c, ",\"records\":");
		position_need(&c, "}");
	}
	return position_done(&c, "watched folder", err);
}

void drop_position(const struct drop *d, struct buf *out)
{
	bool comma = false;

	buf_str(out, "{\"files\":[");
	for (size_t i = 0; i < d->n; i++) {
		const struct drop_file *f = d->files[i];
		if (f->state == DROP_NEW)
			continue;
		buf_printf(out,
			   "%s{\"dev\":%llu,\"ino\":%llu,\"size\":%llu,\"mtime\":%llu,\"head\":\"%"
			   "016llx\",\"done\":%d,\"records\":%llu}",
			   comma ? "," : "", (unsigned long long)f->dev, (unsigned long long)f->ino,
			   (unsigned long long)f->size, (unsigned long long)f->mtime,
			   (unsigned long long)f->head, f->state == DROP_DONE,
			   (unsigned long long)f->records);
		comma = true;
	}
	buf_str(out, "]}");
}

struct drop *drop_open(const struct drop_options *options, struct sv position, struct error *err)
{
	struct drop *d = xcalloc(1, sizeof(*d));

	d->options = *options;
	d->dir = copy_text(options->dir);
	d->options.dir = d->dir;
	if (d->options.poll.ns <= 0)
		d->options.poll.ns = POLL;
	if (d->options.settle.ns <= 0)
		d->options.settle.ns = SETTLE;
	d->watch_fd = -1;
	if (position.n > 0 && !read_position(d, position, err)) {
		error_prefix(err, "%s", d->dir);
		drop_close(d);
		return NULL;
	}
	d->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return d;
}

static void forget_moved(struct drop *d)
{
	while (d->n_moved > 0)
		free(d->moved[--d->n_moved]);
}

static void free_file(struct drop_file *f)
{
	free(f->name);
	free(f);
}

void drop_close(struct drop *d)
{
	if (d == NULL)
		return;
	reader_close(d->reader);
	for (size_t i = 0; i < d->n; i++)
		free_file(d->files[i]);
	free(d->files);
	forget_moved(d);
	if (d->watch_fd >= 0)
		close(d->watch_fd);
	free(d->dir);
	free(d);
}

int drop_fd(const struct drop *d) { return d->watch_fd; }

void drop_stats(const struct drop *d, struct drop_stats *out)
{
	*out = d->stats;
	out->waiting = 0;
	for (size_t i = 0; i < d->n; i++)
		out->waiting += d->files[i]->state == DROP_NEW;
}

static bool left_alone(const char *name)
{
	struct sv v = sv_cstr(name);

	return name[0] == '.' || sv_ends(v, SV(".tmp")) || sv_ends(v, SV(".part")) ||
	       sv_ends(v, SV("~"));
}

static bool head_of(int dir, const char *name, uint64_t size, uint64_t *head)
{
	char bytes[HEAD];
	size_t wanted = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return false;
	do {
		n = pread(fd, bytes, wanted, 0);
	} while (n < 0 && errno == EINTR);
	close(fd);
	if (n < 0)
		return false;
	*head = XXH3_64bits(bytes, (size_t)n);
	return true;
}

static struct drop_file *known(const struct drop *d, const struct stat *st)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->files[i]->ino == (uint64_t)st->st_ino &&
		    d->files[i]->dev == (uint64_t)st->st_dev)
			return d->files[i];
	return NULL;
}

static void begin_anew(struct drop *d, struct drop_file *f)
{
	f->state = DROP_NEW;
	f->records = 0;
	f->changed = false;
	f->number = ++d->next_number;
}

/* A file that is known by its inode, and perhaps is another one now. */
static void see(struct drop *d, struct drop_file *f, int dir, const char *name,
		const struct stat *st, int64_t mtime, struct instant now)
{
	bool same = f->size == (uint64_t)st->st_size && f->mtime == mtime;
	uint64_t head = 0;

	if (f->name == NULL || strcmp(f->name, name) != 0) {
		free(f->name);
		f->name = copy_text(name);
	}
	if (same)
		return;
	if (f->state != DROP_NEW && head_of(dir, name, f->size, &head)) {
		/* The same beginning, but longer: it was not complete after all, and what came
		 * later is not read. Anything else is another file. */
		if ((uint64_t)st->st_size >= f->size && head == f->head) {
			d->stats.changed += !f->changed;
			f->changed = true;
			f->size = (uint64_t)st->st_size;
			f->mtime = mtime;
			if (!head_of(dir, name, f->size, &f->head))
				f->head = head;
			return;
		}
		if (f != d->current)
			begin_anew(d, f);
	}
	f->size = (uint64_t)st->st_size;
	f->mtime = mtime;
	f->quiet_since = now;
}

static void look_at(struct drop *d, int dir, const char *name, struct instant now)
{
	struct drop_file *f;
	struct stat st;
	int64_t mtime;

	if (left_alone(name) || fstatat(dir, name, &st, 0) != 0 || !S_ISREG(st.st_mode))
		return;
	mtime = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	f = known(d, &st);
	if (f == NULL && d->n >= DROP_MAX_FILES) {
		d->stats.refused++;
		return;
	}
	if (f == NULL) {
		f = add(d);
		f->dev = (uint64_t)st.st_dev;
		f->ino = (uint64_t)st.st_ino;
		f->size = (uint64_t)st.st_size;
		f->mtime = mtime;
		f->quiet_since = now;
	}
	see(d, f, dir, name, &st, mtime, now);
	for (size_t i = 0; i < d->n_moved; i++)
		f->moved_in = f->moved_in || strcmp(d->moved[i], name) == 0;
	f->seen = true;
}

static int oldest_first(const void *a, const void *b)
{
	const struct drop_file *x = *(struct drop_file *const *)a,
			       *y = *(struct drop_file *const *)b;

	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* False: the folder cannot be read. */
static bool scan(struct drop *d, struct instant now, struct error *err)
{
	DIR *dir = opendir(d->dir);
	struct dirent *e;
	size_t kept = 0;

	d->scanned = true;
	d->dirty = false;
	d->last_scan = now;
	if (dir == NULL)
		return error_set(err, ERROR_IO, 0, "%s: the watched folder cannot be read: %s",
				 d->dir, strerror(errno));
	if (d->watch_fd >= 0)
		inotify_add_watch(d->watch_fd, d->dir,
				  IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE |
				      IN_ONLYDIR);
	d->stats.refused = 0;
	for (size_t i = 0; i < d->n; i++)
		d->files[i]->seen = false;
	while ((e = readdir(dir)) != NULL)
		look_at(d, dirfd(dir), e->d_name, now);
	closedir(dir);
	forget_moved(d);
	for (size_t i = 0; i < d->n; i++) {
		if (d->files[i]->seen || d->files[i] == d->current)
			d->files[kept++] = d->files[i];
		else
			free_file(d->files[i]);
	}
	d->n = kept;
	if (d->n > 1)
		qsort(d->files, d->n, sizeof(struct drop_file *), oldest_first);
	return true;
}

/* What was moved in is complete; all else has to be quiet for a while. */
static void take_events(struct drop *d)
{
	union {
		char bytes[16384];
		struct inotify_event aligned;
	} events;
	ssize_t n;

	while (d->watch_fd >= 0 && (n = read(d->watch_fd, events.bytes, sizeof(events))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(events.bytes + at);
			if (e->len > 0 && !left_alone(e->name)) {
				d->dirty = true;
				if ((e->mask & IN_MOVED_TO) != 0 && d->n_moved < MAX_MOVED)
					d->moved[d->n_moved++] = copy_text(e->name);
			}
			at += (ssize_t)(sizeof(*e) + e->len);
		}
}

static struct drop_file *due(const struct drop *d, struct instant now)
{
	for (size_t i = 0; i < d->n; i++) {
		struct drop_file *f = d->files[i];
		if (f->name == NULL || f->state == DROP_DONE || !f->seen)
			continue;
		if (f->state == DROP_READING || f->moved_in ||
		    now.ns - f->quiet_since.ns >= d->options.settle.ns)
			return f;
	}
	return NULL;
}

static enum framing framing_of(struct drop *d, const struct drop_file *f)
{
	struct sv head;

	if (d->options.framing_of == NULL)
		return d->options.framing;
	head = reader_peek(d->reader, INPUT_HEAD);
	return d->options.framing_of(d->options.context, f->number, sv_cstr(d->path), head,
				     f->records > 0);
}

static void finish(struct drop *d)
{
	reader_close(d->reader);
	d->reader = NULL;
	d->current->state = DROP_DONE;
	d->current = NULL;
}

/* Opens the file and passes over what was handed out of it before. */
static bool begin(struct drop *d, struct drop_file *f, struct error *err)
{
	const struct reader_options o = { .framing = d->options.framing,
					  .max_record = d->options.max_record,
					  .max_unpacked = d->options.max_unpacked };
	uint64_t passed = 0;
	struct sv record;

	d->current = f;
	f->state = DROP_READING;
	snprintf(d->path, sizeof(d->path), "%s/%s", d->dir, f->name);
	if (!head_of(AT_FDCWD, d->path, f->size, &f->head))
		f->head = 0;
	d->reader = reader_open(d->path, &o, err);
	if (d->reader == NULL)
		return false;
	reader_set_framing(d->reader, framing_of(d, f));
	d->first = true;
	while (passed < f->records) {
		enum read_result r = reader_next(d->reader, &record, err);
		if (r == READ_ERROR)
			return false;
		if (r == READ_END)
			break;
		passed++;
	}
	return true;
}

static bool wants_scan(const struct drop *d, struct instant now)
{
	return !d->scanned || d->dirty || now.ns < d->last_scan.ns ||
	       now.ns - d->last_scan.ns >= d->options.poll.ns;
}

enum input_result drop_next(struct drop *d, struct instant now, struct sv *record,
			    struct input_where *where, struct error *err)
{
	*record = SV_NONE;
	for (;;) {
		struct drop_file *f;
		enum read_result r;

		if (d->current == NULL) {
			take_events(d);
			if (wants_scan(d, now) && !scan(d, now, err))
				return INPUT_ERROR;
			f = due(d, now);
			if (f == NULL)
				return INPUT_NOTHING_YET;
			if (!begin(d, f, err)) {
				d->stats.failed++;
				finish(d);
				return INPUT_ERROR;
			}
		}
		r = reader_next(d->reader, record, err);
		if (r == READ_END || r == READ_ERROR) {
			d->stats.files += r == READ_END;
			d->stats.failed += r == READ_ERROR;
			finish(d);
			if (r == READ_ERROR)
				return INPUT_ERROR;
			continue;
		}
		*where = (struct input_where){
			.path = sv_cstr(d->path),
			.line = reader_line(d->reader),
			.file = d->current->number,
			.first = d->first,
		};
		d->first = false;
		d->current->records++;
		d->stats.records += r == READ_RECORD;
		d->stats.overlong += r == READ_OVERLONG;
		return r == READ_RECORD ? INPUT_RECORD : INPUT_OVERLONG;
	}
}
