#include "read/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "read/position.h"
#include "read/spool_internal.h"

/* Written at the latest when so much waits, synced or not. */
#define PENDING_MAX (4u * 1024u * 1024u)
/* After the disk was full it is asked again at most so often. */
#define ASK_AGAIN (100 * NS_PER_MS)
#define USUAL_RECORD 1024
#define MAX_KEY 256

struct spool_segment *spool_list_add(struct spool_list *list, const struct spool_segment *segment)
{
	if (list->n == list->capacity) {
		list->capacity = list->capacity < 8 ? 16 : list->capacity * 2;
		list->items = xrealloc(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->n] = *segment;
	return &list->items[list->n++];
}

void spool_add_key(struct spool *s, XXH128_hash_t key) { s->keys[s->n_keys++ % SPOOL_KEYS] = key; }

static bool known(const struct spool *s, XXH128_hash_t key)
{
	size_t n = s->n_keys < SPOOL_KEYS ? s->n_keys : SPOOL_KEYS;

	for (size_t i = 0; i < n; i++)
		if (XXH128_isEqual(s->keys[i], key))
			return true;
	return false;
}

bool spool_write_at(int fd, const char *bytes, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, bytes, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return true;
}

static bool sync_file(int fd)
{
	int rc;

	do {
		rc = fdatasync(fd);
	} while (rc != 0 && errno == EINTR);
	return rc == 0;
}

/* After a failed sync nobody knows what is on the disk: only opening anew finds out. */
static void fail(struct spool *s, const char *what, int why)
{
	s->failed = true;
	error_set(&s->failure, ERROR_IO, 0,
		  "%s: the spool cannot be %s: %s; make room: nothing more is accepted until the "
		  "disk is well and the spool is opened again",
		  s->dir, what, strerror(why));
}

static void wait_idle(struct spool *s)
{
	while (s->busy)
		pthread_cond_wait(&s->idle, &s->lock);
}

static void end_busy(struct spool *s)
{
	s->busy = false;
	pthread_cond_broadcast(&s->idle);
}

/* Writes and syncs what is pending. Called and returns with the lock, not busy; lets go of it in
 * between. */
static bool flush(struct spool *s)
{
	struct buf taken = s->pending;
	uint64_t ticket = s->taken, records = s->records, one = 1, at = s->written;
	const char *what = "written";
	bool ok = true;
	int why = 0;

	if (taken.n == 0)
		return !s->failed;
	s->busy = true;
	s->pending = s->flushing;
	pthread_mutex_unlock(&s->lock);
	fault_point("spool.write");
	ok = spool_write_at(s->fd, taken.p, taken.n, at);
	fault_point("spool.written");
	if (ok) {
		what = "synced";
		ok = sync_file(s->fd);
	}
	fault_point("spool.synced");
	why = errno;
	pthread_mutex_lock(&s->lock);
	if (ok) {
		s->written += taken.n;
		s->synced = ticket;
		s->synced_records = records;
		s->counted.syncs++;
		/* Where the counter is full it is readable, which is the point. */
		(void)!write(s->event_fd, &one, sizeof(one));
	} else {
		fail(s, what, why);
	}
	buf_reset(&taken);
	s->flushing = taken;
	end_busy(s);
	return ok;
}

/* A new segment's file, allocated, with header and keys. SPOOL_FULL when the disk is. */
static enum spool_result make_segment(struct spool *s, struct spool_segment *segment,
				      const struct buf *head, int *fd, int *why)
{
	char name[SPOOL_NAME_SIZE];

	spool_segment_name(segment->number, name);
	*fd = openat(s->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd < 0) {
		*why = errno;
		return *why == ENOSPC || *why == EDQUOT ? SPOOL_FULL : SPOOL_ERROR;
	}
	do {
		*why = posix_fallocate(*fd, 0, (off_t)segment->capacity);
	} while (*why == EINTR);
	if (*why == 0 && spool_write_at(*fd, head->p, head->n, 0) && fsync(*fd) == 0 &&
	    fsync(s->dir_fd) == 0)
		return SPOOL_DONE;
	if (*why == 0)
		*why = errno;
	unlinkat(s->dir_fd, name, 0);
	close(*fd);
	*fd = -1;
	return *why == ENOSPC || *why == EDQUOT || *why == EFBIG ? SPOOL_FULL : SPOOL_ERROR;
}

/* What a new segment begins with. */
static void write_head(const struct spool *s, const struct spool_segment *segment,
		       struct instant arrival, struct buf *out)
{
	unsigned char header[SPOOL_HEADER];
	size_t first = s->n_keys > SPOOL_KEYS ? s->n_keys - SPOOL_KEYS : 0;

