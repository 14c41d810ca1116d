/* Unpacking on the way in: gzip (RFC 1952) and zstd (RFC 8878) streams, told by their first bytes.
 *
 * Concatenated gzip members and zstd frames, skippable frames among them, are one stream, as the
 * command-line tools write and read them. Memory is bounded whatever the input says: 64 KiB of
 * packed bytes, plus zlib's window or a zstd window of at most 128 MiB.
 *
 * What stands before a damaged place is handed out before the damage is reported.
 */
#ifndef PINWATCH_READ_UNPACK_H
#define PINWATCH_READ_UNPACK_H

#include "read/source.h"

enum packing {
	PACKING_NONE,
	PACKING_GZIP,
	PACKING_ZSTD,
};

struct unpack;

/* Looks at the head of the source. max_unpacked: bytes, 0 for no limit; a plain source has none.
 * NULL and *err when the source cannot be read, or is packed in a way that is not supported. */
struct unpack *unpack_new(struct source *s, uint64_t max_unpacked, struct error *err);
void unpack_free(struct unpack *u);
enum packing unpack_packing(const struct unpack *u);
/* At most n > 0 unpacked bytes; *got 0 is the end. False on damage, truncation, a reached limit or
 * a read error, once everything before it has been handed out; *err names source and byte. */
bool unpack_read(struct unpack *u, char *out, size_t n, size_t *got, struct error *err);

#endif
