#include "govern/preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/keymap.h"

#define MAX_NAMES 10000000u

/* ---- findings that an entry meets */

struct named {
	char uid[37], verdict[16], severity[16];
	struct sv app, host;
	uint16_t port;
	int64_t last_seen;
	uint64_t devices;
	enum allow_met met;
};

struct named_list {
	struct named *list;
	size_t n, capacity;
};

struct preview {
	struct allow_entry entry;
	struct arena *a;
	struct named_list now, past;
	uint64_t already; /* expected as it is, and met */
	uint64_t severe, seed;
	struct keymap devices, apps, hosts; /* of what it would quiet, by hash */
};

/* Counting distinct names: a hash of 64 bits stands for one. */
static void note(struct preview *p, struct keymap *m, struct sv text)
{
	uint64_t h = XXH3_64bits_withSeed(text.p, text.n, p->seed);

	if (m->count < MAX_NAMES)
		*keymap_slot(m, &h) = 1;
}

static void name(struct preview *p, struct named_list *to, const struct store_allow_finding *f,
		 enum allow_met met)
{
	struct named *n;

	if (to->n == to->capacity) {
		to->capacity = to->capacity == 0 ? 64 : to->capacity * 2;
		to->list = xrealloc(to->list, to->capacity, sizeof(*to->list));
	}
	n = &to->list[to->n++];
	snprintf(n->uid, sizeof(n->uid), "%s", f->uid);
	snprintf(n->verdict, sizeof(n->verdict), "%s", f->verdict);
	snprintf(n->severity, sizeof(n->severity), "%s", f->severity);
	n->app = arena_sv(p->a, f->bundle_id);
	n->host = arena_sv(p->a, f->host);
	n->port = f->port;
	n->last_seen = f->last_seen;
	n->devices = f->devices;
	n->met = met;
}

static void meet(void *arg, const struct store_allow_finding *f)
{
	struct preview *p = arg;
	enum allow_met met =
	    allow_meets(&p->entry, f->bundle_id, f->host, f->servers, f->more_servers);

	if (met == MET_NOT)
		return;
	if (f->open) {
		name(p, &p->now, f, met);
		p->severe += strcmp(f->severity, "high") == 0;
		note(p, &p->apps, f->bundle_id);
		note(p, &p->hosts, f->host);
		return;
	}
	if (f->past)
		name(p, &p->past, f, met);
	p->already += strcmp(f->verdict, "expected") == 0;
}

static void take_device(void *arg, struct sv id)
{
	struct preview *p = arg;

	note(p, &p->devices, id);
}

/* ---- as JSON */

static const char *met_word(enum allow_met met)
{
	return met == MET_WHOLLY ? "wholly" : met == MET_PARTLY ? "partly" : "perhaps";
}

