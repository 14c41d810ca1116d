#include "govern/entry.h"

#include "conf/assign.h"
#include "parse/json.h"

#define MAX_TEXT 1000u
#define MAX_SCOPE ((size_t)2 * 1024 * 1024)

/* ---- what somebody wrote */

/* name: of the member that it stands in. */
static bool read_pattern(const char *name, struct sv text, bool app, struct arena *a,
			 struct allow_pattern *out, struct error *err)
{
	struct error why;

	if (sv_empty(text) || text.n > MAX_TEXT)
		return error_set(err, ERROR_CONFIG, 0, "%s: expected %s of at most %u bytes", name,
				 app ? "a bundle id such as com.acme.bank, or com.vendor.*,"
				     : "a host, .suffix, address or network",
				 MAX_TEXT);
	return (app ? allow_pattern_app(text, a, out, &why)
		    : allow_pattern_destination(text, a, out, &why)) ||
	       error_set(err, ERROR_CONFIG, 0, "%s: `%.*s`: %s", name, SV_ARG(sv_first(text, 80)),
			 why.message);
}

static bool plain_text(struct sv text, const char *name, struct error *err)
{
	if (text.n > MAX_TEXT)
		return error_set(err, ERROR_CONFIG, 0, "%s: expected a text of at most %u bytes",
				 name, MAX_TEXT);
	return true;
}

struct sv allow_scope(const struct allow_pattern *only, size_t n, struct arena *a)
{
	struct jsonw w;
	struct buf b;
	struct sv out;

	if (n == 0)
		return SV_NONE;
	buf_init(&b, MAX_SCOPE);
	w = jsonw_on(&b);
	jsonw_open(&w, '[');
	for (size_t i = 0; i < n; i++)
		jsonw_sv(&w, only[i].text);
	jsonw_close(&w, ']');
	out = arena_sv(a, buf_view(&b));
	buf_free(&b);
	return out;
}

bool allow_draft_read(const struct allow_draft *d, struct arena *a, struct store_allow *out,
		      struct error *err)
{
	const char *subject_name = d->is_app_list ? "app" : "destination";
	const char *scope_name = d->is_app_list ? "destinations" : "apps";
	struct allow_pattern subject, *only;
	struct instant day;

	if (!read_pattern(subject_name, d->pattern, d->is_app_list, a, &subject, err))
		return false;
	if (d->n_scope > ALLOW_MAX_ONLY)
		return error_set(err, ERROR_CONFIG, 0, "%s: more than %u items", scope_name,
				 ALLOW_MAX_ONLY);
	only = arena_alloc(a, (d->n_scope + 1) * sizeof(*only));
	for (size_t i = 0; i < d->n_scope; i++)
		if (!read_pattern(scope_name, d->scope[i], !d->is_app_list, a, &only[i], err))
			return false;
	if (!plain_text(d->owner, "owner", err) || !plain_text(d->reason, "reason", err) ||
	    !plain_text(d->ticket, "ticket", err))
		return false;
	if (!sv_empty(d->expires) && !allow_day(d->expires, &day))
		return error_set(err, ERROR_CONFIG, 0, "%s: expected %s", "expires",
				 ALLOW_DAY_EXPECTED);
	*out = (struct store_allow){
		.is_app_list = d->is_app_list,
		.pattern = subject.text,
		.scope = allow_scope(only, d->n_scope, a),
		.owner = arena_sv(a, d->owner),
		.reason = arena_sv(a, d->reason),
		.ticket = arena_sv(a, d->ticket),
		.expires = arena_sv(a, d->expires),
		.ended_at = INT64_MIN,
		.expired_at = INT64_MIN,
		.removed_at = INT64_MIN,
		.use.last = INT64_MIN,
	};
	return true;
}

/* ---- rows */

