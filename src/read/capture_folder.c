#include "read/capture_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"
#include "read/position.h"
#include "read/unpack.h"

/* Unpacked bytes by which a capture is known: headers and comments, and the first packets. */
#define HEAD 16384u
#define POLL NS_PER_S
#define SETTLE (30 * NS_PER_S)
#define MAX_PATH 4096
#define MAX_COMPLETE 256 /* beyond, they wait as others do */

struct capture_file {
	char *name; /* NULL: gone */
	uint64_t dev, ino, size;
	int64_t mtime;
	uint64_t head; /* XXH3 of the first head_n unpacked bytes */
	size_t head_n; /* 0: never begun */
	uint64_t number;
	bool done;
	struct capture_place place;
	bool complete; /* its writer has closed it, or it came so */
	bool seen;
	struct instant quiet_since;
};

struct capture_folder {
	char *path, *dir, *pattern; /* dir and pattern as of the last look; pattern NULL: all */
	struct span poll, settle;
	int watch_fd;
	bool scanned, dirty;
	struct instant last_scan;
	struct capture_file **files;
	size_t n, capacity;
	uint64_t next_number;
	struct capture_file *current;
	char current_path[MAX_PATH];
	char *complete[MAX_COMPLETE]; /* names, since the last look */
	size_t n_complete;
	struct capture_folder_stats stats;
};

static struct capture_file *add(struct capture_folder *f)
{
	struct capture_file *x = xcalloc(1, sizeof(*x));

	if (f->n == f->capacity) {
		f->capacity = f->capacity == 0 ? 16 : f->capacity * 2;
		f->files = xrealloc(f->files, f->capacity, sizeof(struct capture_file *));
	}
	x->number = ++f->next_number;
	return f->files[f->n++] = x;
}

static void free_file(struct capture_file *x)
{
	free(x->name);
	free(x);
}

/* ---- position */

static uint64_t number_at(struct position_cursor *c, const char *key)
{
	position_need(c, key);
	return position_number(c);
}

static bool read_position(struct capture_folder *f, struct sv position, struct error *err)
{
	struct position_cursor c = { position, false };

	position_need(&c, "{\"captures\":[");
	while (!c.failed && f->n < CAPTURE_FOLDER_FILES && !position_is(&c, "]}")) {
		struct capture_file *x;
		if (f->n > 0)
			position_need(&c, ",");
		x = add(f);
		x->dev = number_at(&c, "{\"dev\":");
		x->ino = number_at(&c, ",\"ino\":");
		x->size = number_at(&c, ",\"size\":");
		x->mtime = (int64_t)number_at(&c, ",\"mtime\":");
		position_need(&c, ",\"head\":");
		x->head = position_hex(&c);
		x->head_n = (size_t)number_at(&c, ",\"head_n\":");
		x->done = number_at(&c, ",\"done\":") != 0;
		x->place.packets = number_at(&c, ",\"packets\":");
		x->place.end = number_at(&c, ",\"end\":") != 0;
		x->place.given = number_at(&c, ",\"given\":");
		x->place.silent = number_at(&c, ",\"silent\":");
		position_need(&c, "}");
	}
	return position_done(&c, "folder of captures", err);
}

void capture_folder_position(const struct capture_folder *f, struct buf *out)
{
	bool comma = false;

	buf_str(out, "{\"captures\":[");
	for (size_t i = 0; i < f->n; i++) {
		const struct capture_file *x = f->files[i];
		if (x->head_n == 0)
			continue;
		buf_printf(out,
			   "%s{\"dev\":%llu,\"ino\":%llu,\"size\":%llu,\"mtime\":%llu,\"head\":\"%"
			   "016llx\",\"head_n\":%zu,\"done\":%d,\"packets\":%llu,\"end\":%d,"
			   "\"given\":%llu,\"silent\":%llu}",
			   comma ? "," : "", (unsigned long long)x->dev, (unsigned long long)x->ino,
			   (unsigned long long)x->size, (unsigned long long)x->mtime,
			   (unsigned long long)x->head, x->head_n, x->done,
			   (unsigned long long)x->place.packets, x->place.end,
			   (unsigned long long)x->place.given, (unsigned long long)x->place.silent);
		comma = true;
	}
	buf_str(out, "]}");
}

