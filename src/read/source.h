/* Raw bytes as the file holds them: an open file, standard input, or a buffer in memory.
 *
 * Knows nothing of packing or records. Reads are blocking and retried after EINTR. One source, one
 * thread.
 */
#ifndef PINWATCH_READ_SOURCE_H
#define PINWATCH_READ_SOURCE_H

#include "base/error.h"
#include "base/sv.h"

#define SOURCE_HEAD 16

struct source {
	char *name; /* for messages: the path, `standard input` or `input`; owned */
	int _fd;    /* -1: _bytes */
	bool _owns_fd;
	struct sv _bytes;
	uint64_t taken; /* bytes taken from the file, the head included */
	uint64_t size;	/* bytes, 0 where the system does not know */
	char _head[SOURCE_HEAD];
	size_t _head_n;
	size_t _head_at;
};

/* path "-" is standard input. False when it cannot be opened or is a directory; *s is then
 * closed. */
bool source_open(struct source *s, const char *path, struct error *err);
/* Borrows the descriptor, read from where it stands, until source_close. */
void source_on_fd(struct source *s, const char *name, int fd);
/* Borrows the bytes until source_close. */
void source_on_bytes(struct source *s, struct sv bytes);
void source_close(struct source *s);
/* Reads at most n bytes (n > 0), perhaps fewer; *got 0 is the end. False when the system
 * refuses. */
bool source_read(struct source *s, char *out, size_t n, size_t *got, struct error *err);
/* The first n ≤ SOURCE_HEAD bytes, fewer where the input is shorter, without consuming them. To be
 * called before source_read. */
bool source_head(struct source *s, size_t n, struct sv *head, struct error *err);

#endif
