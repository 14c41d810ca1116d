#include "govern/governed.h"

#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/fault.h"
#include "govern/entry.h"

#define MAX_KEY ((size_t)4 * 1024 * 1024)
#define NOBODY UINT32_MAX

void governed_init(struct governed *g)
{
	uint64_t seed = 0;

	/* So that chosen names cannot be made to collide. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)(uintptr_t)g;
	*g = (struct governed){ .next_end = INSTANT_NONE, .counted = INSTANT_NONE, ._seed = seed };
	keymap_init(&g->_reached, 40, seed);
}

void governed_free(struct governed *g)
{
	arena_free(&g->_arena);
	arena_free(&g->_news);
	keymap_free(&g->_reached);
	*g = (struct governed){ 0 };
}

static struct audit_who itself(struct instant wall)
{
	return (struct audit_who){ .actor = SV("pinwatch"), .via = SV("daemon"), .at = wall.ns };
}

/* ---- list files and their rows */

/* Rows and the configuration's entries, on their way to each other. */
struct pairing {
	struct store *s;
	struct audit_who who;
	struct arena *a;
	struct store_allow *rows;
	size_t n;
	struct keymap by_key;  /* the first row that is not taken yet */
	uint32_t *next, *last; /* by row: the next, and of a first one the last, of the same key */
	bool *taken;
	uint64_t changed;
	struct error *err;
};

struct key {
	XXH128_hash_t h;
};

/* What makes an entry of a list file the same one after it was edited, or moved to another file. */
static struct key key_of(bool is_app_list, struct sv pattern, struct sv scope)
{
	struct key key;
	struct buf b;

	buf_init(&b, MAX_KEY);
	buf_char(&b, is_app_list ? 'a' : 'd');
	buf_sv(&b, pattern);
	buf_char(&b, '\0');
	buf_sv(&b, scope);
	key.h = XXH3_128bits(b.p, b.n);
	buf_free(&b);
	return key;
}

static void pairing_begin(struct pairing *p)
{
	keymap_init(&p->by_key, sizeof(struct key), 0);
	p->next = arena_alloc(p->a, (p->n + 1) * sizeof(*p->next));
	p->last = arena_alloc(p->a, (p->n + 1) * sizeof(*p->last));
	p->taken = arena_alloc(p->a, (p->n + 1) * sizeof(*p->taken));
	for (uint32_t i = 0; i < p->n; i++) {
		const struct store_allow *r = &p->rows[i];
		struct key key;
		uint32_t *slot;

		p->next[i] = NOBODY;
		p->last[i] = i;
		if (sv_empty(r->file))
			continue;
		key = key_of(r->is_app_list, r->pattern, r->scope);
		slot = keymap_slot(&p->by_key, &key);
		if (*slot == KEYMAP_NONE) {
			*slot = i;
			continue;
		}
		p->next[p->last[*slot]] = i;
		p->last[*slot] = i;
	}
}

static struct store_allow row_of(const struct allow_entry *e, struct arena *a)
{
	return (struct store_allow){
		.is_app_list = e->kind == ALLOW_APP,
		.pattern = e->subject.text,
		.scope = allow_scope(e->only, e->n_only, a),
		.owner = e->owner,
		.reason = e->reason,
		.ticket = e->ticket,
		.expires = e->expires_text,
		.file = e->file != NULL ? sv_cstr(e->file) : SV("configuration"),
		.line = e->line,
	};
}

static bool pair(struct pairing *p, const struct allow_entry *e, int64_t *id)
{
	struct store_allow now = row_of(e, p->a);
	struct key key = key_of(now.is_app_list, now.pattern, now.scope);
	uint32_t *slot = keymap_slot(&p->by_key, &key);
	const struct store_allow *row;

	if (*slot == KEYMAP_NONE || *slot == NOBODY) {
		p->changed++;
		if (!store_allow_add(p->s, &p->who, &now, p->err))
			return false;
		*id = now.id;
		return true;
	}
	row = &p->rows[*slot];
	p->taken[*slot] = true;
	if (p->next[*slot] != NOBODY)
		p->last[p->next[*slot]] = p->last[*slot];
	*slot = p->next[*slot];
	*id = row->id;
	if (!sv_eq(row->owner, now.owner) || !sv_eq(row->reason, now.reason) ||
	    !sv_eq(row->ticket, now.ticket) || !sv_eq(row->expires, now.expires)) {
		now.created_at = row->created_at;
		now.created_by = row->created_by;
		now.ended_at = row->ended_at;
		now.expired_at = row->expired_at;
		now.removed_at = INT64_MIN;
		p->changed++;
		return store_allow_change(p->s, &p->who, "allow.change", row, &now, p->err);
	}
	return (row->line == now.line && sv_eq(row->file, now.file)) ||
	       store_allow_move(p->s, row->id, now.file, now.line, p->err);
}

static bool pair_all(struct pairing *p, const struct conf *c, int64_t *ids)
{
	uint64_t reopened;

	pairing_begin(p);
	for (size_t i = 0; i < c->allowed_apps.n; i++)
		if (!pair(p, &c->allowed_apps.entries[i], ids++))
			return false;
	for (size_t i = 0; i < c->allowed_destinations.n; i++)
		if (!pair(p, &c->allowed_destinations.entries[i], ids++))
			return false;
	for (size_t i = 0; i < p->n; i++) {
		if (sv_empty(p->rows[i].file) || p->taken[i])
			continue;
		p->changed++;
		if (!store_allow_remove(p->s, &p->who, &p->rows[i], &reopened, p->err))
			return false;
	}
	return true;
}

static bool bring_in_step(struct store *s, const struct conf *c, struct instant wall,
			  struct arena *a, int64_t *ids, uint64_t *changed, struct error *err)
{
	struct pairing p = { .s = s, .who = itself(wall), .a = a, .err = err };
	bool ok;

	if (!store_begin(s, err))
		return false;
	ok = store_allow_list(s, false, a, &p.rows, &p.n, err) && pair_all(&p, c, ids);
	keymap_free(&p.by_key);
	*changed = p.changed;
	if (ok)
		return store_commit(s, err);
	store_rollback(s);
	return false;
}

/* ---- entries */

static const struct governed_entry *entry_of(const struct governed *g, int64_t id)
{
	size_t low = 0, high = g->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (g->entries[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < g->n && g->entries[low].id == id ? &g->entries[low] : NULL;
}

/* Of the database's entries: those of one list, with their ids. */
static bool read_list(const struct store_allow *rows, size_t n, bool is_app_list, struct arena *a,
		      struct allow_list *list, const int64_t **ids, struct error *err)
{
	struct allow_entry *entries = arena_alloc(a, (n + 1) * sizeof(*entries));
	int64_t *numbers = arena_alloc(a, (n + 1) * sizeof(*numbers));
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].is_app_list != is_app_list || !sv_empty(rows[i].file))
			continue;
		if (!allow_entry_read(&rows[i], a, &entries[k], err))
			return false;
		numbers[k++] = rows[i].id;
	}
	*list = (struct allow_list){ .entries = entries, .n = k };
	*ids = numbers;
	return true;
}

