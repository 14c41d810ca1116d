/* What allow-list entries cover, from a judgement to the database. */
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "govern/governed.h"

/* Where a finding's connections go. */
struct governed_reach {
	char uid[40];
	struct sv servers;
	bool more;
	uint32_t hash;
};

struct uid_key {
	char b[40];
};

static struct uid_key key_of(const char *uid)
{
	struct uid_key key = { { 0 } };

	memcpy(key.b, uid, strnlen(uid, 36));
	return key;
}

/* ---- entries */

/* A finding that somebody would see, were it not for the lists. */
static bool would_show(const struct finding *f)
{
	return f->verdict == VERDICT_EXPECTED &&
	       (f->without_lists == VERDICT_CONFIRMED || f->without_lists == VERDICT_SUSPECTED);
}

/* A number that no finding has. */
#define NOT_JUDGED INT32_MAX

/* The tally's rows with their findings, by entry. */
struct row {
	const struct allow_covered *covered;
	const struct finding *finding; /* NULL: the judgement does not give it */
	int64_t entry;
};

static unsigned weight(const struct row *r)
{
	if (r->covered->only == 0 || r->finding == NULL)
		return 0;
	return would_show(r->finding) ? 2 : 1;
}

/* By entry; then what it alone keeps from being shown first. */
static int by_entry(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	unsigned p, q;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	p = weight(x);
	q = weight(y);
	if (p != q)
		return p > q ? -1 : 1;
	return strcmp(x->covered->uid, y->covered->uid);
}

static struct row *rows_of(uint64_t seed, const struct settings *settings,
			   const struct allow_tally *tally, const struct finding *findings,
			   size_t n)
{
	struct row *rows = xcalloc(tally->n + 1, sizeof(*rows));
	struct keymap by_uid;

	keymap_init(&by_uid, sizeof(struct uid_key), seed);
	for (size_t i = 0; i < tally->n; i++) {
		struct uid_key key = key_of(tally->list[i].uid);
		*keymap_slot(&by_uid, &key) = NOT_JUDGED;
	}
	for (size_t i = 0; i < n && tally->n > 0; i++) {
		struct uid_key key = key_of(findings[i].uid);
		if (findings[i].kind == FINDING_PINNING && keymap_get(&by_uid, &key) != KEYMAP_NONE)
			*keymap_slot(&by_uid, &key) = (uint32_t)i;
	}
	for (size_t i = 0; i < tally->n; i++) {
		const struct allow_covered *c = &tally->list[i];
		struct uid_key key = key_of(c->uid);
		uint32_t at = keymap_get(&by_uid, &key);

		rows[i] = (struct row){ c, at < n ? &findings[at] : NULL,
					settings->allowances[c->allowance].id };
	}
	keymap_free(&by_uid);
	qsort(rows, tally->n, sizeof(*rows), by_entry);
	return rows;
}

static void add_row(struct governed_entry *e, const struct row *r)
{
	struct store_allow_use *u = &e->use;

	e->blank = false;
	u->attempts += r->covered->attempts;
	u->only_attempts += r->covered->only;
	u->findings++;
	u->only_findings += r->covered->only > 0;
	u->would_show += r->covered->only > 0 && r->finding != NULL && would_show(r->finding);
	if (instant_known(r->covered->last) && r->covered->last.ns > u->last)
		u->last = r->covered->last.ns;
}

static void take_entry(struct governed *g, struct governed_entry *e, const struct row *rows,
		       size_t n, bool whole)
{
	uint64_t counts = 0, names = 0;
	size_t kept = n < GOVERNED_COVERS ? n : GOVERNED_COVERS;

	e->use = (struct store_allow_use){ .last = INT64_MIN };
	e->covers = arena_alloc(&g->_news, (kept + 1) * sizeof(*e->covers));
	e->n_covers = kept;
	for (size_t i = 0; i < n; i++) {
		const struct finding *f = rows[i].finding;

		add_row(e, &rows[i]);
		if (i >= kept)
			continue;
		memcpy(e->covers[i].uid, rows[i].covered->uid, sizeof(e->covers[i].uid));
		e->covers[i].attempts = rows[i].covered->attempts;
		e->covers[i].only_attempts = rows[i].covered->only;
		e->covers[i].verdict =
		    verdict_name(f == NULL			  ? VERDICT_OBSERVED
				 : f->verdict == VERDICT_EXPECTED ? f->without_lists
								  : f->verdict);
		names = XXH3_64bits_withSeed(e->covers[i].uid, 36, names);
		names = XXH3_64bits_withSeed(e->covers[i].verdict, 3,
					     names + (rows[i].covered->only > 0));
		counts = XXH3_64bits_withSeed(&rows[i].covered->attempts, sizeof(uint64_t), counts);
		counts = XXH3_64bits_withSeed(&rows[i].covered->only, sizeof(uint64_t), counts);
	}
	counts = XXH3_64bits_withSeed(&e->use, sizeof(e->use), counts);
	/* Never 0, which is an entry that has not been looked at. */
	e->new_names = names | 1u;
	e->new_counts = counts | 1u;
	e->pending =
	    !e->blank && (e->new_names != e->names || (whole && e->new_counts != e->counts));
	g->n_pending += e->pending;
}

