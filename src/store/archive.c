#include "store/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/segment.h"

#define MAX_PATH 4096
/* While segments are copied a daemon may remove the oldest: then the copy begins anew. */
#define TRIES 5

struct paths {
	char database[MAX_PATH], journal[MAX_PATH];
};

static bool paths_of(struct paths *p, const char *state, struct error *err)
{
	int a = snprintf(p->database, sizeof(p->database), "%s/pinwatch.db", state);
	int b = snprintf(p->journal, sizeof(p->journal), "%s/journal", state);

	return (a < MAX_PATH && b < MAX_PATH) ||
	       error_set(err, ERROR_USAGE, 0,
			 "%.200s: the path is longer than any file's; name another", state);
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	bool empty = true;

	if (d == NULL)
		return errno == ENOENT;
	while ((e = readdir(d)) != NULL)
		empty = empty && e->d_name[0] == '.';
	closedir(d);
	return empty;
}

bool archive_check(const char *state, void (*complain)(void *arg, const char *what), void *arg,
		   struct error *err)
{
	struct store_checkpoint newest;
	struct journal_position good;
	struct paths p;
	struct store *s;
	bool ok;

	if (!paths_of(&p, state, err))
		return false;
	s = store_open(p.database, true, err);
	if (s == NULL)
		return false;
	ok = store_check(s, complain, arg, err);
	if (ok && store_checkpoints(s, &newest, 1) == 1) {
		switch (journal_verify(p.journal, newest.journal, &good, err)) {
		case JOURNAL_OK:
			break;
		case JOURNAL_DAMAGED:
			complain(arg, err->message);
			break;
		case JOURNAL_FAILED:
			ok = false;
		}
	}
	store_close(s);
	return ok;
}

static bool copy_bytes(int in, int out, uint64_t n)
{
	char chunk[65536];

	while (n > 0) {
		ssize_t got = read(in, chunk, n < sizeof(chunk) ? (size_t)n : sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		for (ssize_t at = 0; at < got;) {
			ssize_t wrote = write(out, chunk + at, (size_t)(got - at));

			if (wrote < 0 && errno == EINTR)
				continue;
			if (wrote <= 0)
				return false;
			at += wrote;
		}
		n -= (uint64_t)got;
	}
	return true;
}

/* length UINT64_MAX: all of it. *gone: it is not there any more. */
static bool copy_segment(const char *from, const char *to, uint64_t number, uint64_t length,
			 bool *gone, struct error *err)
{
	struct buf a, b;
	struct stat st;
	bool ok = false;
	int in, out;

	buf_init(&a, 65536);
	buf_init(&b, 65536);
	segment_path(&a, from, number);
	segment_path(&b, to, number);
	in = open(a.p, O_RDONLY | O_CLOEXEC);
	*gone = in < 0 && errno == ENOENT;
	if (in < 0) {
		error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", a.p, strerror(errno));
	} else if (fstat(in, &st) == 0 &&
		   (out = open(b.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)) >= 0) {
		if (length == UINT64_MAX)
			length = (uint64_t)st.st_size;
		ok = copy_bytes(in, out, length) && fsync(out) == 0;
		close(out);
	}
	if (in >= 0 && !ok)
		error_set(err, ERROR_IO, 0, "%s: cannot be copied: %s", b.p, strerror(errno));
	if (in >= 0)
		close(in);
	buf_free(&a);
	buf_free(&b);
	return ok;
}

static bool copy_journal(const char *from, const char *to, struct journal_position until,
			 bool *gone, struct error *err)
{
	uint64_t *numbers;
	size_t n;
	bool ok = journal_list(from, &numbers, &n, err);

	*gone = false;
	for (size_t i = 0; i < n && ok; i++)
		if (numbers[i] <= until.segment)
			ok = copy_segment(from, to, numbers[i],
					  numbers[i] == until.segment ? until.offset : UINT64_MAX,
					  gone, err);
	free(numbers);
	return ok;
}

/* One try: the database first, since the journal only grows. */
static bool copy_state(const struct paths *from, const struct paths *to, bool *gone,
		       struct error *err)
{
	struct store_checkpoint newest = { .journal = { 0, 0 } };
	struct store *s = store_open(from->database, true, err);
	bool ok = s != NULL && store_copy(s, to->database, err);

	store_close(s);
	*gone = false;
	if (!ok || (s = store_open(to->database, true, err)) == NULL)
		return false;
	store_checkpoints(s, &newest, 1);
	store_close(s);
	return copy_journal(from->journal, to->journal, newest.journal, gone, err);
}

bool archive_export(const char *state, const char *to, struct error *err)
{
	struct paths a, b;
	bool gone = false, ok = false;

	if (!paths_of(&a, state, err) || !paths_of(&b, to, err))
		return false;
	if (!is_empty(to))
		return error_set(err, ERROR_USAGE, 0,
				 "%s: is not empty; name a folder that is, or a new one", to);
	if ((mkdir(to, 0750) != 0 && errno != EEXIST) || mkdir(b.journal, 0750) != 0)
		return error_set(err, ERROR_IO, 0, "%s: cannot be made: %s", to, strerror(errno));
	for (int i = 0; i < TRIES && !ok && (i == 0 || gone); i++)
		ok = copy_state(&a, &b, &gone, err);
	return ok;
}

struct complaint {
	bool any;
	char first[512];
};

static void note(void *arg, const char *what)
{
	struct complaint *c = arg;

	if (!c->any)
		snprintf(c->first, sizeof(c->first), "%s", what);
	c->any = true;
}

bool archive_restore(const char *from, const char *state, struct error *err)
{
	struct complaint complaint = { 0 };

	if (!archive_check(from, note, &complaint, err))
		return false;
	if (complaint.any)
		return error_set(err, ERROR_FORMAT, 0, "%s: is damaged: %s; take another copy",
				 from, complaint.first);
	return archive_export(from, state, err);
}
