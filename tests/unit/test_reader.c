#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "read/reader.h"

#define MAX_TEXT (64u * 1024u * 1024u)

/* The sequence of results as text: `LINE:RECORD|` a record, `LINE!RECORD|` an overlong one, then
 * `END` or `ERROR`. Touches the bytes that the contract says are readable behind each record. */
static enum read_result read_all(struct reader *r, struct buf *out, struct error *err)
{
	char behind[READ_PADDING];
	enum read_result result;
	struct sv record;

	while ((result = reader_next(r, &record, err)) == READ_RECORD || result == READ_OVERLONG) {
		memcpy(behind, record.p + record.n, sizeof(behind));
		buf_printf(out, "%u%c", reader_line(r), result == READ_RECORD ? ':' : '!');
		buf_sv(out, record);
		buf_char(out, '|');
	}
	buf_str(out, result == READ_END ? "END" : "ERROR");
	assert_false(out->overflowed);
	return result;
}

/* The same sequence, through blocks of about `size` bytes. */
static enum read_result read_blocks(struct reader *r, size_t size, struct buf *out,
				    struct error *err)
{
	char behind[READ_PADDING];
	struct read_block b = { 0 };
	enum read_result result, got;
	uint32_t lines = 0;
	struct sv record;

	while ((result = reader_take(r, &b, size, err)) == READ_RECORD) {
		while ((got = read_block_next(&b, &record)) != READ_END) {
			memcpy(behind, record.p + record.n, sizeof(behind));
			buf_printf(out, "%u%c", lines + b.line, got == READ_RECORD ? ':' : '!');
			buf_sv(out, record);
			buf_char(out, '|');
		}
		lines += b.line;
		if (reader_exhausted(r)) {
			assert_int_equal(reader_take(r, &b, size, err), READ_END);
			result = READ_END;
			break;
		}
	}
	assert_int_equal(read_block_next(&b, &record), READ_END);
	buf_str(out, result == READ_END ? "END" : "ERROR");
	assert_false(out->overflowed);
	read_block_free(&b);
	return result;
}

/* Wherever the blocks end, they hold what the reader hands out one by one. */
static void blocks_say_the_same(struct sv input, struct reader_options options)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 64, 1000, 65536 };
	struct error err = { 0 }, block_err = { 0 };
	struct buf one, other;
	struct reader *r = reader_on_bytes(input, &options);

	buf_init(&one, MAX_TEXT);
	buf_init(&other, MAX_TEXT);
	read_all(r, &one, &err);
	reader_close(r);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		r = reader_on_bytes(input, &options);
		buf_reset(&other);
		read_blocks(r, sizes[i], &other, &block_err);
		reader_close(r);
		if (!sv_eq(buf_view(&one), buf_view(&other)))
			fail_msg("in blocks of %zu bytes, expected %.*s\ngot %.*s", sizes[i],
				 SV_ARG(sv_first(buf_view(&one), 500)),
				 SV_ARG(sv_first(buf_view(&other), 500)));
		assert_int_equal(err.code, block_err.code); /* where it is noticed may differ */
	}
	buf_free(&one);
	buf_free(&other);
}

static void expect(struct reader *r, struct sv expected)
{
	struct error err = { 0 };
	struct buf out;

	assert_non_null(r);
	buf_init(&out, MAX_TEXT);
	read_all(r, &out, &err);
	if (!sv_eq(buf_view(&out), expected))
		fail_msg("expected %.*s\ngot %.*s", SV_ARG(expected), SV_ARG(buf_view(&out)));
	reader_close(r);
	buf_free(&out);
}

static void expect_bytes(struct sv input, struct reader_options options, struct sv expected)
{
	expect(reader_on_bytes(input, &options), expected);
	if (options.framing == FRAMING_LINE)
		blocks_say_the_same(input, options);
}

static void expect_error(struct reader *r, enum error_code code, const char *a, const char *b)
{
	struct error err = { 0 };
	struct buf out;

	assert_non_null(r);
	buf_init(&out, MAX_TEXT);
	assert_int_equal(read_all(r, &out, &err), READ_ERROR);
	assert_int_equal(err.code, code);
	if (strstr(err.message, a) == NULL || strstr(err.message, b) == NULL)
		fail_msg("message does not name \"%s\" and \"%s\": %s", a, b, err.message);
	reader_close(r);
	buf_free(&out);
}