/* ---- servers */

/* Into *out where they are not what was written. */
static void take_servers(struct governed *g, const struct finding *f, struct governed_reach *out)
{
	struct uid_key key = key_of(f->uid);
	char text[ADDR_TEXT_SIZE];
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < f->n_servers; i++) {
		addr_format(&f->servers[i], text);
		buf_printf(&b, "%s%s", i > 0 ? " " : "", text);
	}
	memcpy(out->uid, key.b, sizeof(out->uid));
	out->more = f->more_servers;
	/* never KEYMAP_NONE */
	out->hash = (uint32_t)(XXH3_64bits_withSeed(b.p, b.n, f->more_servers) >> 34);
	if (keymap_get(&g->_reached, &key) != out->hash) {
		out->servers = arena_sv(&g->_news, buf_view(&b));
		g->_n_reach++;
		g->n_pending++;
	}
	buf_free(&b);
}

static bool is_shown_pinning(const struct finding *f)
{
	return f->kind == FINDING_PINNING &&
	       (f->verdict == VERDICT_CONFIRMED || f->verdict == VERDICT_SUSPECTED);
}

static void take_reach(struct governed *g, const struct finding *findings, size_t n)
{
	size_t shown = 0;

	for (size_t i = 0; i < n; i++)
		shown += is_shown_pinning(&findings[i]);
	g->_reach = arena_alloc(&g->_news, (shown + 1) * sizeof(*g->_reach));
	g->_n_reach = 0;
	for (size_t i = 0; i < n; i++)
		if (is_shown_pinning(&findings[i]))
			take_servers(g, &findings[i], &g->_reach[g->_n_reach]);
}

/* ---- a judgement */

void governed_count(struct governed *g, const struct settings *settings,
		    const struct allow_tally *tally, const struct finding *findings, size_t n,
		    uint64_t devices, struct instant wall, bool all)
{
	bool whole = all || !instant_known(g->counted) ||
		     wall.ns - g->counted.ns >= GOVERNED_EVERY || wall.ns < g->counted.ns;
	struct row *rows = rows_of(g->_seed, settings, tally, findings, n);
	size_t at = 0;

	arena_reset(&g->_news);
	g->n_pending = 0;
	if (whole)
		g->counted = wall;
	for (size_t i = 0; i < g->n; i++) {
		struct governed_entry *e = &g->entries[i];
		size_t from;

		while (at < tally->n && rows[at].entry < e->id)
			at++;
		from = at;
		while (at < tally->n && rows[at].entry == e->id)
			at++;
		take_entry(g, e, rows + from, at - from, whole);
	}
	free(rows);
	take_reach(g, findings, n);
	g->_devices = devices;
	g->n_pending += devices != g->_devices_written;
}

bool governed_write(const struct governed *g, struct store *s, struct error *err)
{
	char number[24];

	if (g->n_pending == 0)
		return true;
	for (size_t i = 0; i < g->n; i++)
		if (g->entries[i].pending &&
		    !store_allow_put_use(s, g->entries[i].id, &g->entries[i].use,
					 g->entries[i].covers, g->entries[i].n_covers, err))
			return false;
	for (size_t i = 0; i < g->_n_reach; i++)
		if (!store_allow_put_reach(s, g->_reach[i].uid, g->_reach[i].servers,
					   g->_reach[i].more, err))
			return false;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)g->_devices);
	return g->_devices == g->_devices_written ||
	       store_put_meta(s, "fleet_devices", sv_cstr(number), err);
}

void governed_committed(struct governed *g)
{
	if (g->n_pending == 0)
		return;
	for (size_t i = 0; i < g->n; i++) {
		struct governed_entry *e = &g->entries[i];

		if (!e->pending)
			continue;
		e->names = e->new_names;
		e->counts = e->new_counts;
		e->pending = false;
	}
	for (size_t i = 0; i < g->_n_reach; i++)
		*keymap_slot(&g->_reached, g->_reach[i].uid) = g->_reach[i].hash;
	g->_devices_written = g->_devices;
	g->_n_reach = g->n_pending = 0;
}
