#include "judge/allow_index.h"

#include <stdlib.h>
#include <xxhash.h>

enum kind { HOST, SUFFIX, APP, PREFIX };

struct allow_link {
	uint32_t entry, next;
};

/* The hash of a name stands for it: what is found by chance is checked like the rest. */
struct key {
	uint64_t h, kind;
};

static struct key key_of(enum kind kind, struct sv name)
{
	return (struct key){ XXH3_64bits(name.p, name.n), kind };
}

static void link_entry(struct allow_index *x, uint32_t *head, uint32_t entry)
{
	if (x->_n == x->_capacity) {
		x->_capacity = x->_capacity * 2 + 64;
		x->_links = xrealloc(x->_links, x->_capacity, sizeof(*x->_links));
	}
	if (x->_n == 0)
		x->_n = 1;
	x->_links[x->_n] = (struct allow_link){ entry, *head };
	*head = (uint32_t)x->_n++;
}

static void put(struct allow_index *x, enum kind kind, struct sv name, uint32_t entry)
{
	const struct key key = key_of(kind, name);
	uint32_t *slot = keymap_slot(&x->_heads, &key);

	if (*slot == KEYMAP_NONE)
		*slot = 0;
	link_entry(x, slot, entry);
}

static bool is_network(struct sv pattern)
{
	struct cidr range;

	return !sv_starts(pattern, SV(".")) && cidr_parse(pattern, &range);
}

static bool by_destinations(const struct allowance *e)
{
	for (size_t i = 0; i < e->n_destinations; i++)
		if (is_network(e->destinations[i]))
			return false;
	return e->n_destinations > 0;
}

static void put_app(struct allow_index *x, struct sv pattern, uint32_t entry)
{
	if (sv_ends(pattern, SV(".*")))
		put(x, PREFIX, sv_first(pattern, pattern.n - 1), entry);
	else
		put(x, APP, pattern, entry);
}

void allow_index_build(struct allow_index *x, const struct settings *s, uint64_t seed)
{
	*x = (struct allow_index){ ._seen = xcalloc(s->n_allowances + 1, sizeof(uint32_t)) };
	keymap_init(&x->_heads, sizeof(struct key), seed);
	for (uint32_t i = 0; i < s->n_allowances; i++) {
		const struct allowance *e = &s->allowances[i];

		if (by_destinations(e)) {
			for (size_t k = 0; k < e->n_destinations; k++) {
				bool suffix = sv_starts(e->destinations[k], SV("."));
				put(x, suffix ? SUFFIX : HOST, sv_skip(e->destinations[k], suffix),
				    i);
			}
			continue;
		}
		if (!sv_empty(e->app))
			put_app(x, e->app, i);
		else if (e->n_apps == 0)
			link_entry(x, &x->_always, i);
		else
			for (size_t k = 0; k < e->n_apps; k++)
				put_app(x, e->apps[k], i);
	}
}

void allow_index_free(struct allow_index *x)
{
	keymap_free(&x->_heads);
	free(x->_links);
	free(x->_seen);
}

static void follow(struct allow_index *x, uint32_t at, uint32_t *out, size_t *n)
{
	for (; at != 0; at = x->_links[at].next) {
		uint32_t entry = x->_links[at].entry;

		if (x->_seen[entry] == x->_asking)
			continue;
		x->_seen[entry] = x->_asking;
		out[(*n)++] = entry;
	}
}

static void look(struct allow_index *x, enum kind kind, struct sv name, uint32_t *out, size_t *n)
{
	const struct key key = key_of(kind, name);
	uint32_t head = keymap_get(&x->_heads, &key);

	if (head != KEYMAP_NONE)
		follow(x, head, out, n);
}

size_t allow_index_find(struct allow_index *x, struct sv app, struct sv host, uint32_t *out)
{
	size_t n = 0;

	x->_asking++;
	follow(x, x->_always, out, &n);
	look(x, HOST, host, out, &n);
	look(x, APP, app, out, &n);
	/* A suffix holds the name itself and everything below. */
	for (size_t i = 0; i < host.n; i++)
		if (i == 0 || host.p[i - 1] == '.')
			look(x, SUFFIX, sv_skip(host, i), out, &n);
	for (size_t i = 0; i < app.n; i++)
		if (app.p[i] == '.')
			look(x, PREFIX, sv_first(app, i + 1), out, &n);
	return n;
}
