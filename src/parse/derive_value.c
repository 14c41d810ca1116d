/* Numbers, addresses, yes and no, and the words of the canonical observation. */
#include "parse/derive.h"

static enum derived number(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t dot = sv_find_char(in, '.');

	if (dot != SIZE_MAX) { /* 3600.0 */
		for (size_t i = dot + 1; i < in.n; i++)
			if (in.p[i] != '0')
				return derive_bad(c, "a whole number");
		in = sv_first(in, dot);
	}
	return sv_to_i64(in, &out->number) ? DERIVED : derive_bad(c, "a whole number");
}

static enum derived hex(struct derive_context *c, struct sv in, struct cell *out)
{
	uint64_t n;

	if (sv_starts(in, SV("0x")) || sv_starts(in, SV("0X")))
		in = sv_skip(in, 2);
	if (!sv_hex_to_u64(in, &n) || n > INT64_MAX)
		return derive_bad(c, "a hexadecimal number");
	return derive_number(out, (int64_t)n);
}

static enum derived bytes(struct derive_context *c, struct sv in, struct cell *out)
{
	static const char units[] = "KMGT";
	int64_t scale = 1;
	const char *unit;

	in = sv_trim(in);
	if (in.n > 1 && (in.p[in.n - 1] == 'B' || in.p[in.n - 1] == 'b'))
		in.n--;
	unit = in.n > 1 ? memchr(units, in.p[in.n - 1] & ~0x20, 4) : NULL;
	if (unit != NULL) {
		in.n--;
		for (const char *u = units; u <= unit; u++)
			scale *= 1024;
	}
	in = sv_trim(in);
	if (!sv_to_i64(in, &out->number) || out->number < 0 ||
	    __builtin_mul_overflow(out->number, scale, &out->number))
		return derive_bad(c, "a number of bytes");
	return DERIVED;
}

static enum derived boolean(struct derive_context *c, struct sv in, struct cell *out)
{
	static const char *const yes[] = { "true", "T", "yes", "1", "on", "Y" };
	static const char *const no[] = { "false", "F", "no", "0", "off", "N" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (sv_eq_nocase(in, sv_cstr(yes[i])))
			return derive_number(out, TRI_TRUE);
		if (sv_eq_nocase(in, sv_cstr(no[i])))
			return derive_number(out, TRI_FALSE);
	}
	return derive_bad(c, "true or false");
}

static enum derived ip(struct derive_context *c, struct sv in, struct cell *out)
{
	if (!addr_parse(in, &out->addr))
		return derive_bad(c, "an IP address");
	return addr_known(&out->addr) ? DERIVED : DERIVED_NOTHING;
}

/* An enumeration: the derivation that reads its words, and the word for a value. */
#define WORD(prefix, type, wanted)                                                                 \
	static enum derived prefix(struct derive_context *c, struct sv in, struct cell *out)       \
	{                                                                                          \
		enum type v;                                                                       \
		if (!prefix##_from_name(in, &v))                                                   \
			return derive_bad(c, wanted);                                              \
		return derive_number(out, (int64_t)v);                                             \
	}                                                                                          \
	static const char *prefix##_word(int i) { return prefix##_name((enum type)i); }

WORD(sensor_kind, sensor_kind, "inspection, flow, edr, mdm or lease")
WORD(side, side, "client, server or proxy")
WORD(close_kind, close_kind, "fin, rst, timeout or other")
WORD(outcome, outcome, "an outcome")
WORD(inspection, inspection, "intercepted, bypassed, uninspected or unknown")
WORD(bypass_reason, bypass_reason, "policy, learned, technical or unknown")
WORD(activity_event, activity_event,
     "launched, resumed, backgrounded, suspended, terminated, connect, background_task, detection "
     "or declared")
WORD(app_state, app_state, "foreground or background")
WORD(lease_by, lease_by, "dhcp, radius, vpn, ztna or static")

static const struct derivation list[] = {
	{ "app_state", CELL_APP_STATE, false, false, app_state, "foreground or background" },
	{ "boolean", CELL_TRI, false, false, boolean, "true, T, yes, 1, on and their opposites" },
	{ "bypass_reason", CELL_BYPASS, false, false, bypass_reason, "the canonical word" },
	{ "bytes", CELL_NUMBER, false, false, bytes, "a number of bytes, K, M, G, T allowed" },
	{ "close", CELL_CLOSE, false, false, close_kind, "fin, rst, timeout or other" },
	{ "event", CELL_EVENT, false, false, activity_event, "the canonical word" },
	{ "hex", CELL_NUMBER, false, false, hex, "a hexadecimal number" },
	{ "inspection", CELL_INSPECTION, false, false, inspection, "the canonical word" },
	{ "ip", CELL_ADDR, false, false, ip, "an IPv4 or IPv6 address" },
	{ "lease_by", CELL_LEASE_BY, false, false, lease_by, "the canonical word" },
	{ "number", CELL_NUMBER, false, false, number, "a whole number" },
	{ "outcome", CELL_OUTCOME, false, false, outcome, "the canonical word" },
	{ "sensor", CELL_SENSOR, false, false, sensor_kind, "the canonical word" },
	{ "side", CELL_SIDE, false, false, side, "client, server or proxy" },
};

static const struct {
	enum cell_type type;
	int n;
	const char *(*word)(int i);
} enumerations[] = {
	{ CELL_SENSOR, SENSORS, sensor_kind_word },
	{ CELL_SIDE, SIDE_PROXY + 1, side_word },
	{ CELL_CLOSE, CLOSE_OTHER + 1, close_kind_word },
	{ CELL_OUTCOME, OUTCOMES, outcome_word },
	{ CELL_INSPECTION, UNINSPECTED + 1, inspection_word },
	{ CELL_BYPASS, BYPASS_UNKNOWN + 1, bypass_reason_word },
	{ CELL_EVENT, ACTIVITIES, activity_event_word },
	{ CELL_APP_STATE, APP_STATE_BACKGROUND + 1, app_state_word },
	{ CELL_LEASE_BY, LEASE_STATIC + 1, lease_by_word },
};

struct sv derivation_word(const struct derivation *d, size_t i)
{
	bool here = d >= list && d < list + sizeof(list) / sizeof(list[0]);

	for (size_t e = 0; here && e < sizeof(enumerations) / sizeof(enumerations[0]); e++)
		if (enumerations[e].type == d->out && i < (size_t)enumerations[e].n) {
			const char *word = enumerations[e].word((int)i);
			return word != NULL ? sv_cstr(word) : SV("");
		}
	return SV_NONE;
}

struct derivation_table derive_value_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
