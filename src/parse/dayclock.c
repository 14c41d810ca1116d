#include "parse/dayclock.h"

#include "parse/derive.h"

void dayclock_init(struct dayclock *c, const struct parser_options *options)
{
	*c = (struct dayclock){ .options = *options };
}

bool dayclock_is_time_of_day(struct sv text)
{
	return text.n >= 8 && text.n <= 18 && text.p[2] == ':' && text.p[5] == ':';
}

static bool derive(struct dayclock *c, const char *how, struct sv text, struct arena *scratch,
		   struct instant *out)
{
	static const struct observation nothing;
	struct derive_context context = { scratch, &c->options, &nothing, SV_NONE, NULL, NULL };
	struct cell cell;

	if (derivation_find(sv_cstr(how))->run(&context, text, &cell) != DERIVED)
		return false;
	*out = cell.time;
	return true;
}

bool dayclock_read(struct dayclock *c, struct sv text, struct arena *scratch, struct instant *out)
{
	int64_t zone = (int64_t)c->options.zone * NS_PER_S, time;

	if (!dayclock_is_time_of_day(text))
		return derive(c, "time", text, scratch, out);
	if (!derive(c, "time_of_day", text, scratch, out))
		return false;
	time = (out->ns + zone) % NS_PER_DAY;
	if (c->started && c->time_ns - time > NS_PER_HOUR)
		c->day++;
	else if (c->started && time - c->time_ns > 23 * NS_PER_HOUR)
		c->day--;
	c->started = true;
	c->time_ns = time;
	out->ns += (c->day - (int64_t)c->options.midnights) * NS_PER_DAY;
	return out->ns >= 0;
}