	spool_header_write(segment, header);
	buf_append(out, header, sizeof(header));
	for (size_t i = first; i < s->n_keys; i++) {
		struct sv key = { (const char *)&s->keys[i % SPOOL_KEYS], sizeof(s->keys[0]) };
		spool_entry_write(out, segment->id, out->n, SPOOL_KEY, 0, arrival, key);
	}
}

/* Begins a segment with room for `need` bytes behind its head. With the lock, not busy, nothing
 * pending; lets go of it in between. */
static enum spool_result begin_segment(struct spool *s, size_t need, struct instant arrival)
{
	struct spool_segment *last =
	    s->segments.n > 0 ? &s->segments.items[s->segments.n - 1] : NULL;
	struct spool_segment next = { .number = last != NULL ? last->number + 1 : 1,
				      .first = s->records + 1,
				      .capacity = s->segment_size };
	struct buf head;
	enum spool_result result;
	int fd = -1, why = 0;

	if (instant_known(s->refused) && arrival.ns - s->refused.ns < ASK_AGAIN &&
	    s->refused.ns - arrival.ns < ASK_AGAIN)
		return SPOOL_FULL;
	while (getrandom(&next.id, sizeof(next.id), 0) != sizeof(next.id))
		continue; /* interrupted before the system had any */
	buf_init(&head, SPOOL_HEADER + SPOOL_KEYS * 2 * SPOOL_ENTRY);
	write_head(s, &next, arrival, &head);
	if (next.capacity < head.n + need)
		next.capacity = (head.n + need + 4095) & ~UINT64_C(4095);
	if (s->size + next.capacity > s->max_size) {
		buf_free(&head);
		return SPOOL_FULL;
	}
	s->busy = true;
	pthread_mutex_unlock(&s->lock);
	result = make_segment(s, &next, &head, &fd, &why);
	pthread_mutex_lock(&s->lock);
	s->refused = result == SPOOL_FULL ? arrival : INSTANT_NONE;
	if (result == SPOOL_ERROR)
		fail(s, "extended", why);
	if (result == SPOOL_DONE) {
		if (s->fd >= 0)
			close(s->fd);
		s->fd = fd;
		s->size += next.capacity;
		s->end = s->written = head.n;
		spool_list_add(&s->segments, &next);
	}
	buf_free(&head);
	end_busy(s);
	return result;
}

static bool room(const struct spool *s, size_t need)
{
	return s->fd >= 0 && s->end + need <= s->segments.items[s->segments.n - 1].capacity;
}

/* With the lock: until `need` bytes fit into the last segment and the memory, or there is a reason
 * why not. */
static enum spool_result make_room(struct spool *s, size_t need, struct instant arrival)
{
	for (;;) {
		enum spool_result result;

		if (s->failed)
			return SPOOL_ERROR;
		if (room(s, need) && (s->pending.n == 0 || s->pending.n + need <= PENDING_MAX))
			return SPOOL_DONE;
		if (s->busy) {
			wait_idle(s);
		} else if (s->pending.n > 0) {
			flush(s);
		} else {
			result = begin_segment(s, need, arrival);
			if (result != SPOOL_DONE)
				return result;
		}
	}
}

static void take(struct spool *s, enum spool_kind kind, unsigned flags, struct instant arrival,
		 struct sv payload)
{
	uint64_t id = s->segments.items[s->segments.n - 1].id;

	spool_entry_write(&s->pending, id, s->end, kind, flags, arrival, payload);
	s->end += spool_entry_size(payload.n);
}

enum spool_result spool_append_batch(struct spool *s, const struct sv *records, size_t n,
				     struct sv key, struct instant arrival, uint64_t *ticket,
				     struct error *err)
{
	XXH128_hash_t hash =
	    XXH3_128bits(key.n > 0 ? key.p : "", key.n < MAX_KEY ? key.n : MAX_KEY);
	struct sv hash_view = { (const char *)&hash, sizeof(hash) };
	size_t need = key.n > 0 ? spool_entry_size(hash_view.n) : 0;
	enum spool_result result = SPOOL_DONE;

