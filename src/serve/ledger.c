#include "serve/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "emit/emit.h"
#include "emit/finding_json.h"
#include "serve/digest.h"
#include "store/triage.h"

#define MAX_JSON ((size_t)64 * 1024 * 1024)

struct uid_key {
	unsigned char b[40];
};

static struct uid_key key_of(const char *uid)
{
	struct uid_key key = { { 0 } };

	memcpy(key.b, uid, strnlen(uid, 36));
	return key;
}

void ledger_init(struct ledger *l, uint64_t seed)
{
	*l = (struct ledger){ 0 };
	keymap_init(&l->_by_uid, sizeof(struct uid_key), seed);
	buf_init(&l->_json, MAX_JSON);
}

static void drop_pending(struct ledger *l, struct ledger_entry *e)
{
	if (e->pending == NULL)
		return;
	free((char *)(uintptr_t)e->pending->json.p);
	free((char *)(uintptr_t)e->pending->bundle_id.p);
	free((char *)(uintptr_t)e->pending->version.p);
	free((char *)(uintptr_t)e->pending->host.p);
	free(e->pending);
	e->pending = NULL;
	l->n_pending--;
	l->n_shown -= e->shown;
}

void ledger_free(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		drop_pending(l, &l->list[i]);
	free(l->list);
	keymap_free(&l->_by_uid);
	buf_free(&l->_json);
	*l = (struct ledger){ 0 };
}

static struct ledger_entry *entry_of(struct ledger *l, const char *uid)
{
	struct uid_key key = key_of(uid);
	uint32_t *slot = keymap_slot(&l->_by_uid, &key);

	if (*slot == KEYMAP_NONE) {
		if (l->n == l->capacity) {
			l->capacity = l->capacity == 0 ? 64 : l->capacity * 2;
			l->list = xrealloc(l->list, l->capacity, sizeof(*l->list));
		}
		l->list[l->n] =
		    (struct ledger_entry){ .resolved_at = INT64_MIN, .last_seen = INT64_MIN };
		snprintf(l->list[l->n].uid, sizeof(l->list[l->n].uid), "%s", uid);
		*slot = (uint32_t)l->n++;
	}
	return &l->list[*slot];
}

static uint8_t number_of(const char *word, const char *(*name)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(name(i), word) == 0)
			return (uint8_t)i;
	return 0;
}

static const char *kind_word(unsigned i) { return finding_kind_name((enum finding_kind)i); }
static const char *verdict_word(unsigned i) { return verdict_name((enum verdict)i); }
static const char *severity_word(unsigned i) { return severity_name((enum severity)i); }

static bool is_shown(const struct ledger_entry *e)
{
	const struct finding f = { .kind = (enum finding_kind)e->kind,
				   .verdict = (enum verdict)e->verdict };

	return emit_shows(&f, false);
}

static void load(void *arg, const struct store_finding *f)
{
	struct ledger *l = arg;
	struct ledger_entry *e = entry_of(l, f->uid);

	e->revision = f->revision;
	memcpy(e->digest, f->digest, sizeof(e->digest));
	e->last_seen = f->last_seen;
	e->created_at = f->created_at;
	e->resolved_at = f->resolved_at;
	e->kind = number_of(f->kind, kind_word, FINDING_KINDS);
	e->verdict = number_of(f->verdict, verdict_word, VERDICTS);
	e->severity = number_of(f->severity, severity_word, SEVERITY_HIGH + 1);
	e->present = f->present;
	e->shown = is_shown(e);
}

static void count(struct ledger *l)
{
	memset(l->open_by_verdict, 0, sizeof(l->open_by_verdict));
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].resolved_at == INT64_MIN)
			l->open_by_verdict[l->list[i].verdict]++;
}

void ledger_load(struct ledger *l, struct store *s)
{
	store_findings(s, load, l);
	count(l);
}

static struct sv own(struct sv v)
{
	char *p = xmalloc(v.n + 1);

