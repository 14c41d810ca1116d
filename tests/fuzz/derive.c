/* Every derivation over any text. The first byte chooses it, the second is the length of its
 * argument, which comes next. */
#include "fuzz.h"

#include <stdlib.h>

#include "parse/derive.h"

static size_t count(void)
{
	size_t n = 0;

	while (derivation_at(n) != NULL)
		n++;
	return n;
}

static volatile unsigned touched;

static void check_cell(const struct derivation *d, const struct cell *cell)
{
	switch (d->out) {
	case CELL_TEXT:
		for (size_t i = 0; i < cell->text.n; i++)
			touched += (unsigned char)cell->text.p[i];
		break;
	case CELL_TIME:
		fuzz_require(cell->time.ns >= 0);
		break;
	case CELL_SPAN:
		fuzz_require(cell->span.ns >= 0);
		break;
	case CELL_ADDR:
		fuzz_require(addr_known(&cell->addr));
		break;
	case CELL_TRI:
		fuzz_require(cell->number == TRI_FALSE || cell->number == TRI_TRUE);
		break;
	case CELL_OUTCOME:
		fuzz_require(cell->number >= 0 && cell->number < OUTCOMES);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size }, argument;
	const struct derivation *d = derivation_at(fuzz_byte(&text) % count());
	const struct parser_options options = { .zone = -3600,
						.date = { INT64_C(1795507200) * NS_PER_S } };
	struct arena scratch = { 0 };
	struct observation so_far;
	struct derive_context c = { .scratch = &scratch, .options = &options, .so_far = &so_far };
	struct cell out = { 0 };
	size_t n = fuzz_byte(&text) % 8;
	char *bytes;

	observation_clear(&so_far, OBS_TLS_ATTEMPT);
	so_far.time = options.date;
	so_far.tls.alert = 46;
	so_far.tls.alert_from = SIDE_CLIENT;
	argument = sv_first(text, n);
	text = sv_skip(text, n);
	if (d->takes_argument)
		c.argument = argument.n > 0 ? argument : SV("x");
	bytes = fuzz_padded(text, '0');
	switch (d->run(&c, sv_make(bytes, text.n), &out)) {
	case DERIVED:
		check_cell(d, &out);
		break;
	case DERIVED_NOTHING:
		break;
	case DERIVED_BAD:
		fuzz_require(c.expected != NULL && c.expected[0] != '\0');
		break;
	}
	free(bytes);
	arena_free(&scratch);
	return 0;
}
