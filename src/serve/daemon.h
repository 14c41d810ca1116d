/* The daemon's parts in one value, for the files of serve/ that share them. */
#ifndef PINWATCH_SERVE_DAEMON_H
#define PINWATCH_SERVE_DAEMON_H

#include "base/pool.h"
#include "serve/deliver.h"
#include "serve/intake.h"
#include "serve/ledger.h"
#include "serve/serve.h"

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

struct control_socket;
struct pushed;
struct web;
struct doors;

/* Where an input is, while it is closed and opened again. */
struct kept_position {
	struct sv name, position;
};

struct daemon {
	const struct serve_options *options;
	struct conf *conf;
	struct format_set *formats;
	char *state_dir, *journal_dir;
	int lock;
	struct store *store;
	struct live_sources sources;
	struct governed governed;
	struct keeper keeper;
	struct intake intake;
	struct ledger ledger;
	struct dead_letter dead;
	struct deliver deliver;
	struct pool pool;
	struct control_socket *control;
	struct web *web;
	struct pushed *pushed;
	struct doors *doors; /* NULL until the inputs are open */
	int epoll, signals;

	struct instant wall, monotonic; /* as of the present turn of the loop */
	struct instant began;		/* monotonic */
	struct instant next_judge, next_checkpoint, next_look, next_retention;
	/* monotonic: when all inputs were last read to their ends */
	struct instant caught_up;
	struct span judged_in; /* how long the last judgement took */
	struct span checkpointed_in;
	struct instant checkpoint_ended; /* monotonic: the last try */
	uint64_t judgements, checkpoints, checkpoints_failed;
	int64_t checkpoint;		/* id of the last committed one */
	struct instant checkpointed_at; /* wall */
	bool silence_changed;
	/* segments of the journal that go with the next checkpoint; 0: none */
	uint64_t drop_from, drop_until;
	uint64_t segments_dropped;
	uint64_t memory; /* bytes that records take, as of the last look */
	/* the disk refuses: nothing is read until a checkpoint succeeds */
	bool trouble;
	struct error trouble_why;
	bool ready;	       /* the journal has been replayed and the inputs are open */
	bool settle, settling; /* somebody waits for everything read to be judged */
	bool stop, reload;
	/* the database's allow-list could not be read: tried again */
	bool allow_again;
	/* of the configuration's files: as loaded, as last looked at */
	uint64_t conf_mark, conf_seen;
	uint64_t reloads;
	bool broken; /* cannot go on: *why */
	struct error why;
	int log_level;
	const struct kept_position *_kept;
	size_t _n_kept;
	bool log_plain; /* somebody else puts times to the lines */
};

void daemon_log(const struct daemon *d, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void daemon_now(struct daemon *d);

/* restore.c: opens everything as the last checkpoint left it. */
bool daemon_restore(struct daemon *d, struct error *err);
/* Opens the inputs of the configuration that are not open, with their positions. */
bool daemon_open_inputs(struct daemon *d, struct error *err);
/* Closes all and opens those of the configuration, each where it is. */
bool daemon_reopen_inputs(struct daemon *d, struct error *err);

/* checkpoint.c */
bool daemon_checkpoint(struct daemon *d);
/* Whether there is anything to make durable. */
bool daemon_has_news(const struct daemon *d);

/* judgement.c */
/* all: writes out every change, also of findings that nobody is shown. */
void daemon_judge(struct daemon *d, bool all);

#endif
