/* What the parts of the spool share: spool.c appends and syncs, spool_open.c opens and recovers,
 * spool_read.c reads. */
#ifndef PINWATCH_READ_SPOOL_INTERNAL_H
#define PINWATCH_READ_SPOOL_INTERNAL_H

#include <pthread.h>
#include <xxhash.h>

#include "read/spool.h"
#include "read/spool_file.h"

struct spool_list {
	struct spool_segment *items; /* by number; the last one is appended to */
	size_t n, capacity;
};

/* All below `lock` but what never changes after open. `busy`: one thread has taken it upon itself
 * to write or to begin a segment, without holding the lock; only that one touches fd and
 * `flushing`. */
struct spool {
	char *dir;
	int dir_fd, lock_fd, event_fd;
	uint64_t segment_size, max_size;
	size_t max_record;

	pthread_mutex_t lock;
	pthread_cond_t idle; /* busy has ended */
	bool busy;
	bool failed;
	struct error failure;

	struct spool_list segments;
	uint64_t size;	  /* of all segments */
	int fd;		  /* of the last one; -1: there is none yet */
	uint64_t end;	  /* where the next entry goes, what is pending included */
	uint64_t written; /* of it, on disk and synced */
	struct buf pending, flushing;
	uint64_t records, synced_records; /* numbers of the last one */
	uint64_t taken, synced;		  /* tickets */
	struct instant refused; /* arrival of what was last refused because the disk was full */

	XXH128_hash_t keys[SPOOL_KEYS]; /* a ring */
	size_t n_keys;			/* ever added */

	bool has_reader;
	uint64_t read_record;	    /* number of the last one read */
	struct spool_stats counted; /* but what spool_stats fills in */
};

struct spool_segment *spool_list_add(struct spool_list *list, const struct spool_segment *segment);
void spool_add_key(struct spool *s, XXH128_hash_t key);
/* With EINTR and short writes. False: errno. */
bool spool_write_at(int fd, const char *bytes, size_t n, uint64_t at);
/* Looks behind `at` for the next entry that checks; n when there is none. */
size_t spool_search(const char *bytes, size_t n, size_t at, uint64_t id, uint64_t base);

#endif
