#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "read/tail_internal.h"

static void set_path(struct tail_file *f, const char *path)
{
	size_t n = strlen(path) + 1;

	f->path = xrealloc(f->path, n, 1);
	memcpy(f->path, path, n);
}

static struct tail_candidate *candidate_of(struct tail *t, const struct tail_file *f)
{
	struct tail_candidate key = { .dev = f->dev, .ino = f->ino };

	return t->n_candidates == 0 ? NULL
				    : bsearch(&key, t->candidates, t->n_candidates, sizeof(key),
					      tail_candidate_order);
}

/* The file is what the candidate is from now on; how far it was read stays. */
static void become(struct tail_file *f, struct tail_candidate *c)
{
	set_path(f, c->path);
	tail_file_identify(f, c);
	f->missing = false;
	f->seen = f->checked = true;
	f->look = true;
	f->done = f->told = f->ignored = false;
	c->taken = true;
}

/* Nobody writes to a rotated file. One that has grown all the same may be a copy of another, made
 * under an inode that was free again. */
static bool is_rather_of_another(const struct tail *t, const struct tail_file *f,
				 const struct tail_candidate *c)
{
	if (c->name == TAIL_NAME_LIVE || c->size == f->size)
		return false;
	for (size_t i = 0; i < t->n_files; i++) {
		const struct tail_file *other = t->files[i];
		if (other != f && other->offset > f->offset &&
		    (tail_match(other, c) || tail_match_copy(other, c)))
			return true;
	}
	return false;
}

/* Inodes are used again soon after a file is removed, so the same number need not be the same file.
 * A file that is written to under its name and holds something else than before was truncated. */
static bool is_another(const struct tail *t, struct tail_file *f, const struct tail_candidate *c)
{
	if (f->born != 0 && c->born != 0 && f->born != c->born)
		return true;
	if (f->packed || c->packed)
		return f->packed != c->packed || f->size != c->size || f->mtime != c->mtime;
	if (f->offset == 0)
		return !tail_file_is_open(f) && strcmp(f->path, c->path) != 0;
	if (tail_file_is_open(f))
		return false; /* as long as it is open its number is not used again */
	return c->name != TAIL_NAME_LIVE &&
	       (!tail_file_check_at(f, c->path) || is_rather_of_another(t, f, c));
}

/* A file that is on disk under some name: what is new about it? */
static void see(struct tail *t, struct tail_file *f, struct tail_candidate *c, struct instant now)
{
	bool same = f->checked && f->size == c->size && f->mtime == c->mtime;

	if (!same && is_another(t, f, c))
		return;
	f->seen = true;
	f->missing = false;
	f->copy = f->copy && c->name != TAIL_NAME_LIVE;
	c->taken = true;
	if (strcmp(f->path, c->path) != 0) {
		t->stats.rotated++;
		set_path(f, c->path);
		f->age = c->number;
		f->live = c->name == TAIL_NAME_LIVE;
	}
	if (!same || !instant_known(f->quiet_since))
		f->quiet_since = now;
	if (!same) {
		f->changed = !f->packed && !tail_file_check(f);
		f->size_before = f->size;
		f->size = c->size;
		f->mtime = c->mtime;
		f->checked = true;
		f->done = f->done && (f->packed || f->size <= f->offset);
	}
	/* Also when nothing has changed: an unfinished line may be due by now, and a file may have
	 * been renamed just when it was to be opened. */
	if (f->packed)
		f->look = !f->done && !f->told;
	else if (!f->done && !f->told)
		f->look = f->size > f->offset - f->start + f->end || f->end > f->start;
	else
		f->look = false;
}

static void forget(struct tail *t, size_t i)
{
	if (t->current == t->files[i])
		t->current = NULL;
	tail_file_free(t->files[i]);
	memmove(&t->files[i], &t->files[i + 1], (t->n_files - i - 1) * sizeof(struct tail_file *));
	t->n_files--;
}

/* Begins with the same file anew. */
static void restart(struct tail *t, struct tail_file *f)
{
	f->end = f->start = 0;
	free(f->p);
	f->p = NULL; /* nothing to note */
	tail_file_close(f);
	f->offset = f->line = 0;
	f->head_n = f->last_n = 0;
	f->skip = SKIP_NONE;
	f->number = ++t->next_number;
	f->framing = t->options.framing;
	f->announced = f->resumed = f->changed = f->copy = f->done = f->ignored = false;
	f->first = f->look = f->checked = true;
}

/* rest goes on where f is. */
static void continue_from(struct tail_file *rest, const struct tail_file *f)
{
	rest->number = f->number;
	rest->offset = f->offset;
	rest->line = f->line;
	rest->skip = f->skip;
	rest->framing = f->framing;
	rest->announced = f->announced;
	rest->first = f->first;
}

/* A second entry for the rest of what f held before it was truncated. */
static struct tail_file *split(struct tail *t, struct tail_file *f, struct tail_candidate *c)
{
	struct tail_file *rest = tail_file_new(t, c);

