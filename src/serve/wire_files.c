#include "serve/wire_files.h"

#include <stdlib.h>

#include "scan/capture.h"
#include "scan/settings.h"

/* Packets decoded in a call that hands nothing out. */
#define STEP 4096

struct queued {
	struct wire_seen seen;
	struct capture_place place; /* once it is handed out */
};

struct wire_files {
	struct capture_folder *folder;
	const char *filter;
	struct settings settings;
	struct arena arena;	     /* of settings and filter */
	struct capture_input *input; /* NULL: between files */
	struct input_where where;
	struct capture_place resume; /* what was handed out before this reading began */
	struct capture_place at;     /* the newest that was decoded */
	struct queued *queue;
	size_t n, next, capacity;
	struct arena texts; /* of the queue */
	bool ending;	    /* the file has ended; the queue is its rest */
	bool damaged;
	struct error damage;
	struct wire_files_silent silent;
};

/* ---- what was handed out before */

static bool is_before(const struct capture_place *a, const struct capture_place *b)
{
	if (a->packets != b->packets)
		return a->packets < b->packets;
	if (a->end != b->end)
		return b->end;
	return a->given <= b->given;
}

static struct sv keep(struct wire_files *w, struct sv v)
{
	return sv_empty(v) ? SV_NONE : arena_sv(&w->texts, v);
}

static void take(void *arg, const struct wire_seen *s)
{
	struct wire_files *w = arg;
	struct capture_place place = { .packets = capture_input_counts(w->input)->packets,
				       .end = capture_input_ended(w->input) };
	struct observation *o;

	place.given =
	    place.packets == w->at.packets && place.end == w->at.end ? w->at.given + 1 : 1;
	w->at = place;
	if (is_before(&place, &w->resume))
		return;
	if (w->n == w->capacity) {
		w->capacity = w->capacity == 0 ? 64 : w->capacity * 2;
		w->queue = xrealloc(w->queue, w->capacity, sizeof(*w->queue));
	}
	place.silent = w->resume.silent;
	w->queue[w->n] = (struct queued){ *s, place };
	o = &w->queue[w->n++].seen.observation;
	o->dst.hostname = keep(w, o->dst.hostname);
	o->tls.sni = keep(w, o->tls.sni);
	o->tls.version = keep(w, o->tls.version);
	o->tls.ja3 = keep(w, o->tls.ja3);
	o->tls.ja4 = keep(w, o->tls.ja4);
	o->tls.issuer = keep(w, o->tls.issuer);
}

/* ---- files */

struct wire_files *wire_files_open(const struct conf *c, const struct conf_source *source,
				   struct sv path, struct sv position, struct error *err)
{
	struct wire_files *w = xcalloc(1, sizeof(*w));
	struct capture_folder_options options = { .path = path.p };

	settings_from_conf(&w->settings, c, &w->arena);
	w->filter = capture_filter(&source->filter, &w->arena);
	w->folder = capture_folder_open(&options, position, err);
	if (w->folder != NULL)
		return w;
	wire_files_close(w);
	return NULL;
}

void wire_files_close(struct wire_files *w)
{
	if (w == NULL)
		return;
	/* What closing would give out is not handed out: the next reading gives it. */
	capture_input_close(w->input);
	capture_folder_close(w->folder);
	free(w->queue);
	arena_free(&w->texts);
	arena_free(&w->arena);
	free(w);
}

static enum input_result begin_file(struct wire_files *w, struct instant monotonic,
				    struct instant wall, struct error *err)
{
	struct capture_input_options options = {
		.settings = &w->settings, .seen = take, .arg = w, .capture = { .filter = w->filter }
	};
	enum input_result got =
	    capture_folder_next(w->folder, monotonic, wall, &w->where, &w->resume, err);

	if (got != INPUT_RECORD)
		return got;
	options.path = w->where.path.p;
	w->at = (struct capture_place){ 0 };
	w->ending = w->damaged = false;
	w->input = capture_input_open(&options, err);
	if (w->input != NULL)
		return INPUT_MORE;
	capture_folder_finish(w->folder);
	return INPUT_ERROR;
}

/* Its end is a place, too: what comes behind it, where the file grows, is new. */
static void end_file(struct wire_files *w)
{
	const struct wire_counts *counts = capture_input_counts(w->input);
	uint64_t silent = counts->not_tls + counts->gateways_own;
	struct capture_place place = { .packets = counts->packets, .end = true };

	if (w->at.end && w->at.packets == place.packets)
		place.given = w->at.given;
	/* Less than before: the file was cut, and what it still holds was handed out. */
	if (is_before(&place, &w->resume))
		place = w->resume;
	place.silent = silent > w->resume.silent ? silent : w->resume.silent;
	w->silent.connections += place.silent - w->resume.silent;
	if (!w->resume.end)
		w->silent.cut += counts->cut;
	capture_folder_at(w->folder, place);
	capture_folder_finish(w->folder);
	capture_input_close(w->input);
	w->input = NULL;
}

static void decode(struct wire_files *w)
{
	w->n = w->next = 0;
	arena_reset(&w->texts);
	switch (capture_input_run(w->input, STEP, INSTANT_NONE, &w->damage)) {
	case CAPTURE_ERROR:
		w->damaged = true;
		w->ending = true;
		break;
	case CAPTURE_END:
		w->ending = true;
		break;
	case CAPTURE_PACKET:
	case CAPTURE_NOTHING_YET:
		break;
	}
}

enum input_result wire_files_next(struct wire_files *w, struct instant monotonic,
				  struct instant wall, const struct wire_seen **seen,
				  struct input_where *where, struct error *err)
{
	*where = w->where;
	if (w->input == NULL)
		return begin_file(w, monotonic, wall, err);
	if (w->next == w->n && !w->ending)
		decode(w);
	if (w->next < w->n) {
		const struct queued *q = &w->queue[w->next++];

		capture_folder_at(w->folder, q->place);
		where->line = q->seen.packet;
		w->where.first = false;
		*seen = &q->seen;
		return INPUT_RECORD;
	}
	if (!w->ending)
		return INPUT_MORE;
	end_file(w);
	if (!w->damaged)
		return INPUT_MORE;
	*err = w->damage;
	return INPUT_ERROR;
}

struct wire_files_silent wire_files_silent(struct wire_files *w)
{
	struct wire_files_silent silent = w->silent;

	w->silent = (struct wire_files_silent){ 0 };
	return silent;
}

int wire_files_fd(const struct wire_files *w) { return capture_folder_fd(w->folder); }

void wire_files_position(const struct wire_files *w, struct buf *out)
{
	capture_folder_position(w->folder, out);
}
