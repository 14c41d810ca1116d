#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "read/position.h"
#include "read/spool_internal.h"

#define BLOCK (256u * 1024u)

/* The buffer holds the bytes [at, at + n) of the segment; those before `used` are handed out. */
struct spool_reader {
	struct spool *spool;
	int fd;
	struct spool_segment segment; /* number 0: none yet */
	char name[SPOOL_NAME_SIZE];
	char *p;
	size_t capacity, n, used;
	uint64_t at;
	uint64_t record; /* number of the last one handed out */
	bool first;	 /* nothing of this segment handed out yet */
	bool lost;	 /* the position's segment was gone: to be said once */
};

static void use_segment(struct spool_reader *r, const struct spool_segment *segment, uint64_t at)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->segment = *segment;
	spool_segment_name(segment->number, r->name);
	r->at = at;
	r->n = r->used = 0;
	r->first = true;
}

/* The first segment numbered `from` or higher. With the lock. */
static const struct spool_segment *segment_from(const struct spool *s, uint64_t from)
{
	for (size_t i = 0; i < s->segments.n; i++)
		if (s->segments.items[i].number >= from)
			return &s->segments.items[i];
	return NULL;
}

static bool start_at(struct spool_reader *r, struct sv position, struct error *err)
{
	struct position_cursor c = { position, false };
	struct spool *s = r->spool;
	const struct spool_segment *found;
	uint64_t number, id, offset, record;

	position_need(&c, "{\"segment\":");
	number = position_number(&c);
	position_need(&c, ",\"id\":");
	id = position_hex(&c);
	position_need(&c, ",\"offset\":");
	offset = position_number(&c);
	position_need(&c, ",\"record\":");
	record = position_number(&c);
	position_need(&c, "}");
	if (!position_done(&c, "spool", err))
		return false;
	if (number == 0)
		return true;
	found = segment_from(s, number);
	if (found != NULL && found->number == number && found->id == id && offset >= SPOOL_HEADER &&
	    offset <= found->capacity && offset % 8 == 0) {
		use_segment(r, found, offset);
		r->record = record;
	} else {
		r->lost = true;
	}
	return true;
}

struct spool_reader *spool_reader_open(struct spool *s, struct sv position, struct error *err)
{
	struct spool_reader *r = xcalloc(1, sizeof(*r));
	bool ok = true;

	*r = (struct spool_reader){ .spool = s, .fd = -1 };
	pthread_mutex_lock(&s->lock);
	if (s->has_reader)
		ok = error_set(err, ERROR_USAGE, 0,
			       "%s: the spool has a reader already: only one may read it", s->dir);
	else if (position.n > 0)
		ok = start_at(r, position, err);
	if (ok) {
		uint64_t one = 1;
		s->has_reader = true;
		if (r->segment.number > 0)
			s->read_record = r->record;
		if (write(s->event_fd, &one, sizeof(one)) < 0)
			ok = true; /* readable already */
	}
	pthread_mutex_unlock(&s->lock);
	if (ok)
		return r;
	free(r);
	return NULL;
}

void spool_reader_close(struct spool_reader *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->spool->lock);
	r->spool->has_reader = false;
	pthread_mutex_unlock(&r->spool->lock);
	if (r->fd >= 0)
		close(r->fd);
	free(r->p);
	free(r);
}

/* How far the reader's segment may be read, and whether more will be written to it. */
static uint64_t limit(struct spool_reader *r, bool *last)
{
	struct spool *s = r->spool;
	uint64_t end = r->segment.capacity;

	pthread_mutex_lock(&s->lock);
	*last =
	    s->segments.n == 0 || s->segments.items[s->segments.n - 1].number <= r->segment.number;
	if (*last)
		end = s->written;
	pthread_mutex_unlock(&s->lock);
	return end;
}

/* On to the next segment; false where there is none. */
static bool next_segment(struct spool_reader *r)
{
	const struct spool_segment *next;

	pthread_mutex_lock(&r->spool->lock);
	next = segment_from(r->spool, r->segment.number + 1);
	if (next != NULL) {
		use_segment(r, next, SPOOL_HEADER);
		r->record = next->first - 1; /* damage may have hidden how many there were */
	}
	pthread_mutex_unlock(&r->spool->lock);
	return next != NULL;
}

/* At least `want` bytes from `used` on in the buffer, as far as `end` goes. */
static bool fill(struct spool_reader *r, size_t want, uint64_t end, struct error *err)
{
	size_t kept = r->n - r->used, most;

	if (r->fd < 0)
		r->fd = openat(r->spool->dir_fd, r->name, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return error_set(err, ERROR_IO, 0, "%s/%s: cannot be opened: %s", r->spool->dir,
				 r->name, strerror(errno));
	if (r->used > 0) {
		memmove(r->p, r->p + r->used, kept);
		r->at += r->used;
		r->n = kept;
		r->used = 0;
	}
	if (want < BLOCK)
		want = BLOCK;
	if (want + READ_PADDING > r->capacity) {
		r->capacity = want + READ_PADDING;
		r->p = xrealloc(r->p, r->capacity, 1);
	}
	most = end - r->at < want ? (size_t)(end - r->at) : want;
	while (r->n < most) {
		ssize_t got = pread(r->fd, r->p + r->n, most - r->n, (off_t)(r->at + r->n));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, ERROR_IO, (size_t)r->at,
					 "%s/%s: reading failed at byte %llu: %s", r->spool->dir,
					 r->name, (unsigned long long)r->at, strerror(errno));
		if (got == 0)
			break;
		r->n += (size_t)got;
	}
	memset(r->p + r->n, 0, READ_PADDING);
	return true;
}