static void note_entries(struct governed *new, const struct governed *old,
			 const struct store_allow *rows, size_t n)
{
	new->entries = arena_alloc(&new->_arena, (n + 1) * sizeof(*new->entries));
	for (size_t i = 0; i < n; i++) {
		const struct governed_entry *before = entry_of(old, rows[i].id);
		struct governed_entry *e = &new->entries[new->n++];

		*e = (struct governed_entry){ .id = rows[i].id,
					      .until = allow_until(&rows[i]),
					      .said = rows[i].expired_at != INT64_MIN,
					      .blank = rows[i].use.findings == 0 };
		if (before != NULL) {
			e->counts = before->counts;
			e->names = before->names;
		}
		if (!e->said && instant_known(e->until) &&
		    (!instant_known(new->next_end) || e->until.ns < new->next_end.ns))
			new->next_end = e->until;
	}
}

bool governed_load(struct governed *g, struct store *s, const struct conf *c, struct instant wall,
		   uint64_t *changed, struct error *err)
{
	size_t n_files = c->allowed_apps.n + c->allowed_destinations.n, n;
	struct governed new = *g;
	struct store_allow *rows;
	int64_t *ids;

	new._arena = (struct arena){ 0 };
	new.n = 0;
	new.next_end = INSTANT_NONE;
	ids = arena_alloc(&new._arena, (n_files + 1) * sizeof(*ids));
	if (!bring_in_step(s, c, wall, &new._arena, ids, changed, err) ||
	    !store_allow_list(s, false, &new._arena, &rows, &n, err) ||
	    !read_list(rows, n, true, &new._arena, &new.apps, &new.app_ids, err) ||
	    !read_list(rows, n, false, &new._arena, &new.destinations, &new.destination_ids, err)) {
		arena_free(&new._arena);
		return false;
	}
	new.file_ids = ids;
	new.n_file_ids = n_files;
	note_entries(&new, g, rows, n);
	/* What was counted of the old entries is counted again. */
	arena_free(&new._news);
	new._news = (struct arena){ 0 };
	new._reach = NULL;
	new._n_reach = new.n_pending = 0;
	arena_free(&g->_arena);
	*g = new;
	return true;
}