static struct reader_options lines(void)
{
	return (struct reader_options){ .framing = FRAMING_LINE };
}
static struct reader_options paragraphs(void)
{
	return (struct reader_options){ .framing = FRAMING_PARAGRAPH };
}
static struct reader_options document(void)
{
	return (struct reader_options){ .framing = FRAMING_DOCUMENT };
}
static struct reader_options limited(enum framing framing, size_t max_record)
{
	return (struct reader_options){ .framing = framing, .max_record = max_record };
}

/* One gzip member, or one zstd frame with a checksum, appended to *out. */
static void pack_gzip(struct buf *out, struct sv text)
{
	z_stream z = { 0 };
	size_t bound;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, text.n);
	assert_true(buf_reserve(out, bound));
	z.next_in = (unsigned char *)(uintptr_t)text.p;
	z.avail_in = (unsigned)text.n;
	z.next_out = (unsigned char *)out->p + out->n;
	z.avail_out = (unsigned)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += bound - z.avail_out;
	deflateEnd(&z);
}

static void pack_zstd(struct buf *out, struct sv text)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(text.n), n;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	assert_true(buf_reserve(out, bound));
	n = ZSTD_compress2(c, out->p + out->n, bound, text.p, text.n);
	assert_false(ZSTD_isError(n));
	out->n += n;
	ZSTD_freeCCtx(c);
}

/* Writes a file that is gone once closed; returns its path in `path`. */
static void write_file(char path[32], struct sv bytes)
{
	size_t at = 0;
	int fd;

	strcpy(path, "/tmp/pinwatch-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	while (at < bytes.n) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);
		assert_true(n > 0);
		at += (size_t)n;
	}
	close(fd);
}

/* Wrong: records merge, split, or carry line ends, or line numbers in evidence point elsewhere. */
static void test_lines(void **state)
{
	(void)state;
	expect_bytes(SV("a\nbc\n"), lines(), SV("1:a|2:bc|END"));
	expect_bytes(SV("a\r\nbc\r\n"), lines(), SV("1:a|2:bc|END"));
	expect_bytes(SV("a\nbc"), lines(), SV("1:a|2:bc|END"));
	expect_bytes(SV("a\r\nbc\r"), lines(), SV("1:a|2:bc|END"));
	expect_bytes(SV(""), lines(), SV("END"));
	expect_bytes(SV("\n\r\n\n"), lines(), SV("END"));
	expect_bytes(SV("\n\na\n\r\n\nb\n\n"), lines(), SV("3:a|6:b|END"));
	/* Only one CR belongs to the line end. */
	expect_bytes(SV("a\r\r\n b \n"), lines(), SV("1:a\r|2: b |END"));
}

/* Wrong: a hostile line cuts or hides the ones behind it. */
/* Messages that begin with their length, as dumps of a syslog stream have them (RFC 6587). If this
 * failed, a dump without line breaks would be one record, and a message with line breaks
 * several. */
static void test_counted_messages(void **state)
{
	(void)state;
	expect_bytes(SV("9 <14>1 one9 <14>1 two"), lines(), SV("1:9 <14>1 one|2:9 <14>1 two|END"));
	/* A line break inside, behind, and as part of a message; and lines among them */
	expect_bytes(
	    SV("11 <14>one\ntwo9 <14>1 one\n10 <14>1 two\n<14>plain\n9 <14>1 end"), lines(),
	    SV("1:11 <14>one\ntwo|2:9 <14>1 one|3:10 <14>1 two|4:<14>plain|5:9 <14>1 end|END"));
	/* Counts that lead nowhere: of characters, cut off, beyond the end */
	expect_bytes(SV("5 <14>\xc3\xbc\xc3\xbc\n9 <14>1 one"), lines(),
		     SV("1:5 <14>\xc3\xbc\xc3\xbc|2:9 <14>1 one|END"));
	expect_bytes(SV("90 <14>1 cut of9 <14>1 one90 <14>1 last"), lines(),
		     SV("1:90 <14>1 cut of|2:9 <14>1 one|3:90 <14>1 last|END"));
	/* What begins with a number and is no count */
	expect_bytes(SV("17 <b>x\n17 apples\n017 <14>x\n123456789 <14>x"), lines(),
		     SV("1:17 <b>x|2:17 apples|3:017 <14>x|4:123456789 <14>x|END"));
}

