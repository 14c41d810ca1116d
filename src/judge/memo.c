#include "judge/memo.h"

#include <stdlib.h>

#include "judge/uid.h"

struct memo_key {
	uint32_t app, host, port;
};

void memo_init(struct memo *m, uint64_t judgements, uint64_t seed)
{
	*m = (struct memo){ .judgements = judgements };
	keymap_init(&m->_numbers, sizeof(struct memo_key), seed);
}

void memo_free(struct memo *m)
{
	memo_clear(m);
	free(m->changed);
	keymap_free(&m->_numbers);
}

void memo_clear(struct memo *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		free(m->list[i].servers);
	free(m->list);
	m->list = NULL;
	m->n = m->_capacity = 0;
	keymap_clear(&m->_numbers);
}

void memo_begin(struct memo *m, struct attempts *t)
{
	m->judgements++;
	free(m->changed);
	m->changed = xcalloc(t->n, sizeof(*m->changed));
	m->n_changed = t->n;
	for (uint32_t i = 0; i < t->n_noted; i++)
		m->changed[t->noted[i]] = true;
	attempts_heard(t);
}

static uint32_t number_of(struct memo *m, const struct pair_number *pair,
			  const struct destination *d, const struct names *names)
{
	struct memo_key key = { pair->app, d->host, d->port };
	uint32_t *slot = keymap_slot(&m->_numbers, &key);

	if (*slot == KEYMAP_NONE) {
		if (m->n == m->_capacity) {
			m->_capacity = m->_capacity == 0 ? 256 : m->_capacity * 2;
			m->list = xrealloc(m->list, m->_capacity, sizeof(*m->list));
		}
		m->list[m->n] = (struct memo_entry){ 0 };
		uid_pinning(m->list[m->n].uid, names_get(names, pair->app),
			    names_get(names, d->host), d->port);
		*slot = m->n++;
	}
	return *slot;
}

uint32_t *memo_find(struct memo *m, const struct docket *d, const struct facts *f,
		    const struct names *names)
{
	uint32_t *numbers = xmalloc((d->n + 1) * sizeof(*numbers));

	for (size_t i = 0; i < d->n; i++)
		numbers[i] = number_of(m, &f->findings[d->list[i].finding],
				       &f->destinations[d->list[i].destination], names);
	return numbers;
}

size_t memo_footprint(const struct memo *m)
{
	return m->_capacity * sizeof(*m->list) + m->n_changed + keymap_footprint(&m->_numbers);
}
