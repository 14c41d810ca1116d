#include "api/limit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"

#define ENTRIES 1024
#define MAX_NAME 96

struct entry {
	char name[MAX_NAME];
	size_t n; /* 0: free */
	unsigned failures;
	int64_t first, last;
};

struct api_limit {
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
};

struct api_limit *api_limit_new(void)
{
	struct api_limit *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void api_limit_free(struct api_limit *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct entry *find(struct api_limit *l, struct sv name)
{
	name = sv_first(name, MAX_NAME);
	for (size_t i = 0; i < ENTRIES; i++)
		if (l->entries[i].n > 0 &&
		    sv_eq(sv_make(l->entries[i].name, l->entries[i].n), name))
			return &l->entries[i];
	return NULL;
}

/* Over, or the clock has leapt back before it. */
static bool is_over(const struct entry *e, struct instant now)
{
	return now.ns - e->first >= API_LIMIT_SPAN || now.ns < e->first;
}

unsigned api_limit_wait(struct api_limit *l, struct sv name, unsigned most, struct instant now)
{
	const struct entry *e;
	unsigned wait = 0;

	pthread_mutex_lock(&l->lock);
	e = find(l, name);
	if (e != NULL && !is_over(e, now) && e->failures >= most)
		wait = (unsigned)((API_LIMIT_SPAN - (now.ns - e->first)) / NS_PER_S) + 1;
	pthread_mutex_unlock(&l->lock);
	return wait;
}

static struct entry *oldest(struct api_limit *l)
{
	struct entry *best = &l->entries[0];

	for (size_t i = 0; i < ENTRIES; i++) {
		if (l->entries[i].n == 0)
			return &l->entries[i];
		if (l->entries[i].last < best->last)
			best = &l->entries[i];
	}
	return best;
}

void api_limit_failed(struct api_limit *l, struct sv name, struct instant now)
{
	struct entry *e;

	name = sv_first(name, MAX_NAME);
	if (name.n == 0)
		return;
	pthread_mutex_lock(&l->lock);
	e = find(l, name);
	if (e == NULL || is_over(e, now)) {
		if (e == NULL)
			e = oldest(l);
		*e = (struct entry){ .n = name.n, .first = now.ns };
		memcpy(e->name, name.p, name.n);
	}
	e->failures++;
	e->last = now.ns;
	pthread_mutex_unlock(&l->lock);
}

void api_limit_forget(struct api_limit *l, struct sv name)
{
	struct entry *e;

	pthread_mutex_lock(&l->lock);
	e = find(l, name);
	if (e != NULL)
		e->n = 0;
	pthread_mutex_unlock(&l->lock);
}