/* The rest of one that is too long is passed over, up to the next: not the whole stream with it. */
static void test_overlong_counted_messages(void **state)
{
	char text[400];
	size_t n = (size_t)snprintf(text, sizeof(text), "206 <14>%0200d", 0);
	struct buf want;

	(void)state;
	buf_init(&want, MAX_TEXT);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "  9 <14>1 one9 <14>1 two");
	buf_printf(&want, "1!%.100s|2:9 <14>1 one|3:9 <14>1 two|END", text);
	expect_bytes(sv_make(text, n), limited(FRAMING_LINE, 100), buf_view(&want));
	buf_free(&want);
}

static void test_any_bytes_are_delivered(void **state)
{
	(void)state;
	expect_bytes(SV("a\0b\n\0\n\xff\xfe\xc0\n\x80"), lines(),
		     SV("1:a\0b|2:\0|3:\xff\xfe\xc0|4:\x80|END"));
}

/* Wrong: the first key of a file with a byte order mark is not found, or UTF-16 is taken for
 * text. */
static void test_byte_order_marks(void **state)
{
	(void)state;
	expect_bytes(SV("\xef\xbb\xbf"
			"a\nb\n"),
		     lines(), SV("1:a|2:b|END"));
	expect_bytes(SV("a\n\xef\xbb\xbf"
			"b\n"),
		     lines(),
		     SV("1:a|2:\xef\xbb\xbf"
			"b|END"));
	expect_bytes(SV("\xef\xbb\xbf"), lines(), SV("END"));
	expect_bytes(SV("\xef\xbb"), lines(), SV("1:\xef\xbb|END"));
	expect_error(reader_on_bytes(SV("\xff\xfe"
					"a\0\n\0"),
				     NULL),
		     ERROR_FORMAT, "UTF-16", "iconv");
	expect_error(reader_on_bytes(SV("\xfe\xff\0a\0\n"), NULL), ERROR_FORMAT, "UTF-16", "iconv");
}

/* Wrong: an overlong line eats memory, is reported more than once, or takes its neighbours with
 * it. */
static void test_overlong_lines(void **state)
{
	struct buf input, expected;

	(void)state;
	expect_bytes(SV("12345\n123456\nx\n"), limited(FRAMING_LINE, 5),
		     SV("1:12345|2!12345|3:x|END"));
	expect_bytes(SV("12345\r\n123456\r\nx"), limited(FRAMING_LINE, 5),
		     SV("1:12345|2!12345|3:x|END"));
	expect_bytes(SV("123456"), limited(FRAMING_LINE, 5), SV("1!12345|END"));
	expect_bytes(SV("12345\r"), limited(FRAMING_LINE, 5), SV("1:12345|END"));
	expect_bytes(SV("123456789"), limited(FRAMING_LINE, 5), SV("1!12345|END"));

	/* Longer than any block that is read at once. */
	buf_init(&input, MAX_TEXT);
	buf_init(&expected, MAX_TEXT);
	buf_str(&input, "first\n");
	for (size_t i = 0; i < 3000000; i++)
		buf_char(&input, 'y');
	buf_str(&input, "\nlast\n");
	buf_str(&expected, "1:first|2!yyyyyyyyyy|3:last|END");
	expect_bytes(buf_view(&input), limited(FRAMING_LINE, 10), buf_view(&expected));
	/* The same line whole, under the usual bound. */
	buf_reset(&expected);
	buf_str(&expected, "1:first|2:");
	buf_append(&expected, input.p + 6, 3000000);
	buf_str(&expected, "|3:last|END");
	expect_bytes(buf_view(&input), lines(), buf_view(&expected));
	buf_free(&input);
	buf_free(&expected);
}

