#include "base/buf.h"
#include "read/position.h"
#include "read/tail_internal.h"

/* {"files":[{"dev":…,"ino":…,"born":…,"size":…,"mtime":…,"offset":…,"line":…,"head":N,"head_hash":"…",
 * "last_hash":"…","packed":0|1,"state":0|1|2,"copy":0|1,"skip":0|1|2|3},…]}; state: 0 read on, 1
 * read to its end, 2 not to be read. Names are not in it: a file is known by what it is. */

enum { STATE_OPEN, STATE_DONE, STATE_IGNORED };

static void write_file(struct buf *out, struct tail_file *f)
{
	unsigned state = f->ignored ? STATE_IGNORED : f->done ? STATE_DONE : STATE_OPEN;

	tail_file_note(f);
	buf_printf(out,
		   "{\"dev\":%llu,\"ino\":%llu,\"born\":%llu,\"size\":%llu,\"mtime\":%llu,"
		   "\"offset\":%llu,\"line\":%llu,\"head\":%u,",
		   (unsigned long long)f->dev, (unsigned long long)f->ino,
		   (unsigned long long)f->born, (unsigned long long)f->size,
		   (unsigned long long)f->mtime, (unsigned long long)f->offset,
		   (unsigned long long)f->line, f->head_n);
	buf_printf(out,
		   "\"head_hash\":\"%016llx\",\"last_hash\":\"%016llx\",\"packed\":%d,\"state\":%u,"
		   "\"copy\":%d,\"skip\":%u}",
		   (unsigned long long)f->head_hash, (unsigned long long)f->last_hash, f->packed,
		   state, f->copy, (unsigned)f->skip);
}

void tail_position(const struct tail *t, struct buf *out)
{
	bool comma = false;

	buf_str(out, "{\"files\":[");
	for (size_t i = 0; i < t->n_files; i++) {
		struct tail_file *f = t->files[i];
		if (f->ino == 0 || (f->offset == 0 && !f->ignored && !f->done))
			continue; /* found again, and read from its beginning */
		if (comma)
			buf_char(out, ',');
		comma = true;
		write_file(out, f);
	}
	buf_str(out, "]}");
}

static uint64_t number(struct position_cursor *c, const char *key)
{
	position_need(c, key);
	return position_number(c);
}

static uint64_t hash(struct position_cursor *c, const char *key)
{
	position_need(c, key);
	return position_hex(c);
}

static void read_file(struct tail *t, struct position_cursor *c)
{
	struct tail_file *f = tail_file_new(t, NULL);
	uint64_t state;

	f->dev = number(c, "{\"dev\":");
	f->ino = number(c, ",\"ino\":");
	f->born = number(c, ",\"born\":");
	f->size = number(c, ",\"size\":");
	f->mtime = (int64_t)number(c, ",\"mtime\":");
	f->offset = number(c, ",\"offset\":");
	f->line = number(c, ",\"line\":");
	f->head_n = (uint32_t)number(c, ",\"head\":");
	f->head_hash = hash(c, ",\"head_hash\":");
	f->last_hash = hash(c, ",\"last_hash\":");
	f->packed = number(c, ",\"packed\":") != 0;
	state = number(c, ",\"state\":");
	f->copy = number(c, ",\"copy\":") != 0;
	f->skip = (enum frame_skip)number(c, ",\"skip\":");
	position_need(c, "}");
	if (f->head_n > TAIL_HEAD || f->head_n > f->offset || f->offset > INT64_MAX ||
	    f->skip > SKIP_TO_COUNT || state > STATE_IGNORED || f->ino == 0)
		c->failed = true;
	f->last_n = f->offset < TAIL_LAST ? (uint32_t)f->offset : TAIL_LAST;
	f->done = state != STATE_OPEN;
	f->ignored = state == STATE_IGNORED;
	f->resumed = f->offset > 0;
}

bool tail_position_read(struct tail *t, struct sv position, struct error *err)
{
	struct position_cursor c = { position, false };

	position_need(&c, "{\"files\":[");
	while (!c.failed && !position_is(&c, "]}") && t->n_files < TAIL_MAX_FILES) {
		if (t->n_files > 0)
			position_need(&c, ",");
		read_file(t, &c);
	}
	return position_done(&c, "tail", err);
}