struct capture_folder *capture_folder_open(const struct capture_folder_options *o,
					   struct sv position, struct error *err)
{
	struct capture_folder *f = xcalloc(1, sizeof(*f));

	f->path = xstrdup(o->path);
	f->poll.ns = o->poll.ns > 0 ? o->poll.ns : POLL;
	f->settle.ns = o->settle.ns > 0 ? o->settle.ns : SETTLE;
	f->watch_fd = -1;
	if (position.n > 0 && !read_position(f, position, err)) {
		error_prefix(err, "%s", f->path);
		capture_folder_close(f);
		return NULL;
	}
	f->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return f;
}

static void forget_complete(struct capture_folder *f)
{
	while (f->n_complete > 0)
		free(f->complete[--f->n_complete]);
}

void capture_folder_close(struct capture_folder *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		free_file(f->files[i]);
	free(f->files);
	forget_complete(f);
	if (f->watch_fd >= 0)
		close(f->watch_fd);
	free(f->path);
	free(f->dir);
	free(f->pattern);
	free(f);
}

int capture_folder_fd(const struct capture_folder *f) { return f->watch_fd; }

void capture_folder_stats(const struct capture_folder *f, struct capture_folder_stats *out)
{
	*out = f->stats;
	out->waiting = 0;
	for (size_t i = 0; i < f->n; i++)
		out->waiting += f->files[i]->name != NULL && !f->files[i]->done;
}

/* ---- what the files are */

/* The first unpacked bytes; how many there are. */
static size_t head_of(const char *path, char bytes[HEAD])
{
	struct source s;
	struct unpack *u;
	struct error err;
	size_t n = 0, got = 1;

	if (!source_open(&s, path, &err))
		return 0;
	u = unpack_new(&s, 0, &err);
	while (u != NULL && n < HEAD && got > 0 && unpack_read(u, bytes + n, HEAD - n, &got, &err))
		n += got;
	unpack_free(u);
	source_close(&s);
	return n;
}

static bool begins_like(const struct capture_file *x, const char *bytes, size_t n)
{
	return x->head_n > 0 && x->head_n <= n && XXH3_64bits(bytes, x->head_n) == x->head;
}

/* Another file has come in its place, or with its number: what was there may still come back under
 * another name. */
static void begin_anew(struct capture_folder *f, struct capture_file *x)
{
	struct capture_file *gone = add(f);

	gone->mtime = x->mtime;
	gone->head = x->head;
	gone->head_n = x->head_n;
	gone->done = x->done;
	gone->place = x->place;
	x->done = false;
	x->head_n = 0;
	x->place = (struct capture_place){ 0 };
	x->number = ++f->next_number;
}

/* What the folder's file of that name is, compared with what was known of it. */
static void see(struct capture_folder *f, struct capture_file *x, const struct stat *st,
		int64_t mtime, struct instant now)
{
	char bytes[HEAD], path[MAX_PATH];
	size_t n;

	/* The one that is being read is looked at when that is done: its size and time stay as they
	 * were. */
	if ((x->size == (uint64_t)st->st_size && x->mtime == mtime) || x == f->current)
		return;
	x->quiet_since = now;
	x->complete = false;
	if (x->head_n > 0) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, x->name);
		n = head_of(path, bytes);
		if (!begins_like(x, bytes, n))
			begin_anew(f, x);
		else
			x->done = false;
	}
	x->size = (uint64_t)st->st_size;
	x->mtime = mtime;
}

static struct capture_file *known(const struct capture_folder *f, const struct stat *st)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i]->ino == (uint64_t)st->st_ino &&
		    f->files[i]->dev == (uint64_t)st->st_dev)
			return f->files[i];
	return NULL;
}