/* Wrong: FreeRADIUS detail records run together, or lose their lines. */
static void test_paragraphs(void **state)
{
	(void)state;
	expect_bytes(SV("a\n\tb\n\nc\n"), paragraphs(), SV("1:a\n\tb|4:c|END"));
	expect_bytes(SV("\n\r\n\na\r\n\tb\r\n\r\n\r\nc\r\n"), paragraphs(),
		     SV("4:a\r\n\tb|8:c|END"));
	expect_bytes(SV("a\nb"), paragraphs(), SV("1:a\nb|END"));
	expect_bytes(SV("a\nb\n\r"), paragraphs(), SV("1:a\nb|END"));
	expect_bytes(SV("\n\n"), paragraphs(), SV("END"));
	/* A line of white space is not empty. */
	expect_bytes(SV("a\n \nb\n\nc"), paragraphs(), SV("1:a\n \nb|5:c|END"));
}

/* Wrong: an overlong paragraph is cut in two, the second half passing as a record of its own. */
static void test_overlong_paragraphs(void **state)
{
	struct buf input;

	(void)state;
	expect_bytes(SV("ab\ncd\n\nabc\ncd\n\nx\n"), limited(FRAMING_PARAGRAPH, 5),
		     SV("1:ab\ncd|4!abc\nc|7:x|END"));
	buf_init(&input, MAX_TEXT);
	for (size_t i = 0; i < 400000; i++)
		buf_str(&input, "line\r\n");
	buf_str(&input, "\r\nnext\n");
	expect_bytes(buf_view(&input), limited(FRAMING_PARAGRAPH, 7),
		     SV("1!line\r\nl|400002:next|END"));
	buf_reset(&input);
	for (size_t i = 0; i < 1000000; i++)
		buf_char(&input, 'z');
	buf_str(&input, "\nrest\n\nnext\n");
	expect_bytes(buf_view(&input), limited(FRAMING_PARAGRAPH, 4), SV("1!zzzz|4:next|END"));
	buf_free(&input);
}

/* Wrong: a JSON or plist document arrives in pieces. */
static void test_documents(void **state)
{
	(void)state;
	expect_bytes(SV("{\n}\n\n"), document(), SV("1:{\n}\n\n|END"));
	expect_bytes(SV("\xef\xbb\xbf{}"), document(), SV("1:{}|END"));
	expect_bytes(SV(""), document(), SV("END"));
	expect_bytes(SV("\n \r\n"), document(), SV("END"));
	expect_bytes(SV("12345"), limited(FRAMING_DOCUMENT, 5), SV("1:12345|END"));
	expect_bytes(SV("123456"), limited(FRAMING_DOCUMENT, 5), SV("1!12345|END"));
}