	tail_file_note(f);
	continue_from(rest, f);
	rest->resumed = f->resumed;
	rest->head_n = f->head_n;
	rest->last_n = f->last_n;
	rest->head_hash = f->head_hash;
	rest->last_hash = f->last_hash;
	rest->copy = true;
	become(rest, c);
	return rest;
}

/* No copy of it is to be found: what is in memory is all there is of it. before: its size when it
 * was last seen whole. */
static void keep_rest(struct tail *t, struct tail_file *f, uint64_t before)
{
	struct tail_file *rest;
	struct error err;

	/* Closed and read to its end: rather another file that got the same inode. */
	if (!tail_file_is_open(f) && f->offset >= before)
		return;
	t->stats.lost++;
	error_set(
	    &err, ERROR_IO, (size_t)f->line,
	    "%s: was truncated behind line %llu, and no copy of what it held is beside it: lines "
	    "written to it between the last look and then are lost; rotate by renaming, or "
	    "keep the copy under the same name with a number",
	    f->path, (unsigned long long)f->line);
	tail_say(t, &err);
	if (f->end == f->start)
		return;
	rest = tail_file_new(t, NULL);
	set_path(rest, f->path);
	continue_from(rest, f);
	rest->p = f->p;
	rest->start = f->start;
	rest->end = f->end;
	rest->capacity = f->capacity;
	rest->head = f->head;
	rest->head_have = f->head_have;
	rest->copy = rest->seen = rest->checked = rest->look = rest->at_end = rest->packed = true;
	f->p = f->head = NULL;
}

/* Is the unknown candidate a copy of something known that still is what it was? */
static bool is_copy(const struct tail *t, const struct tail_candidate *c)
{
	/* The one file that was asked for is never taken for a copy of another. */
	if (c->name == TAIL_NAME_LIVE && strpbrk(t->pattern, "*?[") == NULL)
		return false;
	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i]->seen && !t->files[i]->changed && t->files[i]->ino != 0 &&
		    tail_match_copy(t->files[i], c))
			return true;
	return false;
}

/* A heading that many files share may be all that has been read of f: then a copy of another file
 * is not its continuation. */
static bool continues(const struct tail *t, const struct tail_file *f,
		      const struct tail_candidate *c)
{
	return !c->taken && (tail_match(f, c) || tail_match_unread(f, c)) && !is_copy(t, c);
}

static void was_truncated(struct tail *t, struct tail_file *f)
{
	struct tail_candidate *shorter = NULL;
	bool found = false;

	t->stats.truncated++;
	if (f->offset == 0) { /* a copy, if there is one, is a new file to us */
		restart(t, f);
		return;
	}
	tail_file_note(f);
	for (size_t i = 0; i < t->n_candidates && !found; i++) {
		struct tail_candidate *c = &t->candidates[i];
		if (continues(t, f, c)) {
			split(t, f, c);
			found = true;
		} else if (shorter == NULL && !c->taken && tail_match_shorter(f, c)) {
			shorter = c;
		}
	}
	if (!found && shorter != NULL) {
		/* Made before the last lines were written that we have read: nothing in it is
		 * new. */
		struct tail_file *rest = tail_file_new(t, shorter);
		rest->done = rest->seen = rest->checked = rest->copy = true;
		rest->offset = shorter->size;
		tail_file_learn(rest);
		shorter->taken = found = true;
	}
	if (found)
		t->stats.continued++;
	else
		keep_rest(t, f, f->size_before);
	restart(t, f);
}

/* A known file is nowhere on disk any more. True where it is to be forgotten. */
static bool is_missing(struct tail *t, struct tail_file *f, struct instant now)
{
	if (!f->missing) {
		f->missing = true;
		f->missing_since = now;
	}
	tail_file_note(f);
	for (size_t i = 0; i < t->n_candidates; i++) {
		struct tail_candidate *c = &t->candidates[i];
		if (!continues(t, f, c))
			continue;
		t->stats.continued++;
		tail_file_close(f);
		become(f, c);
		f->copy = !f->live;
		return false;
	}
	if (f->offset == 0 && f->fd < 0)
		return true;
	if (now.ns - f->missing_since.ns < t->options.settle.ns) {
		f->look = tail_file_is_open(f); /* else its name may be another's by now */
		return false;
	}
	if (tail_file_is_open(f) && !f->done) { /* removed, but open: it is read to its end */
		f->copy = f->look = true;
		return false;
	}
	if (!f->done && !f->ignored && !f->packed && f->size > f->offset) {
		struct error err;
		t->stats.lost++;
		error_set(&err, ERROR_IO, (size_t)f->line,
			  "%s: is gone, %llu bytes of it not yet read, and no packed form of it is "
			  "beside it: they are missing; leave rotated files longer",
			  f->path, (unsigned long long)(f->size - f->offset));
		tail_say(t, &err);
	}
	return true;
}

