/* Intake: the daemon's inputs, read, parsed and handed to the keeper.
 *
 * An input is one path, folder or glob (tail), one watched folder (drop), capture files of a path
 * or folder (wire) or one spool of pushed records, and belongs to a source. Like a scan, intake
 * reads the input first that is least far in event time, so that a backlog is taken in order; what
 * has been read to its end is asked again when its descriptor says so. One thread.
 */
#ifndef PINWATCH_SERVE_INTAKE_H
#define PINWATCH_SERVE_INTAKE_H

#include "read/drop.h"
#include "read/spool.h"
#include "read/tail.h"
#include "serve/dead_letter.h"
#include "serve/keeper.h"
#include "serve/wire_files.h"

/* Records read from one input before the next choice. */
#define INTAKE_RUN 512

struct file_parser;
struct intake;

enum live_input_kind { LIVE_TAIL, LIVE_DROP, LIVE_WIRE, LIVE_SPOOL };

struct live_input {
	struct intake *intake;
	struct sv name; /* `SOURCE|PATH`, under which its position is kept */
	struct live_source *source;
	enum live_input_kind kind;
	struct tail *tail;
	struct drop *drop;
	struct wire_files *wire;
	struct spool *spool; /* borrowed */
	struct spool_reader *reader;
	bool ready;	/* worth asking; the loop sets it when the descriptor says so */
	bool behind;	/* something waits to be read, or it was never asked */
	bool caught_up; /* was read to its end once */
	bool changed;	/* its position, since the last checkpoint */
	bool watched;	/* its descriptor wakes the loop */
	bool keep;	/* during a reload: still wanted */
	/* nothing older is expected, but for max_lag; INT64_MIN: no idea yet */
	int64_t floor;
	struct instant asked; /* monotonic, when it last said that there is nothing */
	struct file_parser *parsers;
	size_t n_parsers;
	uint64_t _uses;
};

struct intake {
	struct keeper *keeper;
	struct live_sources *sources;
	struct dead_letter *dead;
	const struct format_set *formats;
	const struct conf *conf;
	struct live_input **inputs;
	size_t n;
	struct instant wall, monotonic; /* now; set by the loop */
	uint64_t records;		/* since the start */
	uint64_t errors;		/* inputs' errors, said through `complain` */
	void (*complain)(void *arg, struct sv source, const char *message);
	void *arg;
};

/* Adds an input; position as of the checkpoint, or empty. NULL and *err where it makes no sense. */
struct live_input *intake_tail(struct intake *in, struct live_source *source, struct sv path,
			       struct sv position, struct error *err);
struct live_input *intake_drop(struct intake *in, struct live_source *source, struct sv dir,
			       struct sv position, struct error *err);
struct live_input *intake_wire(struct intake *in, struct live_source *source, struct sv path,
			       struct sv position, struct error *err);
struct live_input *intake_spool(struct intake *in, struct live_source *source, struct spool *spool,
				struct sv position, struct error *err);
/* The name of an input, NUL-terminated in the buffer. */
void intake_name(struct buf *out, struct sv source, struct sv path);
struct live_input *intake_find(const struct intake *in, struct sv name);
void intake_remove(struct intake *in, struct live_input *x);
void intake_free(struct intake *in);

/* What to poll for reading; -1: nothing. */
int live_input_fd(const struct live_input *x);
void live_input_position(const struct live_input *x, struct buf *out);
/* Lets everything be asked again whose poll interval has passed. */
void intake_wake(struct intake *in);
/* Lets everything be asked again now. */
void intake_ask_all(struct intake *in);
/* Reads a run of records from the input that is least far. False where nothing waits. */
bool intake_run(struct intake *in);
/* The watermark, by how far every source is; INT64_MIN: none yet. */
int64_t intake_watermark(struct intake *in);
/* Nothing waits to be read in any input. */
bool intake_idle(const struct intake *in);

#endif