	if (v.n > 0)
		memcpy(p, v.p, v.n);
	p[v.n] = '\0';
	return sv_make(p, v.n);
}

static void touch(struct ledger *l, struct ledger_entry *e, bool present, int64_t resolved_at)
{
	if (e->present == present && e->resolved_at == resolved_at)
		return;
	e->present = present;
	e->resolved_at = resolved_at;
	l->n_touched += !e->touched;
	e->touched = true;
}

static void revise(struct ledger *l, struct ledger_entry *e, struct finding *f,
		   const struct settings *settings, struct instant wall)
{
	struct store_finding *p = xcalloc(1, sizeof(*p));

	if (e->revision == 0 && e->pending == NULL)
		e->created_at = wall.ns;
	drop_pending(l, e);
	f->revision = e->revision + 1;
	buf_reset(&l->_json);
	finding_json(&l->_json, f, settings);
	*p = (struct store_finding){
		.uid = e->uid,
		.revision = f->revision,
		.kind = finding_kind_name(f->kind),
		.verdict = verdict_name(f->verdict),
		.severity = severity_name(f->severity),
		.confidence = confidence_name(f->confidence),
		.risk = f->risk,
		.score = (double)f->score_centidb / 100,
		.bundle_id = own(f->bundle_id),
		.version = own(f->app_version),
		.host = own(f->host),
		.port = f->port,
		.devices = f->n_devices,
		.first_seen = f->first_seen.ns,
		.last_seen = f->last_seen.ns,
		.present = true,
		.created_at = e->created_at,
		.changed_at = wall.ns,
		.resolved_at = INT64_MIN,
		.json = own(buf_view(&l->_json)),
	};
	e->pending = p;
	l->n_pending++;
	e->shown = e->shown || is_shown(e);
	l->n_shown += e->shown;
}

/* What a judgement is compared under. */
struct comparison {
	const struct settings *settings;
	const struct ledger_whole *whole;
	uint64_t seed;
	struct instant wall;
	bool all;
};

/* Nobody is shown it, and enough of those are to be written. */
static bool has_to_wait(const struct ledger *l, const struct ledger_entry *e,
			const struct finding *f, const struct comparison *c)
{
	return !c->all && !e->shown && !emit_shows(f, false) &&
	       (e->pending != NULL || l->n_pending - l->n_shown >= LEDGER_LAZY);
}

static void compare(struct ledger *l, const struct finding *found, const struct comparison *c)
{
	struct ledger_entry *e = entry_of(l, found->uid);
	struct finding f = *found;
	bool there = e->revision > 0 || e->pending != NULL;
	struct digest digest;

	e->seen = l->judgements;
	e->last_seen = f.last_seen.ns;
	if (there && f.since != 0 && e->since == f.since) {
		touch(l, e, true, e->resolved_at);
		return;
	}
	if (f.outline && has_to_wait(l, e, &f, c)) {
		e->verdict = (uint8_t)f.verdict;
		l->n_stale++;
		return;
	}
	if (f.outline)
		c->whole->make(c->whole->arg, &f);
	digest = digest_finding(&f, c->seed);
	if (there && memcmp(e->digest, digest.half, sizeof(e->digest)) == 0) {
		e->since = f.since;
		touch(l, e, true, e->resolved_at);
		return;
	}
	e->kind = (uint8_t)f.kind;
	e->verdict = (uint8_t)f.verdict;
	e->severity = (uint8_t)f.severity;
	if (has_to_wait(l, e, &f, c)) {
		l->n_stale++;
		return;
	}
	e->since = f.since;
	memcpy(e->digest, digest.half, sizeof(e->digest));
	revise(l, e, &f, c->settings, c->wall);
	touch(l, e, true, INT64_MIN);
}

void ledger_take(struct ledger *l, const struct finding *list, size_t n,
		 const struct settings *settings, const struct ledger_whole *whole,
		 struct span resolve_after, int64_t newest, struct instant wall, bool all)
{
	const struct comparison c = { settings, whole, digest_seed(settings), wall, all };

