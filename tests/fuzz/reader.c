/* Bytes to records. Two things are done with an input, as its first byte says: it is read as it
 * stands (plain, gzip or zstd, whatever it is), or it is packed first, in pieces, and has to read
 * as the plain bytes do. */
#include "fuzz.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* A bomb is cut off here. */
#define MAX_UNPACKED ((size_t)1 << 22)

struct lines {
	struct buf text; /* records, each behind its kind and line */
	enum read_result end;
};

static void read_all(struct sv bytes, const struct reader_options *options, size_t peek,
		     struct lines *out)
{
	struct reader *r = reader_on_bytes(bytes, options);
	struct error err = { 0 };
	struct sv record, head;
	uint32_t line = 0;
	enum read_result result;

	buf_init(&out->text, (size_t)1 << 27);
	head = reader_peek(r, peek);
	fuzz_require(head.n <= peek);
	while ((result = reader_next(r, &record, &err)) == READ_RECORD || result == READ_OVERLONG) {
		volatile char behind = 0;

		fuzz_require(options->framing == FRAMING_DOCUMENT || record.n > 0);
		fuzz_require(record.n <= options->max_record);
		fuzz_require(options->framing != FRAMING_LINE || reader_line(r) > line);
		line = reader_line(r);
		for (size_t i = 0; i < READ_PADDING; i++)
			behind = record.p[record.n + i];
		(void)behind;
		buf_printf(&out->text, "%d:%u:", result, line);
		buf_sv(&out->text, record);
		buf_char(&out->text, '\n');
	}
	fuzz_require(result != READ_ERROR || err.message[0] != '\0');
	fuzz_require(reader_bytes(r) <= bytes.n);
	fuzz_require(result == READ_ERROR || reader_bytes(r) == bytes.n);
	out->end = result;
	/* The end stays the end; behind damage nothing more comes. */
	result = reader_next(r, &record, &err);
	fuzz_require(result == READ_END || result == out->end);
	reader_close(r);
}

static void pack_gzip(struct buf *out, struct sv piece)
{
	z_stream z = { 0 };
	size_t room = piece.n + 1024;
	unsigned char *p = xmalloc(room);

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_in = (unsigned char *)(uintptr_t)piece.p;
	z.avail_in = (unsigned)piece.n;
	z.next_out = p;
	z.avail_out = (unsigned)room;
	fuzz_require(deflate(&z, Z_FINISH) == Z_STREAM_END);
	buf_append(out, p, z.total_out);
	deflateEnd(&z);
	free(p);
}

static void pack_zstd(struct buf *out, struct sv piece)
{
	size_t room = ZSTD_compressBound(piece.n);
	char *p = xmalloc(room);
	size_t n = ZSTD_compress(p, room, piece.p, piece.n, 1);

	fuzz_require(!ZSTD_isError(n));
	buf_append(out, p, n);
	free(p);
}

static bool looks_packed(struct sv v)
{
	return sv_starts(v, SV("\x1f\x8b")) || sv_starts(v, SV("\xfd\x2f\xb5\x28")) ||
	       (v.n >= 4 && (v.p[0] & 0xf0) == 0x50 &&
		sv_starts(sv_skip(v, 1), SV("\x2a\x4d\x18")));
}

/* Members or frames of `piece` bytes. */
static void check_packed(struct sv text, const struct reader_options *options, bool zstd,
			 size_t piece, size_t peek)
{
	struct lines plain, packed;
	struct buf bytes;

	buf_init(&bytes, (size_t)1 << 27);
	for (struct sv rest = text; rest.n > 0; rest = sv_skip(rest, piece))
		(zstd ? pack_zstd : pack_gzip)(&bytes, sv_first(rest, piece));
	read_all(text, options, peek, &plain);
	read_all(buf_view(&bytes), options, peek + 1, &packed);
	/* Not so where the text is told to be something else by its first bytes: xz, UTF-16. */
	if (plain.end == READ_END) {
		fuzz_require(packed.end == READ_END);
		fuzz_require_same(buf_view(&plain.text), buf_view(&packed.text));
	}
	buf_free(&plain.text);
	buf_free(&packed.text);
	buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size };
	unsigned what = fuzz_byte(&text);
	size_t max = (size_t)fuzz_byte(&text) * 16 + 1, piece = (size_t)fuzz_byte(&text) * 8 + 1;
	const struct reader_options options = { .framing = (enum framing)(what % 3),
						.max_record = max,
						.max_unpacked = MAX_UNPACKED };
	struct lines lines;

	if (what & 0x40 && !looks_packed(text)) {
		check_packed(text, &options, what & 0x80, piece, max);
		return 0;
	}
	read_all(text, &options, max, &lines);
	buf_free(&lines.text);
	return 0;
}
