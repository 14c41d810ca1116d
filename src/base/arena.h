/* Arena: memory that is given back all at once.
 *
 * Not thread-safe. Blocks never move, so pointers stay good until arena_reset or arena_free.
 * Running out of memory ends the program: there is nothing sensible to do in a half-built table.
 */
#ifndef PINWATCH_BASE_ARENA_H
#define PINWATCH_BASE_ARENA_H

#include <stddef.h>

#include "base/sv.h"

struct arena_block;

struct arena {
	struct arena_block *_head;
	size_t _used;
	size_t _total;
};

/* A zeroed struct is a valid empty arena. Memory comes zeroed and aligned to 16. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_copy(struct arena *a, const void *bytes, size_t size);
/* The copy is NUL-terminated behind its last byte. */
struct sv arena_sv(struct arena *a, struct sv v);
/* Moves all that `from` holds to `a`; pointers stay good, and `from` is empty. */
void arena_adopt(struct arena *a, struct arena *from);
/* Keeps one block for reuse. Everything handed out before is gone. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);
/* Bytes held from the operating system. */
size_t arena_footprint(const struct arena *a);

/* malloc, realloc and strdup that end the program with a message when memory runs out; size is n ×
 * size, checked. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
/* At most n bytes of s. */
char *xstrndup(const char *s, size_t n);

#endif
