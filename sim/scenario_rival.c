/* Failures that have an ordinary reason. */
#include "sim/scenario.h"
#include "sim/talk.h"

#define FINE (MAY_OBSERVE | MAY_EXPLAIN)

static uint16_t app_on(struct sim *s, const char *bundle, const char *name, uint16_t share,
		       uint16_t visits)
{
	return sim_add_app(s, (struct sim_app){ .bundle = bundle,
						.name = name,
						.version = "3.1",
						.managed = true,
						.share = share,
						.visits = visits });
}

static void talks(struct sim *s, const char *scenario, uint16_t app, const char *host,
		  sim_talk *talk, uint8_t verdicts, const char *explained_by)
{
	sim_add_pair(s, host,
		     (struct sim_pair){ .app = app,
					.talk = talk,
					.chance = 1000,
					.verdicts = verdicts,
					.scenario = scenario,
					.explained_by = explained_by,
					.only_device = SIM_NO_DEVICE });
}

/* Two apps that share an origin's trouble: each has to be seen while the other is judged. */
static bool room_for_two(const struct sim *s) { return s->n_devices >= 4 && s->o->days >= 2; }

static bool mtls(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	const char *alert_40;
	uint16_t portal, parts;

	(void)r;
	(void)cast;
	if (!room_for_two(s))
		return false;
	/* The event log of SIM_MITMPROXY gives no reason for an origin's alert 40. */
	alert_40 = s->o->profile == SIM_MITMPROXY ? "upstream" : "mutual_tls";
	portal = app_on(s, "com.acme.portal", "AcmePortal", 400, 1);
	parts = app_on(s, "com.acme.parts", "AcmeParts", 400, 1);
	talks(s, "mtls", portal, "old.partner.test", talk_mtls_alert, MAY_EXPLAIN, alert_40);
	talks(s, "mtls", portal, "gateway.partner.test", talk_mtls_late, MAY_EXPLAIN, "mutual_tls");
	talks(s, "mtls", parts, "gateway.partner.test", talk_mtls_late, MAY_EXPLAIN, "mutual_tls");
	talks(s, "mtls", parts, "parts.acme.test", talk_ok, FINE, NULL);
	return true;
}

static bool broken_origin(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = app_on(s, "com.cobble.recipes", "Cobble", 400, 1);

	(void)r;
	(void)cast;
	talks(s, "broken_origin", app, "ads.cobble.test", talk_bad_origin, MAY_EXPLAIN, "upstream");
	talks(s, "broken_origin", app, "api.cobble.test", talk_ok, FINE, NULL);
	return true;
}

static bool expired_origin(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t one, two;

	(void)r;
	(void)cast;
	if (!room_for_two(s))
		return false;
	one = app_on(s, "com.thicket.birds", "Thicket", 350, 1);
	two = app_on(s, "com.paddle.tides", "Paddle", 350, 1);
	s->apps[two].stack = STACK_APPLE_TLS12;
	talks(s, "expired_origin", one, "feed.oldcert.test", talk_expired, MAY_EXPLAIN, "upstream");
	talks(s, "expired_origin", two, "feed.oldcert.test", talk_expired, MAY_EXPLAIN, "upstream");
	talks(s, "expired_origin", one, "api.thicket.test", talk_ok, FINE, NULL);
	talks(s, "expired_origin", two, "api.paddle.test", talk_ok, FINE, NULL);
	return true;
}

static bool version_mismatch(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = app_on(s, "com.fossil.scanner", "Fossil", 250, 1);

	(void)r;
	(void)cast;
	s->apps[app].stack = STACK_ANCIENT;
	talks(s, "version_mismatch", app, "legacy.fossil.test", talk_mismatch, MAY_EXPLAIN,
	      "tls_mismatch");
	return true;
}

static bool flaky(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = app_on(s, "com.burrow.podcasts", "Burrow", 700, 3);

	(void)r;
	(void)cast;
	talks(s, "flaky", app, "cdn.burrow.test", talk_flaky, FINE, NULL);
	talks(s, "flaky", app, "api.burrow.test", talk_ok, FINE, NULL);
	return true;
}

static bool preconnect(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = app_on(s, "com.gale.reader", "Gale", 600, 3);

	(void)r;
	(void)cast;
	talks(s, "preconnect", app, "www.gale.test", talk_busy, FINE, NULL);
	talks(s, "preconnect", app, "assets.gale.test", talk_busy, FINE, NULL);
	return true;
}

/* From the first day half around the proxy: no newcomer, nothing to see. */
static bool video(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = app_on(s, "com.tessel.video", "Tessel", 700, 2);

	(void)r;
	(void)cast;
	talks(s, "video", app, "media.tessel.test", talk_half_direct, FINE, NULL);
	return true;
}

/* System services: not inspected where the gateway knows them, refused where it does not. */
static bool apple(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	static const struct {
		const char *bundle, *name, *host;
		sim_talk *talk;
	} services[] = {
		{ "com.apple.apsd", "apsd", "1-courier.push.apple.com", talk_pinned },
		{ "com.apple.mobileassetd", "mobileassetd", "mesu.apple.com", talk_pinned },
		{ "com.apple.itunesstored", "itunesstored", "play.itunes.apple.com", talk_spliced },
		{ "com.apple.cloudd", "cloudd", "gateway.icloud.com", talk_spliced },
	};

	(void)r;
	(void)cast;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		uint16_t app = sim_add_app(s, (struct sim_app){ .bundle = services[i].bundle,
								.name = services[i].name,
								.version = "18.1",
								.system = true,
								.visits = 1,
								.share = 1000 });
		talks(s, "apple", app, services[i].host, services[i].talk, MAY_EXPECT | MAY_OBSERVE,
		      "apple_service");
	}
	return true;
}

const struct sim_scenario sim_rival_scenarios[] = {
	{ "mtls", "origins that want a client certificate", mtls, NULL, NULL },
	{ "broken_origin", "the gateway does not trust the origin", broken_origin, NULL, NULL },
	{ "expired_origin", "two apps refuse one host's expired certificate", expired_origin, NULL,
	  NULL },
	{ "version_mismatch", "an app that speaks TLS 1.0 only", version_mismatch, NULL, NULL },
	{ "flaky", "a bad line: failures among successes", flaky, NULL, NULL },
	{ "preconnect", "sockets opened to spare and never used", preconnect, NULL, NULL },
	{ "video", "goes around the proxy since the first day", video, NULL, NULL },
	{ "apple", "Apple's own services refuse or are let through", apple, NULL, NULL },
	{ 0 },
};