static void named_json(struct jsonw *w, const char *key, const struct named_list *list)
{
	jsonw_key(w, key);
	jsonw_open(w, '{');
	jsonw_key_count(w, "total", list->n);
	jsonw_key(w, "findings");
	jsonw_open(w, '[');
	for (size_t i = 0; i < list->n && i < ALLOW_NAMED; i++) {
		const struct named *n = &list->list[i];

		jsonw_open(w, '{');
		jsonw_key_str(w, "uid", n->uid);
		jsonw_key_full(w, "app", n->app);
		jsonw_key_full(w, "host", n->host);
		jsonw_key_count(w, "port", n->port);
		jsonw_key_str(w, "verdict", n->verdict);
		jsonw_key_str(w, "severity", n->severity);
		jsonw_key_count(w, "devices", n->devices);
		jsonw_key(w, "last_seen");
		jsonw_instant(w, (struct instant){ n->last_seen });
		jsonw_key_str(w, "met", met_word(n->met));
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void fleet_json(struct jsonw *w, const struct preview *p, struct store *s)
{
	struct sv known = SV_NONE;
	uint64_t all;

	jsonw_key(w, "fleet");
	jsonw_open(w, '{');
	jsonw_key_count(w, "devices", p->devices.count);
	jsonw_key(w, "of_devices");
	if (store_meta(s, "fleet_devices", p->a, &known) && sv_to_u64(known, &all))
		jsonw_int(w, (int64_t)all);
	else
		jsonw_null(w);
	jsonw_key_count(w, "apps", p->apps.count);
	jsonw_key_count(w, "destinations", p->hosts.count);
	jsonw_close(w, '}');
}

/* Entries that say the same, or that hold its patterns already. */
static bool same_json(struct jsonw *w, struct store *s, const struct store_allow *row,
		      struct arena *a, struct error *err)
{
	struct store_allow *rows;
	size_t n;

	if (!store_allow_list(s, false, a, &rows, &n, err))
		return false;
	jsonw_key(w, "same");
	jsonw_open(w, '[');
	for (size_t i = 0; i < n; i++)
		if (rows[i].is_app_list == row->is_app_list &&
		    sv_eq(rows[i].pattern, row->pattern) && sv_eq(rows[i].scope, row->scope))
			jsonw_int(w, rows[i].id);
	jsonw_close(w, ']');
	return true;
}

static bool gather(struct preview *p, struct store *s, struct error *err)
{
	if (!store_allow_findings(s, meet, p, err))
		return false;
	for (size_t i = 0; i < p->now.n; i++)
		if (!store_allow_devices(s, p->now.list[i].uid, take_device, p, err))
			return false;
	return true;
}

static bool preview(struct jsonw *w, struct store *s, const struct store_allow *row,
		    struct preview *p, struct error *err)
{
	struct allow_warnings warnings;
	struct allow_apps apps;

	if (!allow_entry_read(row, p->a, &p->entry, err) || !allow_apps_read(&apps, s, p->a, err) ||
	    !gather(p, s, err))
		return false;
	allow_warn(&p->entry, &apps, &warnings);
	if (p->severe > 0)
		allow_warning_add(&warnings, "quiets_severe",
				  "it would quiet %llu %s of severity high: look at %s first",
				  (unsigned long long)p->severe,
				  p->severe == 1 ? "finding" : "findings",
				  p->severe == 1 ? "it" : "them");
	jsonw_open(w, '{');
	jsonw_key(w, "entry");
	jsonw_open(w, '{');
	store_allow_draft_members(w, row);
	jsonw_close(w, '}');
	jsonw_key(w, "warnings");
	allow_warnings_json(w, &warnings);
	named_json(w, "quiets", &p->now);
	named_json(w, "past", &p->past);
	jsonw_key_count(w, "expected_already", p->already);
	if (!same_json(w, s, row, p->a, err))
		return false;
	fleet_json(w, p, s);
	jsonw_close(w, '}');
	return true;
}

bool allow_preview_json(struct jsonw *w, struct store *s, const struct store_allow *row,
			struct arena *a, struct error *err)
{
	struct preview p = { .a = a };
	bool ok;

	if (getrandom(&p.seed, sizeof(p.seed), 0) != (ssize_t)sizeof(p.seed))
		p.seed = (uint64_t)(uintptr_t)a;
	keymap_init(&p.devices, sizeof(uint64_t), p.seed);
	keymap_init(&p.apps, sizeof(uint64_t), p.seed);
	keymap_init(&p.hosts, sizeof(uint64_t), p.seed);
	ok = preview(w, s, row, &p, err);
	keymap_free(&p.devices);
	keymap_free(&p.apps);
	keymap_free(&p.hosts);
	free(p.now.list);
	free(p.past.list);
	return ok;
}

/* ---- what entries say to a destination */

/* The servers that findings of this host were seen at. */
struct known_servers {
	struct sv host;
	struct buf text;
	bool more;
};

static void take_servers(void *arg, const struct store_allow_finding *f)
{
	struct known_servers *k = arg;

	if (!sv_eq(f->host, k->host))
		return;
	if (f->servers.n > 0)
		buf_printf(&k->text, "%s%.*s", k->text.n > 0 ? " " : "", SV_ARG(f->servers));
	k->more |= f->more_servers;
}

/* What the entry says; NULL: nothing. */
static const char *say(const struct allow_entry *e, struct sv host, struct sv app,
		       const struct known_servers *servers, const char **because)
{
	bool any_app = e->kind == ALLOW_APP ? false : e->n_only == 0;
	/* Without an app the question is whether it could be one. */
	struct sv asked = app;
	struct allow_entry open = *e;
	enum allow_met met;

	if (sv_empty(app) && !any_app) {
		if (e->kind == ALLOW_APP && e->n_only == 0)
			return NULL; /* every destination: says nothing about this one */
		if (e->kind == ALLOW_APP) {
			asked =
			    e->subject.kind == PATTERN_PREFIX ? e->subject.match : e->subject.text;
		} else {
			open.only = NULL;
			open.n_only = 0;
		}
	}
	met = allow_meets(&open, asked, host, buf_view(&servers->text), servers->more);
	if (met == MET_NOT)
		return NULL;
	*because = met == MET_PERHAPS	       ? "the servers' addresses are not known"
		   : met == MET_PARTLY	       ? "some of the known servers are in the network"
		   : sv_empty(app) && !any_app ? "for some apps"
					       : "its patterns hold";
	return met == MET_WHOLLY && (any_app || !sv_empty(app)) ? "covered" : "perhaps";
}

static void said_json(struct jsonw *w, const struct store_allow *row, const char *answer,
		      const char *because, struct instant now)
{
	jsonw_open(w, '{');
	jsonw_key_int(w, "id", row->id);
	jsonw_key_str(w, "list", row->is_app_list ? "app" : "destination");
	jsonw_key_full(w, "pattern", row->pattern);
	jsonw_key(w, "scope");
	jsonw_raw(w, sv_empty(row->scope) ? SV("[]") : row->scope);
	jsonw_key_full(w, "owner", row->owner);
	jsonw_key_full(w, "expires", row->expires);
	jsonw_key_str(w, "state", allow_state(row, now));
	jsonw_key_str(w, "answer", answer);
	jsonw_key_str(w, "because", because);
	jsonw_close(w, '}');
}

bool allow_test_json(struct jsonw *w, struct store *s, struct sv host, struct sv app,
		     struct instant now, struct arena *a, struct error *err)
{
	struct known_servers servers = { .host = host };
	const char *best = "not_covered", *because;
	struct store_allow *rows;
	size_t n;
	bool ok;

	buf_init(&servers.text, 1 << 20);
	ok = store_allow_list(s, false, a, &rows, &n, err) &&
	     store_allow_findings(s, take_servers, &servers, err);
	if (ok) {
		jsonw_open(w, '{');
		jsonw_key_full(w, "host", host);
		jsonw_key_full(w, "app", app);
		jsonw_key(w, "entries");
		jsonw_open(w, '[');
	}
	/* As judging looks: AllowedAppList first. */
	for (int list = 1; ok && list >= 0; list--)
		for (size_t i = 0; i < n; i++) {
			struct allow_entry e;
			const char *answer;

			if (rows[i].is_app_list != (list == 1))
				continue;
			ok = allow_entry_read(&rows[i], a, &e, err);
			answer = ok ? say(&e, host, app, &servers, &because) : NULL;
			if (answer == NULL)
				continue;
			said_json(w, &rows[i], answer, because, now);
			if (!allow_is_over(&rows[i], now) && strcmp(best, "covered") != 0)
				best = answer;
		}
	if (ok) {
		jsonw_close(w, ']');
		jsonw_key_str(w, "answer", best);
		jsonw_close(w, '}');
	}
	buf_free(&servers.text);
	return ok;
}
