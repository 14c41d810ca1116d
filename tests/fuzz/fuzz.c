#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "parse/json.h"

#define DAY (INT64_C(1795507200) * NS_PER_S)

_Noreturn void fuzz_wrong(const char *rule, const char *file, int line, struct sv a, struct sv b)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, rule);
	if (a.p != NULL || b.p != NULL)
		fprintf(stderr, "  %.*s\n  %.*s\n", SV_ARG(a), SV_ARG(b));
	abort();
}

uint8_t fuzz_byte(struct sv *data)
{
	uint8_t b = data->n > 0 ? (uint8_t)data->p[0] : 0;

	*data = sv_skip(*data, 1);
	return b;
}

uint64_t fuzz_bits(struct sv *data, unsigned bytes)
{
	uint64_t bits = 0;

	while (bytes-- > 0)
		bits = bits << 8 | fuzz_byte(data);
	return bits;
}

char *fuzz_padded(struct sv record, char padding)
{
	char *p = xmalloc(record.n + READ_PADDING);

	if (record.n > 0)
		memcpy(p, record.p, record.n);
	memset(p + record.n, padding, READ_PADDING);
	return p;
}

struct format_set *fuzz_formats(const char *const *yaml, size_t n)
{
	struct error err = { 0 };
	struct format_set *set = format_set_builtin(&err);