static uint32_t rng(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

/* Lines of 0 to 2000 bytes, or now and then 400,000, and what the reader ought to make of them. */
static void make_lines(uint32_t seed, size_t n, struct buf *input, struct buf *expected)
{
	for (unsigned line = 1; line <= n; line++) {
		size_t length = rng(&seed) % 50 == 0 ? 400000 : rng(&seed) % 2000;

		if (length > 0)
			buf_printf(expected, "%u:", line);
		for (size_t i = 0; i < length; i++) {
			char c = (char)('a' + rng(&seed) % 26);
			buf_char(input, c);
			buf_char(expected, c);
		}
		if (length > 0)
			buf_char(expected, '|');
		buf_str(input, rng(&seed) % 4 == 0 ? "\r\n" : "\n");
	}
	buf_str(expected, "END");
	assert_false(input->overflowed || expected->overflowed);
}

/* Wrong: a record that straddles two blocks, members or frames is torn, in one of the ways in. */
static void test_large_inputs_plain_and_packed(void **state)
{
	const uint32_t seed = 20261124;
	struct buf input, expected, gzip, zstd;
	char path[32];

	(void)state;
	print_message("seed %u\n", seed);
	buf_init(&input, MAX_TEXT);
	buf_init(&expected, MAX_TEXT);
	buf_init(&gzip, MAX_TEXT);
	buf_init(&zstd, MAX_TEXT);
	make_lines(seed, 500, &input, &expected);
	expect_bytes(buf_view(&input), lines(), buf_view(&expected));
	write_file(path, buf_view(&input));
	expect(reader_open(path, NULL, &(struct error){ 0 }), buf_view(&expected));
	unlink(path);

	/* Members of growing size; for zstd with skippable frames before, between and behind. */
	buf_append(&zstd, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	for (size_t at = 0, n = 1; at < input.n; at += n, n = n * 3 + 1) {
		struct sv part = sv_first(sv_skip(buf_view(&input), at), n);
		pack_gzip(&gzip, part);
		pack_gzip(&gzip, SV(""));
		pack_zstd(&zstd, part);
		buf_append(&zstd, "\x5f\x2a\x4d\x18\0\0\0\0", 8);
	}
	expect_bytes(buf_view(&gzip), lines(), buf_view(&expected));
	expect_bytes(buf_view(&zstd), lines(), buf_view(&expected));
	write_file(path, buf_view(&gzip));
	expect(reader_open(path, NULL, &(struct error){ 0 }), buf_view(&expected));
	unlink(path);
	/* Zero padding, as tapes leave it, is no damage. */
	buf_append(&gzip, "\0\0\0\0\0", 5);
	expect_bytes(buf_view(&gzip), lines(), buf_view(&expected));
	buf_free(&input);
	buf_free(&expected);
	buf_free(&gzip);
	buf_free(&zstd);
}

/* Is `got` the expected text up to some whole record, and then ERROR? */
static bool is_cut_off(struct sv got, struct sv expected)
{
	struct sv kept = sv_first(got, got.n - 5);

	return sv_ends(got, SV("ERROR")) && (kept.n == 0 || sv_ends(kept, SV("|"))) &&
	       sv_starts(expected, kept);
}

typedef void pack_function(struct buf *out, struct sv text);

static void cut_everywhere(pack_function *pack)
{
	struct buf input, expected, packed, out;
	struct error err;

	buf_init(&input, MAX_TEXT);
	buf_init(&expected, MAX_TEXT);
	buf_init(&packed, MAX_TEXT);
	buf_init(&out, MAX_TEXT);
	for (unsigned i = 1; i <= 200; i++) {
		buf_printf(&input, "line %u %u\n", i, i * 2654435761u);
		buf_printf(&expected, "%u:line %u %u|", i, i, i * 2654435761u);
	}
	buf_str(&expected, "END");
	pack(&packed, buf_view(&input));
	for (size_t n = 4; n <= packed.n; n++) {
		struct reader *r = reader_on_bytes(sv_first(buf_view(&packed), n), NULL);

		buf_reset(&out);
		err = (struct error){ 0 };
		read_all(r, &out, &err);
		if (n == packed.n) {
			assert_true(sv_eq(buf_view(&out), buf_view(&expected)));
		} else {
			if (!is_cut_off(buf_view(&out), buf_view(&expected)))
				fail_msg("cut at %zu: %.*s", n, SV_ARG(buf_view(&out)));
			assert_int_equal(err.code, ERROR_FORMAT);
			assert_int_equal(err.position, n);
			assert_non_null(strstr(err.message, "ends too early"));
		}
		/* The error is told once; asking again must not loop. */
		assert_int_equal(reader_next(r, &(struct sv){ 0 }, &err), READ_END);
		reader_close(r);
	}
	buf_free(&input);
	buf_free(&expected);
	buf_free(&packed);
	buf_free(&out);
}

/* Wrong: a file that is still being copied passes as complete, or a half line as a record. */
static void test_truncated_gzip(void **state)
{
	(void)state;
	cut_everywhere(pack_gzip);
}

static void test_truncated_zstd(void **state)
{
	(void)state;
	cut_everywhere(pack_zstd);
}

static void damage_everywhere(pack_function *pack, size_t step)
{
	struct buf input, expected, packed, out;
	uint32_t seed = 7;
	struct error err;

	buf_init(&input, MAX_TEXT);
	buf_init(&expected, MAX_TEXT);
	buf_init(&packed, MAX_TEXT);
	buf_init(&out, MAX_TEXT);
	make_lines(seed, 30, &input, &expected);
	pack(&packed, buf_view(&input));
	for (size_t i = 0; i < packed.n; i += step) {
		struct reader *r;

		packed.p[i] ^= 0x20;
		r = reader_on_bytes(buf_view(&packed), NULL);
		buf_reset(&out);
		if (i >= 4 && read_all(r, &out, &err) == READ_END)
			assert_true(sv_eq(buf_view(&out), buf_view(&expected)));
		reader_close(r);
		packed.p[i] ^= 0x20;
	}
	buf_free(&input);
	buf_free(&expected);
	buf_free(&packed);
	buf_free(&out);
}

/* Wrong: damaged bytes end in anything but an error, or are accepted as good. */
static void test_damaged_gzip(void **state)
{
	(void)state;
	damage_everywhere(pack_gzip, 4999);
}

static void test_damaged_zstd(void **state)
{
	(void)state;
	damage_everywhere(pack_zstd, 4999);
}

/* Wrong: damage in the last block of a file loses the records of all the blocks before it. */
static void late_damage(pack_function *pack)
{
	struct buf input, expected, packed, out;
	struct error err = { 0 };
	struct reader *r;
	char path[32];

	buf_init(&input, MAX_TEXT);
	buf_init(&expected, MAX_TEXT);
	buf_init(&packed, MAX_TEXT);
	buf_init(&out, MAX_TEXT);
	make_lines(11, 100, &input, &expected);
	pack(&packed, buf_view(&input));
	packed.p[packed.n - 1] ^= 1; /* in the checksum */
	write_file(path, buf_view(&packed));
	r = reader_open(path, NULL, &err);
	assert_int_equal(read_all(r, &out, &err), READ_ERROR);
	/* Every line was whole, so every one is there. */
	assert_int_equal(out.n - 5, expected.n - 3);
	assert_memory_equal(out.p, expected.p, out.n - 5);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, "at byte"));
	assert_true(err.position > packed.n - 16);
	reader_close(r);
	unlink(path);
	buf_free(&input);
	buf_free(&expected);
	buf_free(&packed);
	buf_free(&out);
}

