#include "sim/fleet.h"

#include <stdio.h>

const struct sim_stack_facts sim_stacks[STACKS] = {
	[STACK_APPLE] = { .ja3 = "773906b0efdefa24a7f2b8eb6985bf37",
			  .ja4 = "t13d2014h2_a09f3c656075_14788d8d241b",
			  .quic_ja4 = "q13d0312h3_55b375c5d22e_06cda9e17597",
			  .zeek_version = "TLSv13",
			  .cipher = "TLS_AES_128_GCM_SHA256",
			  .squid_version = "TLS/1.3",
			  .version = "1.3",
			  .hello = 517,
			  .alert = 46,
			  .tls13 = true },
	[STACK_APPLE_TLS12] = { .ja3 = "c07cb55f88702033a8f52c046d23e0b2",
				.ja4 = "t12d1909h2_d83cc789557e_7af1ed941c26",
				.quic_ja4 = "",
				.zeek_version = "TLSv12",
				.cipher = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
				.squid_version = "TLS/1.2",
				.version = "1.2",
				.hello = 232,
				.alert = 46,
				.clear_alerts = true },
	[STACK_BUNDLED] = { .ja3 = "9b02ebd3a43b62d825e1ac605b621dc8",
			    .ja4 = "t13d1516h2_8daaf6152771_02713d6af862",
			    .quic_ja4 = "q13d0310h3_55b375c5d22e_cd85d2d88918",
			    .zeek_version = "TLSv13",
			    .cipher = "TLS_AES_128_GCM_SHA256",
			    .squid_version = "TLS/1.3",
			    .version = "1.3",
			    .hello = 517,
			    .alert = 46,
			    .tls13 = true },
	[STACK_OPENSSL] = { .ja3 = "0149f47eabf9a20d0893e2a44e5a6323",
			    .ja4 = "t13d3112h1_e8f1e7e78f70_b26ce05bbdd6",
			    .quic_ja4 = "",
			    .zeek_version = "TLSv13",
			    .cipher = "TLS_AES_256_GCM_SHA384",
			    .squid_version = "TLS/1.3",
			    .version = "1.3",
			    .hello = 317,
			    .alert = 48,
			    .tls13 = true,
			    .clear_alerts = true },
	[STACK_ANCIENT] = { .ja3 = "e4adf57bf4a7a2dc08e9495f1b05c0ea",
			    .ja4 = "t10d070500_6f25e4e6a5a6_55dc8b4f2ffb",
			    .quic_ja4 = "",
			    .zeek_version = "TLSv10",
			    .cipher = "TLS_RSA_WITH_AES_128_CBC_SHA",
			    .squid_version = "TLS/1.0",
			    .version = "1.0",
			    .hello = 108,
			    .alert = 46,
			    .clear_alerts = true },
};

/* One network a kind of lease, 200 addresses in each /24, so that the third octet stays
 * readable. */
static uint32_t home_ip(uint32_t device, enum sim_lease_kind kind)
{
	return UINT32_C(10) << 24 | (uint32_t)(8 + kind) << 16 | device / 200 << 8 |
	       (10 + device % 200);
}

static void name_device(struct sim_device *d, uint32_t i, struct rng *r)
{
	static const char letters[] = "CDFGHJKLMNPQRTVWXY0123456789";
	uint64_t id = rng_next(r);

	snprintf(d->udid, sizeof(d->udid), "00008%03X-%08X%08X", (unsigned)(id & 0xfff),
		 (unsigned)rng_next(r), (unsigned)rng_next(r));
	for (int k = 0; k < 10; k++)
		d->serial[k] = letters[rng_below(r, sizeof(letters) - 1)];
	/* The end makes it unique in every fleet. */
	snprintf(d->serial + 10, sizeof(d->serial) - 10, "%05u", i % 100000u);
	snprintf(d->mac, sizeof(d->mac), "f0:18:98:%02x:%02x:%02x", i >> 16 & 0xff, i >> 8 & 0xff,
		 i & 0xff);
	snprintf(d->user, sizeof(d->user), "u%05u@acme.test", i % 100000u);
}

void sim_build_devices(struct sim *s)
{
	s->n_devices = s->o->devices;
	s->devices = arena_alloc(&s->arena, s->n_devices * sizeof(*s->devices));
	for (uint32_t i = 0; i < s->n_devices; i++) {
		struct sim_device *d = &s->devices[i];
		struct rng r = rng_stream(s->o->seed, "device", i);

		name_device(d, i, &r);
		d->root_from = (struct instant){ 0 };
		d->leased = (uint8_t)(i % LEASED_KINDS);
		d->edr = i % 4 == 3 ? EDR_NONE : i % 4 == 2 ? EDR_HOST : EDR_EXACT;
		d->stays[0] =
		    (struct sim_stay){ s->start, s->end, home_ip(i, (enum sim_lease_kind)d->leased),
				       false };
		d->n_stays = 1;
		d->next_port = (uint16_t)rng_below(&r, 16384);
		memcpy(d->lease_mac, d->mac, sizeof(d->mac));
		memcpy(d->radius_name, d->user, sizeof(d->user));
		/* Some leave the private Wi-Fi address on: the address alone then names no phone
		 * that MDM knows, and only the EDR can say which it is. */
		if (i % 16 == 9)
			snprintf(d->lease_mac, sizeof(d->lease_mac), "4a:%02x:%02x:%02x:%02x:%02x",
				 (unsigned)rng_below(&r, 256), (unsigned)rng_below(&r, 256),
				 i >> 16 & 0xff, i >> 8 & 0xff, i & 0xff);
	}
}

