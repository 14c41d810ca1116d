#include "base/keylog.h"

bool keylog_holds(struct sv text)
{
	/* The labels of draft-ietf-tls-keylogfile, and NSS's older one. */
	static const struct sv labels[] = {
		{ "CLIENT_RANDOM ", 14 },  { "TRAFFIC_SECRET", 14 }, { "EXPORTER_SECRET ", 16 },
		{ "RSA Session-ID:", 15 }, { "Master-Key:", 11 },
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (sv_find(text, labels[i]) != SIZE_MAX)
			return true;
	return false;
}