/* Something that does not check stands at `used`. Passes over it. False: to be told as damage. */
static bool pass_damage(struct spool_reader *r, uint64_t end, struct error *err)
{
	uint64_t from = r->at + r->used;
	size_t found, lost = 0;

	if (!fill(r, (size_t)(end - from), end, err))
		return false;
	found = spool_search(r->p, r->n, r->used, r->segment.id, r->at);
	for (size_t i = r->used; i < found; i++)
		if (r->p[i] != 0)
			lost = i + 1 - r->used;
	if (found < r->n && lost == 0)
		lost = found - r->used;
	r->used = found;
	if (lost == 0)
		return true; /* the zeros behind a finished segment's last entry */
	pthread_mutex_lock(&r->spool->lock);
	r->spool->counted.damaged += lost;
	pthread_mutex_unlock(&r->spool->lock);
	return error_set(err, ERROR_FORMAT, (size_t)from,
			 "%s/%s: %zu damaged bytes at byte %llu were passed over: the records in "
			 "them are lost; look at the disk they stood on",
			 r->spool->dir, r->name, lost, (unsigned long long)from);
}

static enum input_result hand_out(struct spool_reader *r, const struct spool_entry *e,
				  struct sv *record, struct instant *arrival,
				  struct input_where *where)
{
	*record = e->payload;
	*arrival = e->arrival;
	*where = (struct input_where){
		.path = sv_cstr(r->name),
		.line = ++r->record,
		.offset = r->at + r->used,
		.file = 1,
		.first = r->first,
	};
	r->used += e->size;
	r->first = false;
	pthread_mutex_lock(&r->spool->lock);
	r->spool->read_record = r->record;
	pthread_mutex_unlock(&r->spool->lock);
	return INPUT_RECORD;
}

/* Nothing is left: what has been signalled so far is dealt with, unless more has come just now. */
static bool settle(struct spool_reader *r)
{
	struct spool *s = r->spool;
	uint64_t signalled;
	bool more;

	pthread_mutex_lock(&s->lock);
	more = s->segments.n > 0 &&
	       (r->segment.number != s->segments.items[s->segments.n - 1].number ||
		r->at + r->used < s->written);
	if (!more && read(s->event_fd, &signalled, sizeof(signalled)) < 0)
		signalled = 0; /* it was not signalled */
	pthread_mutex_unlock(&s->lock);
	return !more;
}

enum input_result spool_next(struct spool_reader *r, struct sv *record, struct instant *arrival,
			     struct input_where *where, struct error *err)
{
	*record = SV_NONE;
	if (r->lost) {
		r->lost = false;
		error_set(err, ERROR_IO, 0,
			  "%s: the segment that was read last is gone: reading begins anew with "
			  "the oldest one; records in between may be missing, others come twice",
			  r->spool->dir);
		return INPUT_ERROR;
	}
	for (;;) {
		struct spool_entry e;
		enum spool_check check;
		uint64_t end;
		bool last;

		if (r->segment.number == 0 && !next_segment(r)) {
			if (settle(r))
				return INPUT_NOTHING_YET;
			continue;
		}
		end = limit(r, &last);
		if (r->at + r->used >= end) {
			if (last ? settle(r) : !next_segment(r))
				return INPUT_NOTHING_YET;
			continue;
		}
		if (r->n - r->used < SPOOL_ENTRY && !fill(r, SPOOL_ENTRY, end, err))
			return INPUT_ERROR;
		check = spool_entry_read(r->p + r->used, r->n - r->used, r->segment.id,
					 r->at + r->used, &e);
		if (check == SPOOL_SHORT && r->at + r->used + e.size <= end &&
		    r->n - r->used < e.size) {
			if (!fill(r, e.size, end, err))
				return INPUT_ERROR;
			check = spool_entry_read(r->p + r->used, r->n - r->used, r->segment.id,
						 r->at + r->used, &e);
		}
		if (check != SPOOL_VALID) {
			if (!pass_damage(r, end, err))
				return INPUT_ERROR;
			continue;
		}
		if (e.kind == SPOOL_RECORD)
			return hand_out(r, &e, record, arrival, where);
		r->used += e.size;
	}
}

void spool_position(const struct spool_reader *r, struct buf *out)
{
	buf_printf(out, "{\"segment\":%llu,\"id\":\"%016llx\",\"offset\":%llu,\"record\":%llu}",
		   (unsigned long long)r->segment.number, (unsigned long long)r->segment.id,
		   (unsigned long long)(r->segment.number > 0 ? r->at + r->used : 0),
		   (unsigned long long)r->record);
}