/* A packed file that is still being written is left alone, for as long as it grows. */
static bool is_whole(struct tail *t, const struct tail_candidate *c, struct instant now)
{
	struct tail_unfinished *u;

	if (tail_match_whole(c))
		return true;
	for (size_t i = 0; i < t->n_unfinished; i++) {
		u = &t->unfinished[i];
		if (u->dev != c->dev || u->ino != c->ino)
			continue;
		if (u->size == c->size)
			return now.ns - u->since.ns >= t->options.settle.ns;
		u->size = c->size;
		u->since = now;
		return false;
	}
	u = &t->unfinished[t->n_unfinished < TAIL_MAX_UNFINISHED ? t->n_unfinished++ : 0];
	*u = (struct tail_unfinished){ c->dev, c->ino, c->size, now };
	return false;
}

/* True where a file that the look at the folders found is not there any more under its name, or was
 * truncated: what was compared by name since may have been another's. */
static bool has_moved(const struct tail *t)
{
	struct stat st;

	for (size_t i = 0; i < t->n_files; i++) {
		const struct tail_file *f = t->files[i];
		if (f->seen && f->ino != 0 &&
		    (stat(f->path, &st) != 0 || (uint64_t)st.st_dev != f->dev ||
		     (uint64_t)st.st_ino != f->ino ||
		     (!f->packed && (uint64_t)st.st_size < f->offset)))
			return true;
	}
	return false;
}

static void begin(struct tail *t, struct tail_candidate *c, struct instant now)
{
	struct tail_file *f;
	bool skip = t->fresh && (c->name == TAIL_NAME_SIBLING || t->options.from_end);

	/* An empty one has nothing to read, and says nothing about whose copy it may become. */
	if (c->size == 0)
		return;
	if (t->n_files >= TAIL_MAX_FILES) {
		t->stats.refused++;
		return;
	}
	if (!t->fresh && is_copy(t, c))
		return;
	if (!skip && c->packed && !is_whole(t, c, now))
		return;
	if (!t->fresh && has_moved(t)) {
		t->dirty = true; /* another look tells */
		return;
	}
	c->taken = true;
	f = tail_file_new(t, c);
	f->seen = f->checked = true;
	f->look = !skip;
	if (!skip)
		return;
	f->ignored = f->done = f->packed || !f->live;
	if (f->packed)
		return;
	/* Known again when it is renamed or packed; what is appended to a live one is read. */
	f->offset = f->size;
	f->checked = false;
	tail_file_learn(f);
}

static int older_first(const void *a, const void *b)
{
	const struct tail_file *x = *(struct tail_file *const *)a,
			       *y = *(struct tail_file *const *)b;

	if (x->live != y->live)
		return x->live ? 1 : -1;
	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	if (x->age != y->age)
		return x->age > y->age ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Whoever was read furthest is told from others best. */
static int furthest_first(const void *a, const void *b)
{
	const struct tail_file *x = *(struct tail_file *const *)a,
			       *y = *(struct tail_file *const *)b;

	return (x->offset < y->offset) - (x->offset > y->offset);
}

static void count(struct tail *t)
{
	t->stats.files = t->n_files;
	t->stats.behind = 0;
	for (size_t i = 0; i < t->n_files; i++) {
		const struct tail_file *f = t->files[i];
		if (!f->packed && !f->done && f->size > f->offset)
			t->stats.behind += f->size - f->offset;
	}
}

void tail_scan(struct tail *t, struct instant now)
{
	t->dirty = false;
	t->scanned = true;
	t->last_scan = now;
	tail_list(t);
	for (size_t i = 0; i < t->n_files; i++) {
		struct tail_file *f = t->files[i];
		struct tail_candidate *c = f->ino != 0 ? candidate_of(t, f) : NULL;
		f->seen = f->ino == 0; /* what is only in memory */
		if (c != NULL)
			see(t, f, c, now);
	}
	if (t->n_files > 1)
		qsort(t->files, t->n_files, sizeof(struct tail_file *), furthest_first);
	for (size_t i = 0; i < t->n_files;) {
		struct tail_file *f = t->files[i];
		if (f->ino == 0 && f->done) {
			forget(t, i);
			continue;
		}
		if (f->changed && f->seen)
			was_truncated(t, f);
		f = t->files[i];
		if (!f->seen && is_missing(t, f, now))
			forget(t, i);
		else
			i++;
	}
	for (size_t i = 0; i < t->n_candidates; i++)
		if (!t->candidates[i].taken && !t->candidates[i].packed)
			begin(t, &t->candidates[i], now);
	for (size_t i = 0; i < t->n_candidates; i++)
		if (!t->candidates[i].taken && t->candidates[i].packed)
			begin(t, &t->candidates[i], now);
	t->fresh = false;
	t->current = NULL; /* what is older than it may have come up */
	if (t->n_files > 1)
		qsort(t->files, t->n_files, sizeof(struct tail_file *), older_first);
	count(t);
}
