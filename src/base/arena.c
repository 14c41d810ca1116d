#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(16) char bytes[];
};

#define BLOCK_SIZE (64u * 1024u)

static void out_of_memory(size_t size)
{
	fprintf(stderr, "pinwatch: out of memory asking for %zu bytes\n", size);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(n * size);
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory(SIZE_MAX);
	p = realloc(p, bytes > 0 ? bytes : 1);
	if (p == NULL)
		out_of_memory(bytes);
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	size_t length = strnlen(s, n);
	char *copy = xmalloc(length + 1);

	memcpy(copy, s, length);
	copy[length] = '\0';
	return copy;
}

char *xstrdup(const char *s) { return xstrndup(s, strlen(s)); }

void *arena_alloc(struct arena *a, size_t size)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	struct arena_block *b = a->_head;
	void *p;

	if (b == NULL || b->size - a->_used < rounded) {
		size_t want = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
		b = xcalloc(1, sizeof(*b) + want);
		b->size = want;
		b->next = a->_head;
		a->_head = b;
		a->_used = 0;
		a->_total += sizeof(*b) + want;
	}
	p = b->bytes + a->_used;
	a->_used += rounded;
	return p;
}

void *arena_copy(struct arena *a, const void *bytes, size_t size)
{
	void *p = arena_alloc(a, size);

	if (size > 0)
		memcpy(p, bytes, size);
	return p;
}

struct sv arena_sv(struct arena *a, struct sv v)
{
	char *p = arena_alloc(a, v.n + 1);

	if (v.n > 0)
		memcpy(p, v.p, v.n);
	p[v.n] = '\0';
	return sv_make(p, v.n);
}

void arena_adopt(struct arena *a, struct arena *from)
{
	struct arena_block *last = from->_head;

	if (last == NULL)
		return;
	if (a->_head == NULL) {
		*a = *from;
	} else {
		while (last->next != NULL)
			last = last->next;
		last->next = a->_head->next;
		a->_head->next = from->_head;
		a->_total += from->_total;
	}
	*from = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
	struct arena_block *b = a->_head;

	if (b == NULL)
		return;
	for (struct arena_block *next = b->next; next != NULL;) {
		struct arena_block *gone = next;
		next = gone->next;
		a->_total -= sizeof(*gone) + gone->size;
		free(gone);
	}
	b->next = NULL;
	memset(b->bytes, 0, a->_used);
	a->_used = 0;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->_head; b != NULL;) {
		struct arena_block *gone = b;
		b = b->next;
		free(gone);
	}
	*a = (struct arena){ 0 };
}

size_t arena_footprint(const struct arena *a) { return a->_total; }