static void test_records_before_damage_are_kept(void **state)
{
	(void)state;
	late_damage(pack_gzip);
	late_damage(pack_zstd);
}

/* Wrong: something else behind the packed data is silently dropped. */
static void test_bytes_behind_packed_data(void **state)
{
	struct buf packed;

	(void)state;
	buf_init(&packed, MAX_TEXT);
	pack_gzip(&packed, SV("a\nb\n"));
	buf_str(&packed, "plain\n");
	expect_bytes(buf_view(&packed), lines(), SV("1:a|2:b|ERROR"));
	buf_reset(&packed);
	pack_zstd(&packed, SV("a\nb\n"));
	buf_str(&packed, "plain\n");
	expect_bytes(buf_view(&packed), lines(), SV("1:a|2:b|ERROR"));
	buf_free(&packed);
}

/* Wrong: a few kilobytes that unfold to gigabytes are followed to their end. */
static void test_unpacking_is_bounded(void **state)
{
	struct reader_options options = { .framing = FRAMING_LINE, .max_unpacked = 6 };
	struct buf packed;

	(void)state;
	buf_init(&packed, MAX_TEXT);
	pack_gzip(&packed, SV("aa\nbb\n"));
	expect_bytes(buf_view(&packed), options, SV("1:aa|2:bb|END")); /* just fits */
	options.max_unpacked = 5;
	expect_bytes(buf_view(&packed), options, SV("1:aa|ERROR"));
	expect_error(reader_on_bytes(buf_view(&packed), &options), ERROR_LIMIT, "5 bytes",
		     "unpacks");
	buf_reset(&packed);
	pack_zstd(&packed, SV("aa\nbb\n"));
	expect_bytes(buf_view(&packed), options, SV("1:aa|ERROR"));
	/* A frame that asks for a window of 2^41 bytes (RFC 8878, section 3.1.1.1.2). */
	expect_error(reader_on_bytes(SV("\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00"), NULL), ERROR_LIMIT,
		     "128 MiB", "zstd");
	/* Plain input needs no such bound. */
	expect_bytes(SV("aa\nbb\n"), options, SV("1:aa|2:bb|END"));
	buf_free(&packed);
}

