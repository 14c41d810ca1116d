/* What the parts of a tail share: tail.c hands out records, tail_file.c reads one file, tail_scan.c
 * finds out what has become of the files, tail_match.c tells whether two are the same, tail_watch.c
 * lists and watches folders, tail_position.c writes and reads positions. */
#ifndef PINWATCH_READ_TAIL_INTERNAL_H
#define PINWATCH_READ_TAIL_INTERNAL_H

#include <sys/types.h>

#include "read/frame.h"
#include "read/tail.h"
#include "read/tail_name.h"
#include "read/unpack.h"

#define TAIL_HEAD 4096u /* bytes at a file's beginning that are hashed to know it again */
#define TAIL_LAST 512u	/* and before the offset */
#define TAIL_MAX_ERRORS 8

/* A file on disk, as one look at the folders finds it. */
struct tail_candidate {
	char *path;
	uint64_t dev, ino, size;
	uint64_t born; /* when the inode was made, ns; 0 where the file system does not say */
	int64_t mtime;
	uint64_t number; /* of its name, see tail_name.h */
	enum tail_name name;
	bool packed;
	bool taken; /* belongs to a file that is known */
};

/* A packed file that is perhaps still being written. */
struct tail_unfinished {
	uint64_t dev, ino, size;
	struct instant since;
};
#define TAIL_MAX_UNFINISHED 64

/* A file that is followed or remembered. p[start] is the byte at `offset`; what stands before it
 * has been handed out and is kept as far as TAIL_LAST bytes, to check that the file still is the
 * same. */
struct tail_file {
	char *path;
	uint64_t dev, ino, born, size;
	uint64_t size_before; /* at the look before the last one that found a change */
	int64_t mtime;
	uint64_t age; /* number of its name */
	bool live;    /* still written to, by its name */
	bool packed;

	uint64_t number;       /* input_where.file */
	uint64_t offset, line; /* handed out */
	enum frame_skip skip;
	enum framing framing;
	bool announced; /* framing_of has been asked */
	bool resumed;	/* reading went on in the middle of it */
	bool first;	/* nothing handed out since open */

	bool ignored; /* was there before we were */
	bool copy;    /* nobody writes to it */
	bool done;    /* read to its end, and nobody writes to it */
	bool look;    /* there may be something to read */
	bool changed; /* no longer holds what was read of it */
	bool checked; /* size and mtime are those of the last check */
	bool seen;    /* in the present scan */
	bool missing;
	bool told; /* that it cannot be read */
	struct instant missing_since, quiet_since;

	uint32_t head_n,
	    last_n; /* bytes hashed: at most TAIL_HEAD and TAIL_LAST, and at most offset */
	uint64_t head_hash, last_hash;

	int fd;		      /* plain and open */
	struct source source; /* packed and open */
	struct unpack *unpack;
	bool at_end; /* packed: all unpacked */
	char *head;  /* its first bytes, as far as read */
	size_t head_have;
	char *intro; /* packed and resumed: the head for framing_of */
	size_t intro_n;
	char *p;
	size_t capacity, start, end;
	size_t searched; /* behind start */
};

struct tail {
	struct tail_options options;
	char *path;
	char *folder;  /* may be a glob itself */
	char *pattern; /* for names in it */
	bool fresh;    /* first opening, not yet looked */
	bool dirty;    /* something happened that wants a look at the folders */
	bool scanned;
	struct instant last_scan;
	int watch_fd;

	struct tail_file **files;
	size_t n_files, capacity;
	size_t turn; /* whose turn it is among the live ones */
	uint64_t turn_bytes;
	struct tail_file *current;
	unsigned since_watch; /* records since the last look at watch_fd */
	uint64_t next_number;

	struct tail_candidate *candidates;
	size_t n_candidates, candidates_capacity;
	struct tail_unfinished unfinished[TAIL_MAX_UNFINISHED];
	size_t n_unfinished;
	struct error errors[TAIL_MAX_ERRORS]; /* to be told */
	size_t n_errors;
	struct tail_stats stats;
};

void tail_say(struct tail *t, const struct error *err);

/* tail_file.c */
/* Descriptor, or −1 with errno. */
int tail_open_path(const char *path);
/* As many of the n bytes at `at` as there are, or −1 with errno. */
ssize_t tail_read_at(int fd, char *out, size_t n, uint64_t at);
/* The file is on disk what the candidate is, but for its path. */
void tail_file_identify(struct tail_file *f, const struct tail_candidate *c);
struct tail_file *tail_file_new(struct tail *t, const struct tail_candidate *c);
void tail_file_free(struct tail_file *f);
/* Lets go of descriptor and buffer; offset and identity stay. */
void tail_file_close(struct tail_file *f);
static inline bool tail_file_is_open(const struct tail_file *f) { return f->p != NULL; }
/* Sets head_n … last_hash to what `offset` says now. */
void tail_file_note(struct tail_file *f);
/* Learns from the disk what tail_file_note would say of a file that is not open. */
void tail_file_learn(struct tail_file *f);
enum tail_refill { REFILL_MORE, REFILL_NOTHING, REFILL_CHANGED, REFILL_FAILED };
/* Opens where needed, reads on. REFILL_FAILED: *err; the file is given up. */
enum tail_refill tail_file_refill(struct tail *t, struct tail_file *f, struct error *err);
/* True while the plain file on disk, or what is on disk under another name, still holds what has
 * been read of it. */
bool tail_file_check(struct tail_file *f);
bool tail_file_check_at(const struct tail_file *f, const char *path);

/* tail_match.c */
/* True where the candidate holds what has been handed out of f: the same first bytes, and the same
 * ones before the offset. */
bool tail_match(const struct tail_file *f, const struct tail_candidate *c);
/* True where the candidate is a copy, perhaps unfinished, of what f holds on disk now. */
bool tail_match_copy(const struct tail_file *f, const struct tail_candidate *c);
/* True where f is open, nothing of it has been handed out, and the candidate holds the same. */
bool tail_match_unread(const struct tail_file *f, const struct tail_candidate *c);
/* True where the candidate is a copy that ends before f's offset: of a file truncated since. */
bool tail_match_shorter(const struct tail_file *f, const struct tail_candidate *c);

/* True where the candidate unpacks to its end. */
bool tail_match_whole(const struct tail_candidate *c);

/* tail_scan.c */
void tail_scan(struct tail *t, struct instant now);

/* tail_watch.c */
/* Fills candidates: one an inode, ordered by tail_candidate_order. */
void tail_list(struct tail *t);
int tail_candidate_order(const void *a, const void *b);
void tail_watch_open(struct tail *t);
/* Takes what has been signalled; sets `dirty` and the files' `look`. */
void tail_watch_take(struct tail *t);

/* tail_position.c */
bool tail_position_read(struct tail *t, struct sv position, struct error *err);

#endif
