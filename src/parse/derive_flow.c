/* What flow sensors count: TCP flags, times at both ends, bytes with all their headers. */
#include "parse/derive.h"

#define FLAG_FIN 0x01u
#define FLAG_RST 0x04u

static bool letters(struct sv in)
{
	size_t points = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (memchr("CEUAPRSF.", in.p[i], 9) == NULL)
			return false;
		points += in.p[i] == '.';
	}
	return in.n == 8 && points > 0;
}

/* The flags in hexadecimal (`1f`), or as their letters with points in between (`...AP.SF`). */
static bool flags_of(struct sv in, unsigned *flags)
{
	uint64_t n;

	in = sv_trim(in);
	if (letters(in)) {
		*flags = (sv_find_char(in, 'F') != SIZE_MAX ? FLAG_FIN : 0) |
			 (sv_find_char(in, 'R') != SIZE_MAX ? FLAG_RST : 0);
		return true;
	}
	if (sv_starts(in, SV("0x")))
		in = sv_skip(in, 2);
	if (in.n == 0 || !sv_hex_to_u64(in, &n) || n > 0xffff)
		return false;
	*flags = (unsigned)n;
	return true;
}

/* Of one direction, or of both with a blank between them. A reset ends what a FIN only
 * announced. */
static enum derived tcp_flags_close(struct derive_context *c, struct sv in, struct cell *out)
{
	struct sv second, first = sv_cut(in, ' ', &second);
	unsigned a, b = 0;

	if (!flags_of(first, &a) || (second.n > 0 && !flags_of(second, &b)))
		return derive_bad(c, "TCP flags");
	if (((a | b) & FLAG_RST) != 0)
		return derive_number(out, CLOSE_RST);
	return ((a | b) & FLAG_FIN) != 0 ? derive_number(out, CLOSE_FIN) : DERIVED_NOTHING;
}

/* The client's flags and the server's. Sums of flags have no order: only a side that alone reset,
 * or alone said FIN, closed. */
static enum derived tcp_flags_closer(struct derive_context *c, struct sv in, struct cell *out)
{
	struct sv server, client = sv_cut(in, ' ', &server);
	unsigned a, b, decides;

	if (!flags_of(client, &a) || !flags_of(server, &b))
		return derive_bad(c, "the client's TCP flags and the server's");
	decides = ((a | b) & FLAG_RST) != 0 ? FLAG_RST : FLAG_FIN;
	if ((a & decides) == (b & decides))
		return DERIVED_NOTHING;
	return derive_number(out, (a & decides) != 0 ? SIDE_CLIENT : SIDE_SERVER);
}

/* Two times of one spelling, which may itself have blanks in it. */
static enum derived span_of_two(struct derive_context *c, struct sv in, struct cell *out)
{
	const struct derivation *time = derivation_find(SV("time"));
	size_t blanks = 0, middle = 0, seen = 0;
	struct cell from, to;

	for (size_t i = 0; i < in.n; i++)
		blanks += in.p[i] == ' ';
	while (middle < in.n && (in.p[middle] != ' ' || seen++ != blanks / 2))
		middle++;
	if (blanks % 2 == 0 || time->run(c, sv_first(in, middle), &from) != DERIVED ||
	    time->run(c, sv_skip(in, middle + 1), &to) != DERIVED)
		return derive_bad(c, "two times");
	if (__builtin_sub_overflow(to.time.ns, from.time.ns, &out->span.ns))
		return DERIVED_NOTHING;
	return out->span.ns >= 0 ? DERIVED : DERIVED_NOTHING;
}

/* BYTES PACKETS, without so many bytes of headers a packet. */
static enum derived without_headers(struct derive_context *c, struct sv in, struct cell *out)
{
	struct sv second, first = sv_cut(in, ' ', &second);
	uint64_t bytes, packets, each, headers;

	if (!sv_to_u64(c->argument, &each) || !sv_to_u64(first, &bytes) || bytes > INT64_MAX ||
	    !sv_to_u64(second, &packets))
		return derive_bad(c, "a number of bytes and one of packets");
	if (__builtin_mul_overflow(packets, each, &headers) || headers > bytes)
		headers = bytes;
	return derive_number(out, (int64_t)(bytes - headers));
}

/* Of a number in hexadecimal, whether one of the argument's bits is set. */
static enum derived hex_bit(struct derive_context *c, struct sv in, struct cell *out)
{
	uint64_t bits, want;

	if (sv_starts(in, SV("0x")))
		in = sv_skip(in, 2);
	if (!sv_hex_to_u64(in, &bits) || !sv_hex_to_u64(c->argument, &want))
		return derive_bad(c, "a hexadecimal number");
	return derive_text(out, (bits & want) != 0 ? SV("yes") : SV("no"));
}

static const struct derivation list[] = {
	{ "hex_bit", CELL_TEXT, true, false, hex_bit,
	  "yes or no: whether a hexadecimal number has a bit of ARGUMENT (hexadecimal, too) set" },
	{ "span_between", CELL_SPAN, false, false, span_of_two,
	  "from the first to the second of two times (`join`); nothing where that is negative" },
	{ "tcp_flags_close", CELL_CLOSE, false, false, tcp_flags_close,
	  "rst or fin: TCP flags in hexadecimal or as letters (`...AP.SF`), of one direction or "
	  "both (`join`)" },
	{ "tcp_flags_closer", CELL_SIDE, false, false, tcp_flags_closer,
	  "who closed: the side that alone reset, or alone said FIN, of the client's and the "
	  "server's TCP flags (`join`)" },
	{ "without_headers", CELL_NUMBER, true, false, without_headers,
	  "payload, about: bytes and packets (`join`), less ARGUMENT bytes of headers a packet" },
};

struct derivation_table derive_flow_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