/* Wrong: xz and the like are read as garbage lines, or a text that only begins alike is refused. */
static void test_unsupported_packing_is_named(void **state)
{
	(void)state;
	expect_error(reader_on_bytes(SV("\xfd"
					"7zXZ\0abc"),
				     NULL),
		     ERROR_UNRECOGNISED, "xz", "unpack it first");
	expect_error(reader_on_bytes(SV("BZh91AY&SYabc"), NULL), ERROR_UNRECOGNISED, "bzip2",
		     "gzip");
	expect_error(reader_on_bytes(SV("PK\x03\x04"
					"abcdefgh"),
				     NULL),
		     ERROR_UNRECOGNISED, "zip", "unpack it first");
	expect_bytes(SV("BZh is a text\n"), lines(), SV("1:BZh is a text|END"));
	expect_bytes(SV("PK\n"), lines(), SV("1:PK|END"));
}

/* Wrong: the user learns neither which path nor why. */
static void test_what_cannot_be_opened(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(reader_open("/nonexistent/file.log", NULL, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.message, "/nonexistent/file.log"));
	assert_non_null(strstr(err.message, strerror(ENOENT)));
	assert_null(reader_open("/", NULL, &err));
	assert_non_null(strstr(err.message, strerror(EISDIR)));
}

/* Wrong: detecting the format loses or repeats the first records. */
static void test_peek(void **state)
{
	struct reader *r = reader_on_bytes(SV("\xef\xbb\xbf"
					      "a\nb\n"),
					   NULL);
	struct buf input, packed;

	(void)state;
	assert_true(sv_eq(reader_peek(r, 3), SV("a\nb")));
	assert_true(sv_eq(reader_peek(r, 100), SV("a\nb\n")));
	assert_true(sv_eq(reader_peek(r, 1), SV("a")));
	expect(r, SV("1:a|2:b|END"));

	r = reader_on_bytes(SV("a\n\tb\n\nc\n"), NULL);
	reader_peek(r, 100);
	reader_set_framing(r, FRAMING_PARAGRAPH);
	expect(r, SV("1:a\n\tb|4:c|END"));

	/* Unpacked, and further than one block or record reaches. */
	buf_init(&input, MAX_TEXT);
	buf_init(&packed, MAX_TEXT);
	for (size_t i = 0; i < 200000; i++)
		buf_str(&input, "0123456789\n");
	pack_zstd(&packed, buf_view(&input));
	r = reader_on_bytes(buf_view(&packed), &(struct reader_options){ .max_record = 20 });
	assert_true(sv_eq(reader_peek(r, 1000000), sv_first(buf_view(&input), 1000000)));
	for (size_t i = 0; i < 200000; i++) {
		struct sv record;
		struct error err;
		assert_int_equal(reader_next(r, &record, &err), READ_RECORD);
		assert_true(sv_eq(record, SV("0123456789")));
	}
	reader_close(r);
	buf_free(&input);
	buf_free(&packed);

	/* An error is kept for reader_next. */
	r = reader_on_bytes(SV("\xff\xfe"
			       "a\0"),
			    NULL);
	assert_int_equal(reader_peek(r, 10).n, 0);
	expect_error(r, ERROR_FORMAT, "UTF-16", "input");
}

static void on_signal(int number) { (void)number; }

/* Standard input as a pipe whose writer interrupts us before each of its small writes. Wrong: a
 * short read or a signal is taken for the end, or peeking consumes. */
