#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/arena.h"
#include "read/tail_internal.h"

#define MAX_PATH 4096
#define EVENTS                                                                                     \
	(IN_CREATE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE |        \
	 IN_ATTRIB | IN_ONLYDIR)

static int64_t nanoseconds(const struct statx_timestamp *t)
{
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

static void add(struct tail *t, const char *folder, const char *name, int dir)
{
	struct tail_candidate c = { 0 };
	char path[MAX_PATH];
	struct statx st;
	int n;

	c.name = tail_name_is(name, t->pattern, &c.number);
	if (c.name == TAIL_NAME_OTHER)
		return;
	if (statx(dir, name, 0, STATX_BASIC_STATS | STATX_BTIME, &st) != 0 || !S_ISREG(st.stx_mode))
		return; /* gone since, or a pipe or folder that happens to be called so */
	n = snprintf(path, sizeof(path), "%s%s%s", folder,
		     folder[0] != '\0' && folder[strlen(folder) - 1] != '/' ? "/" : "", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	c.dev = (uint64_t)makedev(st.stx_dev_major, st.stx_dev_minor);
	c.ino = st.stx_ino;
	c.size = st.stx_size;
	c.mtime = nanoseconds(&st.stx_mtime);
	if ((st.stx_mask & STATX_BTIME) != 0)
		c.born = (uint64_t)nanoseconds(&st.stx_btime);
	c.packed = tail_name_packed(name);
	if (t->n_candidates == t->candidates_capacity) {
		t->candidates_capacity =
		    t->candidates_capacity == 0 ? 32 : t->candidates_capacity * 2;
		t->candidates =
		    xrealloc(t->candidates, t->candidates_capacity, sizeof(*t->candidates));
	}
	c.path = memcpy(xmalloc((size_t)n + 1), path, (size_t)n + 1);
	t->candidates[t->n_candidates++] = c;
}

static void list_folder(struct tail *t, const char *folder)
{
	DIR *d = opendir(folder[0] != '\0' ? folder : ".");
	struct dirent *e;

	if (d == NULL) {
		struct error err;
		if (errno == ENOENT || errno == ENOTDIR)
			return; /* may come yet */
		error_set(&err, ERROR_IO, 0, "%s: cannot be looked at: %s", folder,
			  strerror(errno));
		t->stats.refused++;
		tail_say(t, &err);
		return;
	}
	if (t->watch_fd >= 0) /* again is no harm, and the folder may be a new one */
		inotify_add_watch(t->watch_fd, folder[0] != '\0' ? folder : ".", EVENTS);
	while ((e = readdir(d)) != NULL)
		add(t, folder, e->d_name, dirfd(d));
	closedir(d);
}

int tail_candidate_order(const void *a, const void *b)
{
	const struct tail_candidate *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

/* Of several names of one file the one that it is written to under. */
static void drop_links(struct tail *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_candidates; i++) {
		struct tail_candidate *c = &t->candidates[i];
		struct tail_candidate *last = kept > 0 ? &t->candidates[kept - 1] : NULL;
		if (last == NULL || tail_candidate_order(last, c) != 0) {
			t->candidates[kept++] = *c;
			continue;
		}
		if (c->name == TAIL_NAME_LIVE) {
			free(last->path);
			*last = *c;
		} else {
			free(c->path);
		}
	}
	t->n_candidates = kept;
}

/* Packers remove the plain file once the packed one is whole: until then only the plain one
 * counts. */
static bool has_plain_twin(const struct tail *t, const struct tail_candidate *c)
{
	for (size_t i = 0; i < t->n_candidates; i++) {
		const struct tail_candidate *twin = &t->candidates[i];
		size_t n = strlen(twin->path);
		if (!twin->packed && twin->name == TAIL_NAME_SIBLING &&
		    strncmp(twin->path, c->path, n) == 0 &&
		    (strcmp(c->path + n, ".gz") == 0 || strcmp(c->path + n, ".zst") == 0))
			return true;
	}
	return false;
}

static void drop_unfinished(struct tail *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_candidates; i++)
		t->candidates[i].taken =
		    t->candidates[i].packed && has_plain_twin(t, &t->candidates[i]);
	for (size_t i = 0; i < t->n_candidates; i++) {
		if (t->candidates[i].taken)
			free(t->candidates[i].path);
		else
			t->candidates[kept++] = t->candidates[i];
	}
	t->n_candidates = kept;
}

void tail_list(struct tail *t)
{
	glob_t found = { 0 };

	for (size_t i = 0; i < t->n_candidates; i++)
		free(t->candidates[i].path);
	t->n_candidates = 0;
	if (strpbrk(t->folder, "*?[") == NULL) {
		list_folder(t, t->folder);
	} else if (glob(t->folder, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			list_folder(t, found.gl_pathv[i]);
		globfree(&found);
	}
	if (t->n_candidates > 1)
		qsort(t->candidates, t->n_candidates, sizeof(*t->candidates), tail_candidate_order);
	drop_links(t);
	drop_unfinished(t);
}

void tail_watch_open(struct tail *t) { t->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void happened(struct tail *t, const struct inotify_event *e)
{
	uint64_t number;
	bool known = false;

	if (e->len == 0 || (e->mask & IN_Q_OVERFLOW) != 0) {
		t->dirty = true;
		return;
	}
	if ((e->mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0) {
		for (size_t i = 0; i < t->n_files; i++) {
			struct tail_file *f = t->files[i];
			if (f->packed || strcmp(name_of(f->path), e->name) != 0)
				continue;
			f->look = known = true;
		}
	}
	if (!known && tail_name_is(e->name, t->pattern, &number) != TAIL_NAME_OTHER)
		t->dirty = true;
}

void tail_watch_take(struct tail *t)
{
	union {
		char bytes[16384];
		struct inotify_event aligned;
	} events;
	ssize_t n;

	while (t->watch_fd >= 0 && (n = read(t->watch_fd, events.bytes, sizeof(events))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(events.bytes + at);
			happened(t, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
}
