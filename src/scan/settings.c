#include "scan/settings.h"

static const struct sv *pattern_texts(const struct allow_pattern *patterns, size_t n,
				      struct arena *a)
{
	struct sv *texts = arena_alloc(a, n * sizeof(*texts));

	for (size_t i = 0; i < n; i++)
		texts[i] = patterns[i].text;
	return texts;
}

void settings_allow(struct settings *s, struct allowance *out, const struct allow_list *list,
		    bool is_app_list, struct arena *a)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct allow_entry *e = &list->entries[i];
		const struct sv *subject = pattern_texts(&e->subject, 1, a);
		const struct sv *only = pattern_texts(e->only, e->n_only, a);
		struct allowance *w = &out[s->n_allowances++];

		*w = (struct allowance){
			.text = e->subject.text,
			.is_app_list = is_app_list,
			.expires = INSTANT_NONE,
		};
		if (is_app_list) {
			w->app = *subject;
			w->destinations = only;
			w->n_destinations = e->n_only;
		} else {
			w->destinations = subject;
			w->n_destinations = 1;
			w->apps = only;
			w->n_apps = e->n_only;
		}
		if (instant_known(e->until))
			w->expires.ns = e->until.ns - 1;
	}
}

static const struct listener *listeners(const struct conf_endpoints *e, struct arena *a)
{
	struct listener *list = arena_alloc(a, e->n * sizeof(*list));

	for (size_t i = 0; i < e->n; i++)
		list[i] = (struct listener){ e->items[i].ip, e->items[i].port };
	return list;
}

void settings_from_conf(struct settings *s, const struct conf *c, struct arena *a)
{
	size_t n = c->allowed_apps.n + c->allowed_destinations.n;
	struct allowance *allowances = arena_alloc(a, n * sizeof(*allowances));

	*s = (struct settings){
		.time_window = c->time_window,
		.inspection_failure_threshold = c->inspection_failure_threshold,
		.foreground_state_required = c->foreground_state_required,
		.allowances = allowances,
		.score_window = c->score_window,
		.posture_max_age = c->posture_max_age,
		.state_max_age = c->state_max_age,
		.baseline_days = c->baseline_days,
		.baseline_devices = c->baseline_devices,
		.opaque_sessions = c->opaque_sessions,
		.root_profiles = c->root_profiles.items,
		.n_root_profiles = c->root_profiles.n,
		.issuers = c->issuers.items,
		.n_issuers = c->issuers.n,
		.listeners = listeners(&c->listeners, a),
		.n_listeners = c->listeners.n,
		.addresses = c->addresses.items,
		.n_addresses = c->addresses.n,
	};
	settings_allow(s, allowances, &c->allowed_apps, true, a);
	settings_allow(s, allowances, &c->allowed_destinations, false, a);
}

static const struct sv *copy_texts(const struct sv *texts, size_t n, struct arena *a)
{
	struct sv *copy = arena_alloc(a, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_sv(a, texts[i]);
	return copy;
}

void settings_copy(struct settings *out, const struct settings *s, struct arena *a)
{
	struct allowance *list = arena_alloc(a, (s->n_allowances + 1) * sizeof(*list));

	*out = *s;
	for (size_t i = 0; i < s->n_allowances; i++) {
		list[i] = s->allowances[i];
		list[i].text = arena_sv(a, list[i].text);
		list[i].app = arena_sv(a, list[i].app);
		list[i].apps = copy_texts(list[i].apps, list[i].n_apps, a);
		list[i].destinations = copy_texts(list[i].destinations, list[i].n_destinations, a);
	}
	out->allowances = list;
	out->root_profiles = copy_texts(s->root_profiles, s->n_root_profiles, a);
	out->issuers = copy_texts(s->issuers, s->n_issuers, a);
	out->listeners = arena_copy(a, s->listeners, s->n_listeners * sizeof(*s->listeners));
	out->addresses = arena_copy(a, s->addresses, s->n_addresses * sizeof(*s->addresses));
}