bool allow_entry_read(const struct store_allow *row, struct arena *a, struct allow_entry *out,
		      struct error *err)
{
	struct allow_entry e = {
		.kind = row->is_app_list ? ALLOW_APP : ALLOW_DESTINATION,
		.owner = row->owner,
		.reason = row->reason,
		.ticket = row->ticket,
		.expires_text = row->expires,
		.until = allow_until(row),
	};
	struct allow_pattern *only;
	struct value scope;

	if (!read_pattern("pattern", row->pattern, row->is_app_list, a, &e.subject, err))
		goto wrong;
	if (!sv_empty(row->scope)) {
		if (!json_to_value(row->scope, a, &scope, err))
			goto wrong;
		if (scope.type != VALUE_ARRAY) {
			error_set(err, ERROR_FORMAT, 0, "%s: expected a list of patterns", "scope");
			goto wrong;
		}
		only = arena_alloc(a, scope.array.n * sizeof(*only));
		for (; e.n_only < scope.array.n; e.n_only++)
			if (scope.array.items[e.n_only].type != VALUE_STRING ||
			    !read_pattern("scope", scope.array.items[e.n_only].text,
					  !row->is_app_list, a, &only[e.n_only], err))
				goto wrong;
		e.only = only;
	}
	*out = e;
	return true;
wrong:
	error_prefix(err, "allow-list entry %lld", (long long)row->id);
	err->code = ERROR_FORMAT;
	return false;
}

bool allow_day(struct sv text, struct instant *day) { return conf_date(text, day); }

struct instant allow_until(const struct store_allow *row)
{
	struct instant until = INSTANT_NONE;

	if (!sv_empty(row->expires) && allow_day(row->expires, &until))
		until = instant_add(until, (struct span){ NS_PER_DAY });
	if (row->ended_at != INT64_MIN && (!instant_known(until) || row->ended_at < until.ns))
		until.ns = row->ended_at;
	return until;
}

const char *allow_state(const struct store_allow *row, struct instant now)
{
	return row->removed_at != INT64_MIN ? "removed"
	       : allow_is_over(row, now)    ? "expired"
					    : "active";
}

/* ---- matching */

static enum allow_met meets_host(const struct allow_pattern *p, struct sv host, struct sv servers,
				 bool more)
{
	size_t in = 0, out = 0;

	if (allow_pattern_holds(p, host, NULL))
		return MET_WHOLLY;
	if (p->kind != PATTERN_NETWORK)
		return MET_NOT;
	while (servers.n > 0) {
		struct addr ip;

		if (!addr_parse(sv_cut(servers, ' ', &servers), &ip))
			continue;
		if (cidr_holds(&p->network, &ip))
			in++;
		else
			out++;
	}
	if (in + out == 0)
		return MET_PERHAPS;
	return in == 0 ? (more ? MET_PERHAPS : MET_NOT) : out > 0 || more ? MET_PARTLY : MET_WHOLLY;
}

static bool holds_app(const struct allow_pattern *list, size_t n, struct sv app)
{
	for (size_t i = 0; i < n; i++)
		if (allow_pattern_holds(&list[i], app, NULL))
			return true;
	return n == 0;
}

bool allow_meets_app(const struct allow_entry *e, struct sv app)
{
	return e->kind == ALLOW_APP ? holds_app(&e->subject, 1, app)
				    : holds_app(e->only, e->n_only, app);
}

enum allow_met allow_meets(const struct allow_entry *e, struct sv app, struct sv host,
			   struct sv servers, bool more)
{
	const struct allow_pattern *list = e->kind == ALLOW_APP ? e->only : &e->subject;
	size_t n = e->kind == ALLOW_APP ? e->n_only : 1;
	enum allow_met best = n == 0 ? MET_WHOLLY : MET_NOT;

	if (!allow_meets_app(e, app))
		return MET_NOT;
	for (size_t i = 0; i < n; i++) {
		enum allow_met met = meets_host(&list[i], host, servers, more);

		/* Two networks that each hold a part: a part is what is sure. */
		best = met > best ? met : best;
	}
	return best;
}