	l->judgements++;
	l->n_stale = 0;
	for (size_t i = 0; i < n; i++)
		compare(l, &list[(l->_turn + i) % n], &c);
	l->_turn += LEDGER_LAZY;
	for (size_t i = 0; i < l->n; i++) {
		struct ledger_entry *e = &l->list[i];
		bool present = e->seen == l->judgements;
		bool quiet = newest != INT64_MIN && e->last_seen != INT64_MIN &&
			     newest - e->last_seen > resolve_after.ns;

		/* A source that is heard again is no longer silent; what only time makes old waits
		 * for it. */
		if (e->kind == FINDING_SOURCE_SILENT)
			quiet = !present;
		touch(l, e, present,
		      quiet && e->resolved_at == INT64_MIN ? wall.ns : e->resolved_at);
		if (e->kind == FINDING_SOURCE_SILENT && present)
			touch(l, e, true, INT64_MIN);
	}
	count(l);
}

/* Those who listen hear of what people are shown. */
static bool tell_revision(struct store *s, const struct store_finding *row, struct error *err)
{
	struct buf data;
	struct jsonw w;
	bool ok;

	buf_init(&data, 4096);
	w = jsonw_on(&data);
	jsonw_open(&w, '{');
	jsonw_key_str(&w, "uid", row->uid);
	jsonw_key_int(&w, "revision", row->revision);
	jsonw_key_str(&w, "kind", row->kind);
	jsonw_key_str(&w, "verdict", row->verdict);
	jsonw_key_str(&w, "severity", row->severity);
	jsonw_key(&w, "resolved_at");
	jsonw_instant(&w, (struct instant){ row->resolved_at });
	jsonw_close(&w, '}');
	ok = changes_write(s, row->changed_at, "finding", sv_cstr(row->uid), buf_view(&data), err);
	buf_free(&data);
	return ok;
}

static bool write_revision(const struct ledger_entry *e, struct store *s, struct sv output,
			   struct error *err)
{
	struct store_finding row = *e->pending;

	row.uid = e->uid;
	row.present = e->present;
	row.resolved_at = e->resolved_at;
	memcpy(row.digest, e->digest, sizeof(row.digest));
	return store_put_finding(s, &row, e->shown, err) &&
	       triage_revised(s, e->uid, row.changed_at, err) &&
	       (!e->shown || tell_revision(s, &row, err)) &&
	       (!e->shown || sv_empty(output) ||
		store_put_outbox(s, output, e->uid, row.revision, err));
}

/* Resolved, or gone, or there again; its revision stays. */
static bool write_touch(const struct ledger_entry *e, struct store *s, struct instant wall,
			struct error *err)
{
	const struct store_finding row = {
		.uid = e->uid,
		.revision = e->revision,
		.kind = finding_kind_name((enum finding_kind)e->kind),
		.verdict = verdict_name((enum verdict)e->verdict),
		.severity = severity_name((enum severity)e->severity),
		.changed_at = wall.ns,
		.resolved_at = e->resolved_at,
	};

	return store_touch_finding(s, e->uid, e->present, e->resolved_at, err) &&
	       (!e->shown || tell_revision(s, &row, err));
}

bool ledger_write(struct ledger *l, struct store *s, struct sv output, struct instant wall,
		  struct error *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_entry *e = &l->list[i];

		if (e->pending != NULL ? !write_revision(e, s, output, err)
				       : e->touched && !write_touch(e, s, wall, err))
			return false;
	}
	return true;
}

void ledger_committed(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ledger_entry *e = &l->list[i];

		if (e->pending != NULL) {
			e->revision = e->pending->revision;
			drop_pending(l, e);
			e->shown = is_shown(e);
		}
		e->touched = false;
	}
	l->n_touched = l->n_shown = 0;
}
