/* A watched folder: files that appear in it complete are read once, to their end.
 *
 * Complete is what was renamed or linked into the folder, or has not changed for `settle`. Names
 * that begin with a dot or end in .tmp, .part or ~ are left alone until they are renamed. Files are
 * read oldest first (modification time, then name), packed ones unpacked. A finished file is
 * remembered by what it is (device, inode, size, modification time, hash of its first bytes) while
 * it stays in the folder: renamed, it is not read again; replaced, it is. Grown after it was
 * finished, it is not read again but counted. The folder's own files only, no folders below it. One
 * drop, one thread.
 */
#ifndef PINWATCH_READ_DROP_H
#define PINWATCH_READ_DROP_H

#include "base/buf.h"
#include "read/arrival.h"

#define DROP_MAX_FILES 65536 /* remembered at once; more wait until others are removed */

struct drop_options {
	const char *dir;
	enum framing framing; /* where framing_of is NULL */
	input_framing_of *framing_of;
	void *context;
	size_t max_record;   /* bytes; 0: READER_MAX_RECORD */
	size_t max_unpacked; /* bytes a packed file may unfold to; 0: no limit */
	struct span poll;    /* 0: 1 s */
	struct span settle;  /* 0: 5 s */
};

struct drop_stats {
	uint64_t records, overlong;
	uint64_t files; /* read to their end since open */
	/* could not be opened or were damaged; what stood before the damage was read */
	uint64_t failed;
	uint64_t changed; /* written to after they had been finished */
	uint64_t waiting; /* seen, not yet begun */
	uint64_t refused; /* beyond DROP_MAX_FILES, as of the last look */
};

struct drop;

struct drop *drop_open(const struct drop_options *options, struct sv position, struct error *err);
void drop_close(struct drop *d);
enum input_result drop_next(struct drop *d, struct instant now, struct sv *record,
			    struct input_where *where, struct error *err);
int drop_fd(const struct drop *d);
void drop_position(const struct drop *d, struct buf *out);
void drop_stats(const struct drop *d, struct drop_stats *out);

#endif