	for (size_t i = 0; set != NULL && i < n; i++)
		if (!format_set_add_text(set, "fuzz.yaml", sv_cstr(yaml[i]), &err))
			break;
	if (err.message[0] != '\0') {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return set;
}

static bool one_word(struct sv v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ')
			return false;
	return true;
}

/* The rules of model/observation.h. */
static void check_model(const struct observation *o)
{
	fuzz_require((unsigned)o->kind < OBS_KINDS && (unsigned)o->sensor < SENSORS);
	fuzz_require(o->time.ns >= 0);
	fuzz_require(!span_known(o->duration) || o->duration.ns >= 0);
	fuzz_require(one_word(o->dst.hostname));
	if (o->kind == OBS_TLS_ATTEMPT) {
		fuzz_require(o->tls.alert >= -1 && o->tls.alert <= 255);
		fuzz_require(o->tls.count >= 1);
		fuzz_require(o->tls.bytes_out >= -1 && o->tls.bytes_in >= -1);
		fuzz_require((unsigned)o->tls.outcome < OUTCOMES);
		fuzz_require(one_word(o->tls.sni));
	}
	if (o->kind == OBS_LEASE)
		fuzz_require(addr_known(&o->lease.ip));
	if (o->kind == OBS_POSTURE) {
		fuzz_require(o->posture.n_apps == 0 || o->posture.has_apps);
		fuzz_require(o->posture.n_profiles == 0 || o->posture.has_profiles);
	}
}

/* What is written in the canonical form reads back as the same observation. */
static void check_canonical(struct parser *canonical, const struct observation *o, struct buf *out)
{
	struct observation const *again;
	struct error err = { 0 };
	struct buf second;
	size_t n;
	char *record;

	buf_reset(out);
	observation_write_json(out, o, SV("fuzz"));
	fuzz_require(!out->overflowed);
	record = fuzz_padded(buf_view(out), ' ');
	if (parser_run(canonical, sv_make(record, out->n), &again, &n, &err) != PARSE_OBSERVATIONS)
		fuzz_wrong("a canonical observation reads back", __FILE__, __LINE__, buf_view(out),
			   sv_cstr(err.message));
	fuzz_require(n == 1);
	buf_init(&second, (size_t)1 << 26);
	observation_write_json(&second, again, SV("fuzz"));
	fuzz_require_same(buf_view(out), buf_view(&second));
	buf_free(&second);
	free(record);
}

struct run {
	struct parser *parser, *other; /* the same, but for what stands behind its records */
	struct parser *canonical;
	struct buf out, out_other;
};

static void check_record(struct run *r, struct sv record)
{
	const struct observation *seen, *seen_other;
	struct error err = { 0 }, err_other = { 0 };
	size_t n = 0, n_other = 0;
	char *bytes = fuzz_padded(record, '\0'), *bytes_other = fuzz_padded(record, '"');
	enum parse_result result, other;

	result = parser_run(r->parser, sv_make(bytes, record.n), &seen, &n, &err);
	other =
	    parser_run(r->other, sv_make(bytes_other, record.n), &seen_other, &n_other, &err_other);
	fuzz_require(result == other && n == n_other);
	fuzz_require((result == PARSE_OBSERVATIONS) == (n > 0));
	if (result == PARSE_REJECTED) {
		fuzz_require(err.message[0] != '\0');
		fuzz_require(err.position <= record.n);
	}
	for (size_t i = 0; i < n; i++) {
		check_model(&seen[i]);
		check_canonical(r->canonical, &seen[i], &r->out);
		buf_reset(&r->out_other);
		observation_write_json(&r->out_other, &seen_other[i], SV("fuzz"));
		fuzz_require_same(buf_view(&r->out), buf_view(&r->out_other));
	}
	free(bytes);
	free(bytes_other);
}

void fuzz_records(const struct format_set *set, const struct format *f, struct sv text)
{
	static const uint16_t ports[] = { 8444 };
	const struct parser_options options = { .zone = 3600,
						.date = { DAY },
						.vantage = VANTAGE_INSIDE,
						.tls_ports = ports,
						.n_tls_ports = 1 };
	const struct reader_options reading = { .framing = format_framing(f),
						.max_record = (size_t)1 << 16 };
	struct run r = { .parser = parser_new(f, &options),
			 .other = parser_new(f, &options),
			 .canonical = parser_new(format_find(set, SV("canonical")), &options) };
	struct reader *reader = reader_on_bytes(text, &reading);
	struct error err = { 0 };
	struct sv record;

	buf_init(&r.out, (size_t)1 << 26);
	buf_init(&r.out_other, (size_t)1 << 26);
	while (reader_next(reader, &record, &err) == READ_RECORD)
		check_record(&r, record);
	reader_close(reader);
	parser_free(r.parser);
	parser_free(r.other);
	parser_free(r.canonical);
	buf_free(&r.out);
	buf_free(&r.out_other);
}

int fuzz_decoder(const char *const *yaml, size_t n, const uint8_t *data, size_t size)
{
	static struct format_set *set; /* compiled once: that is not what is looked at here */
	struct sv text = { (const char *)data, size };
	struct sv name = { "fuzz_0", 6 };
	char chosen[8];

	if (set == NULL)
		set = fuzz_formats(yaml, n);
	memcpy(chosen, name.p, name.n);
	chosen[5] = (char)('0' + fuzz_byte(&text) % n);
	fuzz_records(set, format_find(set, sv_make(chosen, name.n)), text);
	return 0;
}

/* Sums up, so that no read can be left out. */
static unsigned touch(struct sv v)
{
	unsigned sum = 0;

	for (size_t i = 0; i < v.n; i++)
		sum += (unsigned char)v.p[i];
	return sum;
}

static size_t walk(const struct value *v, unsigned depth, volatile unsigned *sum)
{
	size_t nodes = 1;

	fuzz_require(depth <= VALUE_MAX_DEPTH);
	switch (v->type) {
	case VALUE_STRING:
	case VALUE_DATA:
		*sum += touch(v->text);
		break;
	case VALUE_ARRAY:
		for (size_t i = 0; i < v->array.n; i++)
			nodes += walk(&v->array.items[i], depth + 1, sum);
		break;
	case VALUE_OBJECT:
		for (size_t i = 0; i < v->object.n; i++) {
			*sum += touch(v->object.members[i].key);
			nodes += walk(&v->object.members[i].value, depth + 1, sum);
		}
		break;
	default:
		fuzz_require(v->type <= VALUE_OBJECT);
		break;
	}
	return nodes;
}

void fuzz_tree(const struct value *v)
{
	volatile unsigned sum = 0;

	/* A container's parts stand at one more than its depth; a scalar at the bound itself is one
	 * level below the deepest container. */
	fuzz_require(walk(v, 0, &sum) <= VALUE_MAX_NODES);
}

void fuzz_json(struct sv v)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value tree;

	if (!json_to_value(v, &a, &tree, &err))
		fuzz_wrong("what is written is JSON", __FILE__, __LINE__, v, sv_cstr(err.message));
	arena_free(&a);
}

static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0xfeff ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || (c >= 0xe0000 && c <= 0xe007f);
}

void fuzz_harmless(struct sv v, bool line_feeds)
{
	for (size_t i = 0, n; i < v.n; i += n) {
		n = utf8_sequence(v.p + i, v.n - i);
		fuzz_require(n > 0);
		fuzz_require((line_feeds && v.p[i] == '\n') || !steers(utf8_decode(v.p + i, n)));
	}
}
