#include "read/unpack.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/arena.h"

#define PACKED_BLOCK (64u * 1024u)
#define ZSTD_BLOCK_HEADER 3

struct unpack {
	struct source *source;
	enum packing packing;
	uint64_t max_unpacked;
	uint64_t unpacked;
	char *packed; /* PACKED_BLOCK bytes, of which [at, end) wait */
	size_t at;
	size_t end;
	bool at_end; /* the source has no more */
	z_stream gzip;
	bool between; /* no member or frame is open */
	ZSTD_DStream *zstd;
	size_t hint; /* bytes that take zstd to the end of its present step */
	bool failed;
	struct error err; /* when failed, and bytes before it were still to be handed out */
};

static const struct {
	const char *name, *tool;
	struct sv magic;
} unsupported[] = {
	{ "xz",
	  "xz -dc",
	  { "\xfd"
	    "7zXZ\0",
	    6 } },
	{ "bzip2", "bzip2 -dc", { "BZh", 3 } },
	{ "lz4", "lz4 -dc", { "\x04\x22\x4d\x18", 4 } },
	{ "zip", "unzip", { "PK\x03\x04", 4 } },
	{ "compress", "uncompress -c", { "\x1f\x9d", 2 } },
};

static bool is_gzip(struct sv head) { return sv_starts(head, SV("\x1f\x8b")); }

static bool is_zstd(struct sv head)
{
	if (sv_starts(head, SV("\x28\xb5\x2f\xfd")))
		return true;
	return head.n >= 4 && ((unsigned char)head.p[0] & 0xf0) == 0x50 &&
	       memcmp(head.p + 1, "\x2a\x4d\x18", 3) == 0;
}

static bool detect(struct unpack *u, struct error *err)
{
	struct sv head;

	if (!source_head(u->source, 10, &head, err))
		return false;
	if (is_gzip(head)) {
		u->packing = PACKING_GZIP;
		return true;
	}
	if (is_zstd(head)) {
		u->packing = PACKING_ZSTD;
		return true;
	}
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
		if (!sv_starts(head, unsupported[i].magic))
			continue;
		/* A text may begin with these three letters, but not with the block's mark too. */
		if (unsupported[i].magic.n == 3 &&
		    (head.n < 10 || memcmp(head.p + 4, "1AY&SY", 6) != 0))
			continue;
		return error_set(err, ERROR_UNRECOGNISED, 0,
				 "%s: packed with %s, which is not read here (gzip and zstd are): "
				 "unpack it first, for example with `%s`",
				 u->source->name, unsupported[i].name, unsupported[i].tool);
	}
	return true;
}

struct unpack *unpack_new(struct source *s, uint64_t max_unpacked, struct error *err)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	*u = (struct unpack){ .source = s, .max_unpacked = max_unpacked, .between = true };
	if (!detect(u, err))
		goto failed;
	if (u->packing == PACKING_NONE)
		return u;
	u->packed = xmalloc(PACKED_BLOCK);
	if (u->packing == PACKING_GZIP && inflateInit2(&u->gzip, 16 + MAX_WBITS) != Z_OK) {
		error_set(err, ERROR_LIMIT, 0,
			  "%s: zlib cannot be started; unpack it first with `gzip -d`", s->name);
		goto failed;
	}
	if (u->packing == PACKING_ZSTD) {
		u->zstd = ZSTD_createDStream();
		if (u->zstd == NULL) {
			error_set(err, ERROR_LIMIT, 0,
				  "%s: zstd cannot be started; unpack it first with `zstd -d`",
				  s->name);
			goto failed;
		}
		u->hint = ZSTD_initDStream(u->zstd);
	}
	return u;
failed:
	unpack_free(u);
	return NULL;
}

void unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	if (u->packing == PACKING_GZIP)
		inflateEnd(&u->gzip);
	ZSTD_freeDStream(u->zstd);
	free(u->packed);
	free(u);
}

enum packing unpack_packing(const struct unpack *u) { return u->packing; }

/* Offset of the next packed byte in the file. */
static uint64_t position(const struct unpack *u) { return u->source->taken - (u->end - u->at); }

static const char *packing_name(const struct unpack *u)
{
	return u->packing == PACKING_GZIP ? "gzip" : "zstd";
}

static bool damaged(struct unpack *u, const char *why, struct error *err)
{
	return error_set(err, ERROR_FORMAT, (size_t)position(u),
			 "%s: damaged %s data at byte %llu (%s): the records before it were read, "
			 "the rest is lost; fetch the file again, or cut it there",
			 u->source->name, packing_name(u), (unsigned long long)position(u), why);
}

static bool truncated(struct unpack *u, struct error *err)
{
	return error_set(
	    err, ERROR_FORMAT, (size_t)position(u),
	    "%s: the %s data ends too early, at byte %llu: the whole records before it "
	    "were read; fetch the file again, or wait until it is fully written",
	    u->source->name, packing_name(u), (unsigned long long)position(u));
}