uint16_t sim_add_app(struct sim *s, struct sim_app app)
{
	struct sim_app *a = &s->apps[s->n_apps];

	*a = app;
	/* CFNetwork sends the bundle's name percent-encoded, and its build. */
	if (!app.own_agent) {
		size_t n = 0;
		for (const char *c = app.name; *c != '\0' && n < 60; c++)
			n += (size_t)snprintf(a->agent + n, sizeof(a->agent) - n,
					      *c == ' ' ? "%%20" : "%c", *c);
		snprintf(a->agent + n, sizeof(a->agent) - n,
			 "/%s CFNetwork/1568.200.51 Darwin/24.1.0",
			 app.system ? "1.0" : app.version);
	} else {
		snprintf(a->agent, sizeof(a->agent), "%s/%s (iPhone; iOS 18.1; Scale/3.00)",
			 app.name, app.version);
	}
	return (uint16_t)s->n_apps++;
}

static uint16_t host_named(struct sim *s, const char *name)
{
	size_t i = 0;

	while (i < s->n_hosts && strcmp(s->hosts[i].name, name) != 0)
		i++;
	if (i == s->n_hosts) {
		/* 203.0.113.0/24 and 198.51.100.0/24 are documentation networks (RFC 5737). */
		uint32_t net = i < 200 ? UINT32_C(0xcb007100) : UINT32_C(0xc6336400);
		s->hosts[s->n_hosts++] = (struct sim_host){ name, net | (uint32_t)(10 + i % 200) };
	}
	return (uint16_t)i;
}

uint16_t sim_add_pair(struct sim *s, const char *host, struct sim_pair p)
{
	struct sim_app *a = &s->apps[p.app];

	p.host = host_named(s, host);
	s->pairs[s->n_pairs] = p;
	a->pairs[a->n_pairs++] = (uint16_t)s->n_pairs;
	return (uint16_t)s->n_pairs++;
}

uint32_t sim_claim_device(struct sim *s, struct rng *r)
{
	uint32_t at;

	/* A third stays ordinary: controls come from there. */
	if (s->n_claimed + 1 > s->n_devices * 2 / 3)
		return SIM_NO_DEVICE;
	at = (uint32_t)rng_below(r, s->n_devices);
	while (s->devices[at].claimed)
		at = (at + 1) % s->n_devices;
	s->devices[at].claimed = true;
	s->n_claimed++;
	return at;
}

void sim_install(struct sim *s, uint16_t app, uint32_t device)
{
	s->devices[device].apps |= UINT64_C(1) << app;
}

bool sim_has_app(const struct sim_device *d, uint16_t app) { return (d->apps >> app & 1) != 0; }

void sim_spread_apps(struct sim *s)
{
	/* One bit an app: at most 64. NOLINTNEXTLINE(bugprone-too-small-loop-variable) */
	for (uint16_t a = 0; a < s->n_apps; a++) {
		const struct sim_app *app = &s->apps[a];
		bool ordinary = app->weight > 0 || app->system;
		uint32_t given = 0, free = s->n_devices - s->n_claimed;
		/* A scenario about many devices needs at least five where there are five. */
		uint32_t least = free < 5 ? free : 5;
		struct rng r = rng_stream(s->o->seed, app->bundle, 1);

		if (app->share == 0)
			continue;
		for (uint32_t d = 0; d < s->n_devices; d++)
			if ((ordinary || !s->devices[d].claimed) && rng_chance(&r, app->share)) {
				sim_install(s, a, d);
				given++;
			}
		for (uint32_t d = 0; d < s->n_devices && given < least; d++)
			if (!s->devices[d].claimed && !sim_has_app(&s->devices[d], a)) {
				sim_install(s, a, d);
				given++;
			}
	}
}

struct instant sim_update_time(const struct sim *s, uint16_t app, uint32_t device)
{
	/* Phones update at night, one after the other. */
	uint64_t minute = rng_mix(s->o->seed ^ (uint64_t)device << 16 ^ app) % 180;

	return instant_add(s->apps[app].update_at,
			   (struct span){ (int64_t)minute * NS_PER_MINUTE });
}

bool sim_updated(const struct sim *s, uint16_t app, uint32_t device, struct instant t)
{
	return s->apps[app].next_version != NULL && t.ns >= sim_update_time(s, app, device).ns;
}

const struct sim_stay *sim_stay_at(const struct sim_device *d, struct instant t)
{
	const struct sim_stay *found = &d->stays[0];

	for (uint8_t i = 0; i < d->n_stays; i++)
		if (d->stays[i].from.ns <= t.ns && t.ns < d->stays[i].until.ns)
			found = &d->stays[i];
	return found;
}

struct addr sim_addr(uint32_t ip)
{
	struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(ip >> 24),
			    (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip } };
	return a;
}

struct instant sim_day(const struct sim *s, uint32_t day, unsigned hour, unsigned minute)
{
	return (struct instant){ s->start.ns + (int64_t)day * NS_PER_DAY +
				 (int64_t)hour * NS_PER_HOUR + (int64_t)minute * NS_PER_MINUTE };
}

uint32_t sim_late_day(const struct sim *s) { return s->o->days >= 5 ? 3 : s->o->days * 3 / 5; }

struct instant sim_newcomers(const struct sim *s) { return sim_day(s, sim_late_day(s), 12, 0); }
