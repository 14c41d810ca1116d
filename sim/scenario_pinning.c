/* Apps that do pin, or go around the gateway, and those that everybody expects to. */
#include "sim/scenario.h"
#include "sim/talk.h"
#include "sim/timeline.h"

#define FINE (MAY_OBSERVE | MAY_EXPLAIN)

/* An app of the scenario's, on `share` of the fleet, used `visits` times a day. */
static uint16_t phone_app(struct sim *s, const char *bundle, const char *name, const char *version,
			  uint16_t share, uint16_t visits)
{
	return sim_add_app(s, (struct sim_app){ .bundle = bundle,
						.name = name,
						.version = version,
						.managed = true,
						.share = share,
						.visits = visits });
}

static uint16_t pinned(struct sim *s, const char *scenario, uint16_t app, const char *host,
		       sim_talk *talk, uint8_t verdicts)
{
	return sim_add_pair(s, host,
			    (struct sim_pair){ .app = app,
					       .talk = talk,
					       .chance = 1000,
					       .pinned = true,
					       .verdicts = verdicts,
					       .scenario = scenario,
					       .only_device = SIM_NO_DEVICE });
}

/* A handful of phones over a day or two may not fail in two bursts, which confirming takes. */
static uint8_t surely(const struct sim *s)
{
	bool many = (uint64_t)s->n_devices * s->o->days >= 10;

	return (uint8_t)(many ? MAY_CONFIRM : MAY_CONFIRM | MAY_SUSPECT);
}

static uint16_t fine(struct sim *s, const char *scenario, uint16_t app, const char *host,
		     sim_talk *talk)
{
	return sim_add_pair(s, host,
			    (struct sim_pair){ .app = app,
					       .talk = talk,
					       .chance = 900,
					       .verdicts = FINE,
					       .scenario = scenario,
					       .only_device = SIM_NO_DEVICE });
}

static bool bank(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.acme.bank", "AcmeBank", "7.1", 600, 1);

	(void)r;
	(void)cast;
	pinned(s, "bank", app, "api.bank.test", talk_pinned, surely(s));
	fine(s, "bank", app, "content.bank.test", talk_ok);
	fine(s, "bank", app, "telemetry.metricsone.test", talk_ok);
	return true;
}

static bool late_pin(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.solace.insure", "Solace", "2.3.1", 500, 1);

	(void)r;
	(void)cast;
	pinned(s, "late_pin", app, "api.solace.test", talk_pinned_late, MAY_CONFIRM | MAY_SUSPECT);
	fine(s, "late_pin", app, "www.solace.test", talk_ok);
	return true;
}

static bool silent_closer(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.acme.vault", "AcmeVault", "3.3", 350, 1);

	(void)r;
	(void)cast;
	pinned(s, "silent_closer", app, "gw.vault.acme.test", talk_pinned_silent,
	       MAY_CONFIRM | MAY_SUSPECT);
	fine(s, "silent_closer", app, "help.vault.acme.test", talk_ok);
	return true;
}

static bool two_stacks(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.plaza.social", "Plaza", "388.0", 500, 1);

	(void)r;
	(void)cast;
	pinned(s, "two_stacks", app, "graph.plaza.test", talk_pinned_bundled, surely(s));
	fine(s, "two_stacks", app, "img.plaza.test", talk_ok);
	return true;
}

static bool update(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.acme.wallet", "AcmeWallet", "1.9", 500, 2);

	(void)r;
	(void)cast;
	s->apps[app].next_version = "2.0";
	s->apps[app].update_at = sim_day(s, sim_late_day(s), 0, 20);
	pinned(s, "update", app, "pay.wallet.test", talk_pinned_updated, surely(s));
	fine(s, "update", app, "cards.wallet.test", talk_ok);
	return true;
}

static bool allowed_app(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.acme.payroll", "AcmePayroll", "5.0", 450, 1);
	uint16_t pair = pinned(s, "allowed_app", app, "api.payroll.test", talk_pinned, MAY_EXPECT);

	(void)r;
	(void)cast;
	s->pairs[pair].explained_by = "AllowedAppList:com.acme.payroll";
	s->lists = true;
	return true;
}

static bool allowed_destination(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.gridline.agent", "Gridline", "9.2", 700, 1);
	uint16_t pair = pinned(s, "allowed_destination", app, "edge.push.gridline.test",
			       talk_pinned, MAY_EXPECT);

	(void)r;
	(void)cast;
	s->pairs[pair].explained_by = "AllowedDestinationList:.push.gridline.test";
	fine(s, "allowed_destination", app, "www.gridline.test", talk_ok);
	s->lists = true;
	return true;
}

/* The web browser reaches what the next two scenarios go around the proxy to. Its successes under
 * inspection tell the flow sensor how small a success can be. */