void governed_settings(const struct governed *g, struct settings *settings, struct arena *a)
{
	size_t n = settings->n_allowances, total = n + g->apps.n + g->destinations.n;
	struct allowance *all = arena_alloc(a, (total + 1) * sizeof(*all));

	if (n > 0)
		memcpy(all, settings->allowances, n * sizeof(*all));
	settings_allow(settings, all, &g->apps, true, a);
	settings_allow(settings, all, &g->destinations, false, a);
	for (size_t i = 0; i < n && i < g->n_file_ids; i++)
		all[i].id = g->file_ids[i];
	for (size_t i = 0; i < g->apps.n; i++)
		all[n + i].id = g->app_ids[i];
	for (size_t i = 0; i < g->destinations.n; i++)
		all[n + g->apps.n + i].id = g->destination_ids[i];
	settings->allowances = all;
}

bool governed_look(struct store *s, struct settings *settings, struct arena *a, struct error *err)
{
	struct governed g = { 0 };
	struct store_allow *rows;
	size_t n;

	if (!store_allow_list(s, false, a, &rows, &n, err) ||
	    !read_list(rows, n, true, a, &g.apps, &g.app_ids, err) ||
	    !read_list(rows, n, false, a, &g.destinations, &g.destination_ids, err))
		return false;
	governed_settings(&g, settings, a);
	return true;
}

/* ---- ends */

static bool say_ends(struct store *s, const struct store_allow *rows, size_t n, struct instant wall,
		     uint64_t *ended, uint64_t *reopened, struct error *err)
{
	const struct audit_who who = itself(wall);
	uint64_t some;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].expired_at != INT64_MIN || !allow_is_over(&rows[i], wall))
			continue;
		if (!store_allow_end(s, &who, &rows[i], true, &some, err))
			return false;
		(*ended)++;
		*reopened += some;
	}
	return true;
}

bool governed_tick(struct governed *g, struct store *s, struct instant wall, uint64_t *ended,
		   uint64_t *reopened, struct error *err)
{
	struct arena a = { 0 };
	struct store_allow *rows;
	size_t n;
	bool ok;

	*ended = *reopened = 0;
	if (!store_begin(s, err))
		return false;
	ok = store_allow_list(s, false, &a, &rows, &n, err) &&
	     say_ends(s, rows, n, wall, ended, reopened, err);
	arena_free(&a);
	if (!ok) {
		store_rollback(s);
		return false;
	}
	fault_point("allow.ends");
	if (!store_commit(s, err))
		return false;
	fault_point("allow.ended");
	g->next_end = INSTANT_NONE;
	for (size_t i = 0; i < g->n; i++) {
		struct governed_entry *e = &g->entries[i];

		e->said |= instant_known(e->until) && e->until.ns <= wall.ns;
		if (!e->said && instant_known(e->until) &&
		    (!instant_known(g->next_end) || e->until.ns < g->next_end.ns))
			g->next_end = e->until;
	}
	return true;
}
