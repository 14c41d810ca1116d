#include "sim/fleet.h"

#include "sim/talk.h"

/* Apps that everybody has. Hosts that several of them share give the learned attribution something
 * to doubt and the control "another app is fine here" something to find. */
static const struct {
	const char *bundle, *name, *version;
	uint16_t weight, share;
	enum sim_stack stack;
	const char *hosts[6];
} ordinary[] = {
	/* clang-format off */
	{ "com.acme.mail", "AcmeMail", "4.2", 14, 1000, STACK_APPLE,
	  { "imap.mail.acme.test", "img.mail.acme.test", "telemetry.metricsone.test" } },
	{ "com.acme.chat", "AcmeChat", "11.0.3", 14, 950, STACK_APPLE,
	  { "api.chat.acme.test", "media.chat.acme.test" } },
	{ "com.acme.crm", "AcmeCRM", "2.8", 6, 600, STACK_APPLE_TLS12,
	  { "crm.acme.test", "static.cdnone.test" } },
	{ "com.lumen.news", "Lumen News", "7.4.1", 10, 800, STACK_APPLE,
	  { "api.lumen.test", "img.lumen.test", "static.cdnone.test",
	    "telemetry.metricsone.test" } },
	{ "com.brisk.weather", "Brisk", "3.0", 8, 850, STACK_APPLE,
	  { "data.brisk.test", "tiles.brisk.test" } },
	{ "com.orbit.maps", "OrbitMaps", "19.2", 6, 700, STACK_BUNDLED,
	  { "tile.orbit.test", "route.orbit.test", "search.orbit.test" } },
	{ "com.harbor.travel", "Harbor", "5.5", 3, 400, STACK_APPLE,
	  { "api.harbor.test", "static.cdnone.test" } },
	{ "com.quill.notes", "Quill", "1.19", 5, 600, STACK_APPLE, { "sync.quill.test" } },
	{ "com.ember.music", "Ember", "30.1", 8, 650, STACK_APPLE,
	  { "api.ember.test", "audio.ember.test", "telemetry.metricsone.test" } },
	{ "com.acme.expenses", "AcmeExpenses", "1.4", 3, 500, STACK_APPLE_TLS12,
	  { "expenses.acme.test" } },
	/* clang-format on */
};

#define N_ORDINARY (sizeof(ordinary) / sizeof(ordinary[0]))

void sim_build_ordinary_apps(struct sim *s)
{
	for (size_t i = 0; i < N_ORDINARY; i++) {
		uint16_t app = sim_add_app(s, (struct sim_app){
						  .bundle = ordinary[i].bundle,
						  .name = ordinary[i].name,
						  .version = ordinary[i].version,
						  .stack = ordinary[i].stack,
						  .own_agent = ordinary[i].stack == STACK_BUNDLED,
						  .managed = true,
						  .weight = ordinary[i].weight,
						  .share = ordinary[i].share,
					      });
		for (size_t h = 0; h < 6 && ordinary[i].hosts[h] != NULL; h++)
			sim_add_pair(s, ordinary[i].hosts[h],
				     (struct sim_pair){
					 .app = app,
					 .talk = talk_ok,
					 .chance = h == 0 ? 1000 : 550,
					 .verdicts = MAY_OBSERVE | MAY_EXPLAIN,
					 .scenario = "baseline",
					 .only_device = SIM_NO_DEVICE,
				     });
	}
}