static bool left_alone(const struct capture_folder *f, const char *name)
{
	struct sv v = sv_cstr(name);

	return name[0] == '.' || sv_ends(v, SV(".tmp")) || sv_ends(v, SV(".part")) ||
	       sv_ends(v, SV("~")) || (f->pattern != NULL && fnmatch(f->pattern, name, 0) != 0);
}

static void look_at(struct capture_folder *f, int dir, const char *name, struct instant now)
{
	struct capture_file *x;
	struct stat st;
	int64_t mtime;

	if (left_alone(f, name) || fstatat(dir, name, &st, 0) != 0 || !S_ISREG(st.st_mode))
		return;
	mtime = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	x = known(f, &st);
	if (x == NULL && f->n >= CAPTURE_FOLDER_FILES) {
		f->stats.refused++;
		return;
	}
	if (x == NULL) {
		x = add(f);
		x->dev = (uint64_t)st.st_dev;
		x->ino = (uint64_t)st.st_ino;
		x->size = (uint64_t)st.st_size;
		x->mtime = mtime;
		x->quiet_since = now;
	}
	if (x->name == NULL || strcmp(x->name, name) != 0) {
		free(x->name);
		x->name = xstrdup(name);
	}
	see(f, x, &st, mtime, now);
	for (size_t i = 0; i < f->n_complete; i++)
		x->complete = x->complete || strcmp(f->complete[i], name) == 0;
	x->seen = true;
}

/* ---- looking */

static int oldest_first(const void *a, const void *b)
{
	const struct capture_file *x = *(struct capture_file *const *)a,
				  *y = *(struct capture_file *const *)b;

	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	if (x->name == NULL || y->name == NULL)
		return (x->name != NULL) - (y->name != NULL);
	return strcmp(x->name, y->name);
}

/* The path is a folder, or names files within one. */
static void resolve(struct capture_folder *f)
{
	char *slash;
	struct stat st;

	free(f->dir);
	free(f->pattern);
	f->dir = xstrdup(f->path);
	f->pattern = NULL;
	if (stat(f->path, &st) == 0 && S_ISDIR(st.st_mode))
		return;
	slash = strrchr(f->dir, '/');
	f->pattern = xstrdup(slash != NULL ? slash + 1 : f->path);
	if (slash == NULL) {
		free(f->dir);
		f->dir = xstrdup(".");
	} else {
		slash[slash == f->dir] = '\0';
	}
}

/* Files that are gone are remembered for a while: they may come back packed. */
static void forget_gone(struct capture_folder *f)
{
	size_t gone = 0, kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct capture_file *x = f->files[i];
		if (x->seen || x == f->current)
			continue;
		free(x->name);
		x->name = NULL;
		gone++;
	}
	for (size_t i = 0; i < f->n; i++) {
		struct capture_file *x = f->files[i];
		bool forget = x->name == NULL && (x->head_n == 0 || gone > CAPTURE_FOLDER_GONE);

		gone -= x->name == NULL;
		if (forget)
			free_file(x);
		else
			f->files[kept++] = x;
	}
	f->n = kept;
}

/* False: the folder cannot be read. */
static bool look(struct capture_folder *f, struct instant now, struct error *err)
{
	struct dirent *e;
	DIR *dir;

	resolve(f);
	f->scanned = true;
	f->dirty = false;
	f->last_scan = now;
	dir = opendir(f->dir);
	if (dir == NULL && errno == ENOENT)
		return true; /* not yet */
	if (dir == NULL)
		return error_set(err, ERROR_IO, 0, "%s: the folder of captures cannot be read: %s",
				 f->dir, strerror(errno));
	if (f->watch_fd >= 0)
		inotify_add_watch(f->watch_fd, f->dir,
				  IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE |
				      IN_ONLYDIR);
	f->stats.refused = 0;
	for (size_t i = 0; i < f->n; i++)
		f->files[i]->seen = false;
	while ((e = readdir(dir)) != NULL)
		look_at(f, dirfd(dir), e->d_name, now);
	closedir(dir);
	forget_complete(f);
	if (f->n > 1)
		qsort(f->files, f->n, sizeof(struct capture_file *), oldest_first);
	forget_gone(f);
	return true;
}

