#include "govern/broad.h"

#include <libpsl.h>
#include <stdarg.h>
#include <stdio.h>

static void take_app(void *arg, struct sv bundle_id)
{
	struct allow_apps *apps = arg;

	if (apps->n == apps->_capacity) {
		struct sv *larger =
		    arena_alloc(apps->_arena, (apps->_capacity + 64) * 2 * sizeof(*larger));

		if (apps->n > 0)
			memcpy(larger, apps->list, apps->n * sizeof(*larger));
		apps->list = larger;
		apps->_capacity = (apps->_capacity + 64) * 2;
	}
	apps->list[apps->n++] = arena_sv(apps->_arena, bundle_id);
}

bool allow_apps_read(struct allow_apps *apps, struct store *s, struct arena *a, struct error *err)
{
	*apps = (struct allow_apps){ ._arena = a };
	return store_allow_apps(s, take_app, apps, err);
}

void allow_warning_add(struct allow_warnings *w, const char *code, const char *fmt, ...)
{
	struct allow_warning *one;
	va_list args;

	if (w->n == ALLOW_MAX_WARNINGS)
		return;
	one = &w->list[w->n++];
	one->code = code;
	va_start(args, fmt);
	vsnprintf(one->text, sizeof(one->text), fmt, args);
	va_end(args);
}

/* Broad: why; else NULL. */
static const char *broad_suffix(const struct allow_pattern *p)
{
	const psl_ctx_t *psl = psl_builtin();

	/* Also what a public suffix is by default: the last label, listed or not. */
	return psl != NULL && psl_is_public_suffix(psl, p->match.p + 1) ? "public_suffix" : NULL;
}

static const char *broad_network(const struct allow_pattern *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = memcmp(p->network.base.b, mapped, sizeof(mapped)) == 0 && p->network.bits >= 96;
	unsigned bits = v4 ? p->network.bits - 96u : p->network.bits;

	return bits < (v4 ? ALLOW_IPV4_BITS : ALLOW_IPV6_BITS) ? "wide_network" : NULL;
}

static size_t apps_held(const struct allow_pattern *p, const struct allow_apps *apps)
{
	size_t n = 0;

	for (size_t i = 0; i < apps->n; i++)
		n += allow_pattern_holds(p, apps->list[i], NULL);
	return n;
}

static const char *why_broad(const struct allow_pattern *p, const struct allow_apps *apps)
{
	switch (p->kind) {
	case PATTERN_PREFIX:
		return apps_held(p, apps) > ALLOW_MANY_APPS ? "many_apps" : NULL;
	case PATTERN_SUFFIX:
		return broad_suffix(p);
	case PATTERN_NETWORK:
		return broad_network(p);
	case PATTERN_EXACT:
		break;
	}
	return NULL;
}

static bool narrowed(const struct allow_entry *e, const struct allow_apps *apps)
{
	for (size_t i = 0; i < e->n_only; i++)
		if (why_broad(&e->only[i], apps) != NULL)
			return false;
	return e->n_only > 0;
}

static void say_broad(const struct allow_pattern *p, const char *code,
		      const struct allow_apps *apps, struct allow_warnings *out)
{
	struct sv text = sv_first(p->text, 100);

	out->broad = true;
	if (p->kind == PATTERN_PREFIX)
		allow_warning_add(
		    out, code,
		    "`%.*s` holds %zu apps that were seen, more than %d: name them one by one",
		    SV_ARG(text), apps_held(p, apps), ALLOW_MANY_APPS);
	else if (p->kind == PATTERN_SUFFIX)
		allow_warning_add(
		    out, code,
		    "`%.*s` is a public suffix: anybody can have a name below it. Name the domain",
		    SV_ARG(text));
	else
		allow_warning_add(
		    out, code,
		    "`%.*s` is wider than /%d (/%d for IPv6): name smaller networks, or hosts",
		    SV_ARG(text), ALLOW_IPV4_BITS, ALLOW_IPV6_BITS);
}

void allow_warn(const struct allow_entry *e, const struct allow_apps *apps,
		struct allow_warnings *out)
{
	const char *code = why_broad(&e->subject, apps);

	*out = (struct allow_warnings){ 0 };
	if (code != NULL && !narrowed(e, apps))
		say_broad(&e->subject, code, apps, out);
	if (sv_empty(e->owner))
		allow_warning_add(out, "no_owner", "nobody answers for it: say who with `owner`");
	if (sv_empty(e->reason) && sv_empty(e->ticket))
		allow_warning_add(out, "no_reason",
				  "nothing says why: give a `reason` or a `ticket`");
	if (!instant_known(e->until))
		allow_warning_add(out, "no_expiry", "it never ends: give a day with `expires`");
}

void allow_warnings_json(struct jsonw *w, const struct allow_warnings *list)
{
	jsonw_open(w, '[');
	for (size_t i = 0; i < list->n; i++) {
		jsonw_open(w, '{');
		jsonw_key_str(w, "code", list->list[i].code);
		jsonw_key_str(w, "message", list->list[i].text);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}
