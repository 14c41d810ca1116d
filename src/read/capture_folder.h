/* Capture files as they appear: which is to be read next, and where reading of each stood.
 *
 * The path is a folder, a glob within one, or a file; it need not exist yet. A file is due once
 * whoever writes it has closed it or has renamed it into the folder, or once it has not grown for
 * `settle`, or once that is so of a younger one. Files are taken oldest first (modification time,
 * then name); names that begin with a dot or end in .tmp, .part or ~ are left alone.
 *
 * A capture is known by what it is: device and inode, and a hash of its first unpacked bytes, which
 * hold packets' times. So one that is renamed, copied or compressed after it was read is not read
 * again, one that is overwritten (a ring of files) is, and one that grows after it was read is read
 * on from its place. Of files that are gone the newest CAPTURE_FOLDER_GONE are remembered.
 *
 * Reading is the caller's: a place counts packets, since only whoever decodes them can go on in
 * their middle (by decoding from the beginning, and keeping to itself what was handed out). One
 * folder, one thread.
 */
#ifndef PINWATCH_READ_CAPTURE_FOLDER_H
#define PINWATCH_READ_CAPTURE_FOLDER_H

#include "base/buf.h"
#include "read/arrival.h"

#define CAPTURE_FOLDER_FILES 65536 /* remembered at once; more wait until others are removed */
#define CAPTURE_FOLDER_GONE 1024

/* What has been handed out: everything up to packet `packets` − 1, and `given` of what that packet
 * gave; at the `end` of the file, `given` of what was still open then. */
struct capture_place {
	uint64_t packets;
	bool end;
	uint64_t given;
	uint64_t silent; /* connections counted that had nothing to say */
};

struct capture_folder_options {
	const char *path;
	struct span poll;   /* look at least so often; 0: 1 s */
	struct span settle; /* 0: 30 s */
};

struct capture_folder_stats {
	uint64_t files;	  /* read to their end since open */
	uint64_t again;	  /* read on since they had grown */
	uint64_t waiting; /* seen, not due or not begun */
	uint64_t refused; /* beyond CAPTURE_FOLDER_FILES, as of the last look */
};

struct capture_folder;

struct capture_folder *capture_folder_open(const struct capture_folder_options *options,
					   struct sv position, struct error *err);
void capture_folder_close(struct capture_folder *f);
/* The file to read next, from *place on; its path lives until it is finished. INPUT_RECORD: there
 * is one, and the next call is for after capture_folder_finish. monotonic: any clock that does not
 * leap; wall: the files'. */
enum input_result capture_folder_next(struct capture_folder *f, struct instant monotonic,
				      struct instant wall, struct input_where *where,
				      struct capture_place *place, struct error *err);
/* How far reading has come. */
void capture_folder_at(struct capture_folder *f, struct capture_place place);
void capture_folder_finish(struct capture_folder *f);
int capture_folder_fd(const struct capture_folder *f);
void capture_folder_position(const struct capture_folder *f, struct buf *out);
void capture_folder_stats(const struct capture_folder *f, struct capture_folder_stats *out);

#endif