static uint16_t browser(struct sim *s)
{
	/* One bit an app: at most 64. NOLINTNEXTLINE(bugprone-too-small-loop-variable) */
	for (uint16_t a = 0; a < s->n_apps; a++)
		if (strcmp(s->apps[a].bundle, "com.acme.browser") == 0)
			return a;
	return phone_app(s, "com.acme.browser", "AcmeBrowser", "12.6", 900, 2);
}

static bool bypass(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app = phone_app(s, "com.rill.stream", "Rill", "6.6", 300, 1);

	(void)r;
	(void)cast;
	pinned(s, "bypass", app, "edge.rill.test", talk_bypass, MAY_CONFIRM | MAY_SUSPECT);
	fine(s, "bypass", browser(s), "edge.rill.test", talk_ok);
	return true;
}

/* A newcomer whose own traffic never goes through the gateway. */
static bool opaque(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app;

	/* Before there is a baseline nothing is off it. */
	if (s->o->days < 5)
		return false;
	cast->device[0] = sim_claim_device(s, r);
	if (cast->device[0] == SIM_NO_DEVICE)
		return false;
	app = phone_app(s, "com.veil.messenger", "Veil", "0.9", 0, 4);
	s->apps[app].managed = false;
	s->apps[app].from = sim_newcomers(s);
	sim_install(s, app, cast->device[0]);
	pinned(s, "opaque", app, "relay.veil.test", talk_direct, MAY_SUSPECT);
	/* What it embeds does use the proxy: the phone's other traffic is inspected at the same
	 * time. */
	fine(s, "opaque", app, "telemetry.metricsone.test", talk_ok);
	fine(s, "opaque", browser(s), "relay.veil.test", talk_ok);
	return true;
}

/* Malware: a flashlight that phones home on a timer, whoever looks. */
static bool rogue(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	uint16_t app;

	cast->device[0] = sim_claim_device(s, r);
	if (cast->device[0] == SIM_NO_DEVICE)
		return false;
	cast->device[1] = s->n_devices >= 30 ? sim_claim_device(s, r) : SIM_NO_DEVICE;
	app = sim_add_app(s, (struct sim_app){ .bundle = "com.glow.flashlight",
					       .name = "Glow",
					       .version = "1.0.4",
					       .stack = STACK_OPENSSL,
					       .own_agent = true,
					       .background = true });
	s->apps[app].from = sim_newcomers(s);
	cast->app = app;
	pinned(s, "rogue", app, "c2.metrics-sync.test", talk_pinned, surely(s));
	for (int i = 0; i < 2; i++)
		if (cast->device[i] != SIM_NO_DEVICE) {
			sim_install(s, app, cast->device[i]);
			/* Without the EDR nothing would tell that it works in the background. */
			if (s->o->noise == 0)
				s->devices[cast->device[i]].edr = EDR_EXACT;
		}
	return true;
}

static void rogue_beacons(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	for (int i = 0; i < 2; i++) {
		struct sim_visit v = { .device = cast->device[i],
				       .app = cast->app,
				       .length = { 30 * NS_PER_S },
				       .background = true,
				       .locked = true };
		int64_t period = rng_range(r, 25, 40) * NS_PER_MINUTE;

		if (v.device == SIM_NO_DEVICE)
			continue;
		v.start = sim_after(s->apps[cast->app].from, rng_range(r, 60000, 1200000));
		for (; v.start.ns < s->end.ns; v.start.ns += period) {
			struct sim_visit now = v;
			/* A twentieth of the period early or late. */
			now.start.ns += rng_range(r, -period / 20, period / 20);
			sim_play_visit(s, r, &now);
		}
	}
}

const struct sim_scenario sim_pinning_scenarios[] = {
	{ "bank", "a bank's app on many phones refuses the gateway's certificate", bank, NULL,
	  NULL },
	{ "rogue", "an unmanaged background app beacons to a new host and refuses", rogue,
	  rogue_beacons, NULL },
	{ "late_pin", "the pin is checked after the handshake", late_pin, NULL, NULL },
	{ "silent_closer", "the app closes inside the handshake without an alert", silent_closer,
	  NULL, NULL },
	{ "two_stacks", "one app, one host, two TLS stacks, one of them pins", two_stacks, NULL,
	  NULL },
	{ "update", "version 1.9 is fine, version 2.0 pins", update, NULL, NULL },
	{ "allowed_app", "pins, and stands on AllowedAppList", allowed_app, NULL, NULL },
	{ "allowed_destination", "pins, and its host stands on AllowedDestinationList",
	  allowed_destination, NULL, NULL },
	{ "bypass", "refuses, then goes around the proxy", bypass, NULL, NULL },
	{ "opaque", "a newcomer only ever goes around the proxy", opaque, NULL, NULL },
	{ 0 },
};