static void take_events(struct capture_folder *f)
{
	union {
		char bytes[16384];
		struct inotify_event aligned;
	} events;
	ssize_t n;

	while (f->watch_fd >= 0 && (n = read(f->watch_fd, events.bytes, sizeof(events))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(events.bytes + at);
			bool complete = (e->mask & (IN_MOVED_TO | IN_CLOSE_WRITE)) != 0;

			f->dirty = true;
			if (e->len > 0 && complete && f->n_complete < MAX_COMPLETE)
				f->complete[f->n_complete++] = xstrdup(e->name);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
}

static bool is_complete(const struct capture_folder *f, const struct capture_file *x,
			struct instant monotonic, struct instant wall)
{
	return x->complete || monotonic.ns - x->quiet_since.ns >= f->settle.ns ||
	       wall.ns - x->mtime >= f->settle.ns;
}

/* The oldest, once it or a younger one is complete: to be read out of order would make its packets
 * too late, and whoever rotates has left it behind. */
static struct capture_file *due(const struct capture_folder *f, struct instant monotonic,
				struct instant wall)
{
	struct capture_file *oldest = NULL;

	for (size_t i = 0; i < f->n; i++) {
		struct capture_file *x = f->files[i];

		if (x->name == NULL || x->done || !x->seen)
			continue;
		if (oldest == NULL)
			oldest = x;
		if (is_complete(f, x, monotonic, wall))
			return oldest;
	}
	return NULL;
}

/* One that was read under another name, plain or packed: what was handed out of it stays so. */
static void inherit(const struct capture_folder *f, struct capture_file *x, const char *bytes,
		    size_t n)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct capture_file *other = f->files[i];

		if (other == x || other->place.packets == 0 || !begins_like(other, bytes, n))
			continue;
		if (other->place.packets > x->place.packets ||
		    (other->place.packets == x->place.packets && other->place.end))
			x->place = other->place;
	}
}

static void begin(struct capture_folder *f, struct capture_file *x)
{
	char bytes[HEAD];
	size_t n;

	snprintf(f->current_path, sizeof(f->current_path), "%s/%s", f->dir, x->name);
	n = head_of(f->current_path, bytes);
	if (x->head_n > 0 && !begins_like(x, bytes, n))
		begin_anew(f, x);
	if (x->head_n == 0)
		inherit(f, x, bytes, n);
	f->stats.again += x->place.end;
	x->head_n = n;
	x->head = XXH3_64bits(bytes, n);
	f->current = x;
}

enum input_result capture_folder_next(struct capture_folder *f, struct instant monotonic,
				      struct instant wall, struct input_where *where,
				      struct capture_place *place, struct error *err)
{
	struct capture_file *x;

	take_events(f);
	if ((!f->scanned || f->dirty || monotonic.ns < f->last_scan.ns ||
	     monotonic.ns - f->last_scan.ns >= f->poll.ns) &&
	    !look(f, monotonic, err))
		return INPUT_ERROR;
	x = due(f, monotonic, wall);
	if (x == NULL)
		return INPUT_NOTHING_YET;
	begin(f, x);
	*where = (struct input_where){ .path = sv_cstr(f->current_path),
				       .file = x->number,
				       .first = true };
	*place = x->place;
	return INPUT_RECORD;
}

void capture_folder_at(struct capture_folder *f, struct capture_place place)
{
	f->current->place = place;
}

void capture_folder_finish(struct capture_folder *f)
{
	f->current->done = true;
	f->current = NULL;
	f->stats.files++;
}
