/* Capture files as a live input: each is read once, to its end, through the wire sensor.
 *
 * Positions are those of read/capture_folder.h. Going on in the middle of a file decodes it from
 * its beginning and keeps to itself what was handed out before: which connections a packet ends
 * depends on the packets before it alone, so nothing is handed out twice and nothing is left out. A
 * file that is read on because it has grown tells connections once more that were open at its
 * former end; merging takes them for one.
 *
 * Bounded work a call: INPUT_MORE stands for packets that gave nothing. One thread.
 */
#ifndef PINWATCH_SERVE_WIRE_FILES_H
#define PINWATCH_SERVE_WIRE_FILES_H

#include "read/capture_folder.h"
#include "wire/wire.h"

struct conf;
struct conf_source;

struct wire_files_silent {
	uint64_t connections; /* without TLS, or the gateway's own */
	uint64_t cut;	      /* packets captured too short for their own headers */
};

struct wire_files;

/* Views of the configuration are borrowed. */
struct wire_files *wire_files_open(const struct conf *c, const struct conf_source *source,
				   struct sv path, struct sv position, struct error *err);
void wire_files_close(struct wire_files *w);
/* *seen and *where are good until the next call. INPUT_ERROR: a file could not be read, or is
 * damaged; all that stood before was handed out. */
enum input_result wire_files_next(struct wire_files *w, struct instant monotonic,
				  struct instant wall, const struct wire_seen **seen,
				  struct input_where *where, struct error *err);
/* What had nothing to say since the last call. */
struct wire_files_silent wire_files_silent(struct wire_files *w);
int wire_files_fd(const struct wire_files *w);
void wire_files_position(const struct wire_files *w, struct buf *out);

#endif