static void test_pipe_with_interruptions(void **state)
{
	struct sigaction action = { .sa_handler = on_signal }, old;
	int ends[2], saved = dup(STDIN_FILENO), status;
	struct buf expected;
	struct reader *r;
	pid_t parent = getpid(), child;

	(void)state;
	sigaction(SIGUSR1, &action, &old); /* without SA_RESTART */
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		FILE *out = fdopen(ends[1], "w");
		close(ends[0]);
		setvbuf(out, NULL, _IONBF, 0);
		for (int i = 1; i <= 2000; i++) {
			kill(parent, SIGUSR1);
			fprintf(out, "line %d\n", i);
		}
		fclose(out);
		_exit(0);
	}
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	r = reader_open("-", NULL, &(struct error){ 0 });
	assert_non_null(r);
	assert_true(sv_eq(reader_peek(r, 14), SV("line 1\nline 2\n")));
	assert_int_equal(reader_size(r), 0);
	buf_init(&expected, MAX_TEXT);
	for (int i = 1; i <= 2000; i++)
		buf_printf(&expected, "%d:line %d|", i, i);
	buf_str(&expected, "END");
	expect(r, buf_view(&expected));
	buf_free(&expected);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	assert_int_equal(status, 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	sigaction(SIGUSR1, &old, NULL);
}

/* Wrong: progress runs past 100 %, or stands still, on packed files. */
static void test_progress_counts_packed_bytes(void **state)
{
	struct error err = { 0 };
	struct buf packed, out;
	struct reader *r;
	char path[32];

	(void)state;
	buf_init(&packed, MAX_TEXT);
	buf_init(&out, MAX_TEXT);
	pack_gzip(&packed,
		  SV("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb\n"));
	write_file(path, buf_view(&packed));
	r = reader_open(path, NULL, &err);
	assert_int_equal(reader_size(r), packed.n);
	read_all(r, &out, &err);
	assert_int_equal(reader_bytes(r), packed.n);
	reader_close(r);
	unlink(path);
	buf_free(&packed);
	buf_free(&out);
}

/* Lines of every length about a bound, empty ones, CRs, a beginning and an end of every kind;
 * whole, packed, and cut off. */
static void test_blocks(void **state)
{
	uint64_t seed = 20261124;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct reader_options options = { .framing = FRAMING_LINE,
						  .max_record = round % 3 == 0 ? 0 : 40 };
		struct buf text, packed;
		int lines = (int)(seed >> 40) % 200;

		buf_init(&text, MAX_TEXT);
		buf_init(&packed, MAX_TEXT);
		if (round % 7 == 0)
			buf_str(&text, "\xef\xbb\xbf");
		for (int i = 0; i < lines; i++) {
			size_t n;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			n = (seed >> 33) % ((seed >> 60) == 0 ? 3000 : (seed >> 60) < 6 ? 3 : 45);
			while (n-- > 0)
				buf_char(&text, (char)('a' + n % 26));
			if (i + 1 < lines || (seed >> 59 & 1) != 0)
				buf_str(&text, (seed >> 58 & 1) != 0 ? "\r\n" : "\n");
		}
		blocks_say_the_same(buf_view(&text), options);
		pack_gzip(&packed, buf_view(&text));
		blocks_say_the_same(buf_view(&packed), options);
		blocks_say_the_same(sv_first(buf_view(&packed), packed.n * 2 / 3), options);
		buf_free(&text);
		buf_free(&packed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_counted_messages),
		cmocka_unit_test(test_overlong_counted_messages),
		cmocka_unit_test(test_any_bytes_are_delivered),
		cmocka_unit_test(test_byte_order_marks),
		cmocka_unit_test(test_overlong_lines),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_overlong_paragraphs),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_large_inputs_plain_and_packed),
		cmocka_unit_test(test_truncated_gzip),
		cmocka_unit_test(test_truncated_zstd),
		cmocka_unit_test(test_damaged_gzip),
		cmocka_unit_test(test_damaged_zstd),
		cmocka_unit_test(test_records_before_damage_are_kept),
		cmocka_unit_test(test_bytes_behind_packed_data),
		cmocka_unit_test(test_unpacking_is_bounded),
		cmocka_unit_test(test_unsupported_packing_is_named),
		cmocka_unit_test(test_what_cannot_be_opened),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_pipe_with_interruptions),
		cmocka_unit_test(test_progress_counts_packed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
