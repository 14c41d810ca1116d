#include "judge/apple.h"

/* Each stands for the name itself and everything below it. */
static const char *const domains[] = {
	"apple.com",
	"icloud.com",
	"mzstatic.com",
	"icloud-content.com",
	"apple-cloudkit.com",
	"apple-livephotoskit.com",
	"apple-mapkit.com",
	"apple-dns.net",
	"cdn-apple.com",
	"aaplimg.com",
	"apzones.com",
	"itunes.com",
	"appsto.re",
	"apple.news",
	"me.com",
	"mac.com",
};

bool apple_service(struct sv host)
{
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct sv d = sv_cstr(domains[i]);
		if (sv_ends(host, d) && (host.n == d.n || host.p[host.n - d.n - 1] == '.'))
			return true;
	}
	return false;
}