	for (size_t i = 0; i < n; i++) {
		if (records[i].n > s->max_record || need > s->max_size / 2)
			result = SPOOL_TOO_LONG;
		else
			need += spool_entry_size(records[i].n);
	}
	if (need > s->max_size / 2)
		result = SPOOL_TOO_LONG;
	pthread_mutex_lock(&s->lock);
	if (result == SPOOL_DONE && key.n > 0 && known(s, hash))
		result = SPOOL_KNOWN;
	if (result == SPOOL_DONE)
		result = make_room(s, need, arrival);
	/* While that waited, the same key may have come by another way. */
	if (result == SPOOL_DONE && key.n > 0 && known(s, hash))
		result = SPOOL_KNOWN;
	if (result == SPOOL_DONE) {
		if (key.n > 0) {
			take(s, SPOOL_KEY, n > 0 ? SPOOL_MORE : 0, arrival, hash_view);
			spool_add_key(s, hash);
		}
		for (size_t i = 0; i < n; i++)
			take(s, SPOOL_RECORD, i + 1 < n ? SPOOL_MORE : 0, arrival, records[i]);
		s->records += n;
		s->counted.appended += n;
		s->taken += need > 0;
	}
	s->counted.known += result == SPOOL_KNOWN;
	s->counted.refused_full += result == SPOOL_FULL ? n : 0;
	s->counted.refused_long += result == SPOOL_TOO_LONG ? n : 0;
	if (result == SPOOL_ERROR)
		*err = s->failure;
	if (ticket != NULL)
		*ticket = s->taken;
	pthread_mutex_unlock(&s->lock);
	return result;
}

enum spool_result spool_append(struct spool *s, struct sv record, struct instant arrival,
			       uint64_t *ticket, struct error *err)
{
	return spool_append_batch(s, &record, 1, SV_NONE, arrival, ticket, err);
}

bool spool_sync(struct spool *s, uint64_t ticket, struct error *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	if (ticket > s->taken)
		ticket = s->taken;
	while (s->synced < ticket && !s->failed) {
		if (s->busy)
			wait_idle(s);
		else
			flush(s);
	}
	ok = s->synced >= ticket;
	if (!ok)
		*err = s->failure;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool spool_full(struct spool *s, struct instant now)
{
	bool full;

	pthread_mutex_lock(&s->lock);
	full = make_room(s, spool_entry_size(USUAL_RECORD), now) == SPOOL_FULL;
	pthread_mutex_unlock(&s->lock);
	return full;
}

int spool_fd(const struct spool *s) { return s->event_fd; }

void spool_stats(struct spool *s, struct spool_stats *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->counted;
	out->segments = s->segments.n;
	out->size = s->size;
	out->max_size = s->max_size;
	out->waiting = s->synced_records > s->read_record ? s->synced_records - s->read_record : 0;
	pthread_mutex_unlock(&s->lock);
}

bool spool_trim(struct spool *s, struct sv position, struct error *err)
{
	struct position_cursor c = { position, false };
	uint64_t number;
	size_t gone = 0;
	bool ok = true;

	position_need(&c, "{\"segment\":");
	number = position_number(&c);
	if (c.failed)
		return position_done(&c, "spool", err);
	pthread_mutex_lock(&s->lock);
	while (gone + 1 < s->segments.n && s->segments.items[gone].number < number) {
		char name[SPOOL_NAME_SIZE];
		spool_segment_name(s->segments.items[gone].number, name);
		if (unlinkat(s->dir_fd, name, 0) != 0 && errno != ENOENT) {
			ok = error_set(err, ERROR_IO, 0, "%s/%s: cannot be removed: %s", s->dir,
				       name, strerror(errno));
			break;
		}
		s->size -= s->segments.items[gone++].capacity;
	}
	if (gone > 0) {
		s->segments.n -= gone;
		memmove(s->segments.items, s->segments.items + gone,
			s->segments.n * sizeof(*s->segments.items));
		s->refused = INSTANT_NONE;
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}