/* Makes at least one packed byte wait, unless the source is at its end. */
static bool refill(struct unpack *u, struct error *err)
{
	if (u->at < u->end || u->at_end)
		return true;
	u->at = u->end = 0;
	if (!source_read(u->source, u->packed, PACKED_BLOCK, &u->end, err))
		return false;
	u->at_end = u->end == 0;
	return true;
}

/* Behind a gzip member: skips the zero padding that tapes and block devices leave. */
static void skip_zeros(struct unpack *u)
{
	while (u->at < u->end && u->packed[u->at] == 0)
		u->at++;
}

static bool step_gzip(struct unpack *u, char *out, size_t n, size_t *got, struct error *err)
{
	z_stream *z = &u->gzip;
	size_t before;
	int rc;

	if (u->between && position(u) > 0)
		skip_zeros(u);
	if (u->at == u->end && u->between)
		return true;
	if (u->between && (unsigned char)u->packed[u->at] != 0x1f)
		return damaged(u, "bytes behind the last gzip member", err);
	u->between = false;
	before = u->end - u->at;
	z->next_in = (unsigned char *)u->packed + u->at;
	z->avail_in = (unsigned)before;
	z->next_out = (unsigned char *)out;
	z->avail_out = n > 1u << 30 ? 1u << 30 : (unsigned)n;
	rc = inflate(z, Z_NO_FLUSH);
	u->at += before - z->avail_in;
	*got = (size_t)(z->next_out - (unsigned char *)out);
	if (rc == Z_STREAM_END) {
		inflateReset(z);
		u->between = true;
		return true;
	}
	/* Z_BUF_ERROR: no progress was possible, more input will help. */
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return damaged(u, z->msg != NULL ? z->msg : "invalid", err);
	/* zlib may hold output back that did not fit before, so only silence means that bytes
	 * lack. */
	if (before == 0 && *got == 0)
		return truncated(u, err);
	return true;
}

/* zstd forgets to say how much it had written when it meets damage. So it is never given more than
 * what takes it to the end of one block: then a failing call has written nothing that is good. */
static bool step_zstd(struct unpack *u, char *out, size_t n, size_t *got, struct error *err)
{
	ZSTD_outBuffer o = { out, n, 0 };
	ZSTD_inBuffer i = { u->packed, u->end, u->at };
	size_t want = u->hint > ZSTD_BLOCK_HEADER ? u->hint - ZSTD_BLOCK_HEADER : u->hint;

	if (u->at == u->end && u->at_end && u->between)
		return true;
	if (want < u->end - u->at)
		i.size = u->at + want;
	u->hint = ZSTD_decompressStream(u->zstd, &o, &i);
	if (ZSTD_getErrorCode(u->hint) == ZSTD_error_frameParameter_windowTooLarge)
		return error_set(
		    err, ERROR_LIMIT, (size_t)position(u),
		    "%s: the zstd frame at byte %llu needs more than the allowed 128 MiB "
		    "to unpack: if the file is trusted, unpack it first with `zstd -dc --long=31`",
		    u->source->name, (unsigned long long)position(u));
	if (ZSTD_isError(u->hint))
		return damaged(u, ZSTD_getErrorName(u->hint), err);
	if (u->at == u->end && u->at_end && o.pos == 0)
		return truncated(u, err);
	u->at = i.pos;
	*got = o.pos;
	u->between = u->hint == 0;
	if (u->between)
		u->hint = ZSTD_initDStream(u->zstd);
	return true;
}

/* Some progress: bytes out, bytes in, or the end. */
static bool step(struct unpack *u, char *out, size_t n, size_t *got, struct error *err)
{
	*got = 0;
	if (!refill(u, err))
		return false;
	return u->packing == PACKING_GZIP ? step_gzip(u, out, n, got, err)
					  : step_zstd(u, out, n, got, err);
}

bool unpack_read(struct unpack *u, char *out, size_t n, size_t *got, struct error *err)
{
	uint64_t room;

	if (u->packing == PACKING_NONE)
		return source_read(u->source, out, n, got, err);
	room = u->max_unpacked == 0 ? UINT64_MAX : u->max_unpacked - u->unpacked;
	*got = 0;
	/* One byte past the limit is asked for, to tell a stream that just fits from one that does
	 * not. */
	if (n > room)
		n = (size_t)room + 1;
	while (!u->failed && *got == 0) {
		u->failed = !step(u, out, n, got, &u->err);
		if (u->at_end && u->between && u->at == u->end && *got == 0)
			break;
	}
	if (*got > room) {
		*got = (size_t)room;
		u->failed = true;
		error_set(
		    &u->err, ERROR_LIMIT, (size_t)position(u),
		    "%s: unpacks to more than the allowed %llu bytes (at byte %llu of the file): "
		    "raise the limit if the file is trusted",
		    u->source->name, (unsigned long long)u->max_unpacked,
		    (unsigned long long)position(u));
	}
	u->unpacked += *got;
	if (*got == 0 && u->failed) {
		*err = u->err;
		return false;
	}
	return true;
}
