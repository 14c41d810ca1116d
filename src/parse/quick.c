#include "parse/quick.h"

static const struct {
	const char *derivation;
	enum target_width width;
	enum quick quick;
} ways[] = {
	{ "trim", AS_SV, QUICK_TRIM },	     { "lower", AS_SV, QUICK_LOWER },
	{ "host", AS_SV, QUICK_LOWER },	     { "udid", AS_SV, QUICK_UPPER },
	{ "serial", AS_SV, QUICK_UPPER },    { "strip_team_id", AS_SV, QUICK_BUNDLE },
	{ "ip", AS_ADDR, QUICK_IP },	     { "number", AS_U16, QUICK_PORT },
	{ "number", AS_I64, QUICK_NUMBER },  { "time", AS_NS, QUICK_EPOCH },
	{ "epoch_any", AS_NS, QUICK_EPOCH }, { "boolean", AS_INT, QUICK_TRI },
};

enum quick quick_find(const struct derivation *d, const struct target *t)
{
	if (d == NULL)
		return t->width == AS_SV ? QUICK_PLAIN : QUICK_NONE;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (t->width == ways[i].width && strcmp(d->name, ways[i].derivation) == 0)
			return ways[i].quick;
	return QUICK_NONE;
}
