/* How a record looks on a timeline: the lane it belongs to, the mark that tells its outcome, and
 * the TimeWindow that holds the most of what counts.
 *
 * A mark has a shape of its own, so that nothing depends on colour.
 */
#ifndef PINWATCH_EMIT_SVG_MARKS_H
#define PINWATCH_EMIT_SVG_MARKS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/finding.h"
#include "model/settings.h"
#include "model/summary.h"

/* The analytic's four log sources, in the order in which a page shows them. */
enum svg_lane { LANE_MDM, LANE_EDR, LANE_INSPECTION, LANE_FLOW, LANES };

/* The later ones win where two share a pixel. */
enum svg_mark {
	MARK_SEEN,
	MARK_POSTURE,
	MARK_ACTIVE,
	MARK_BACKGROUND,
	MARK_SUCCESS,
	MARK_RIVAL,
	MARK_LATE,
	MARK_SILENT,
	MARK_REJECT,
	MARKS
};

struct svg_point {
	const struct evidence *e;
	enum svg_lane lane;
	enum svg_mark mark;
};

/* The records of a finding by time. */
struct svg_points {
	struct svg_point *list;
	size_t n;
	struct instant window; /* start of the fullest TimeWindow; INSTANT_NONE without records */
	struct span window_length;
	size_t in_window; /* of what counts: failures, else what else is known */
	bool counts_failures;
};

/* Lists them in the arena. The views of f and summary are borrowed. */
void svg_points(struct svg_points *p, const struct finding *f, const struct run_summary *summary,
		const struct settings *settings, struct arena *a);
bool svg_in_window(const struct svg_points *p, struct instant t);

const char *svg_lane_name(enum svg_lane l); /* "MDM" */
enum sensor_kind svg_lane_sensor(enum svg_lane l);
const char *svg_mark_words(enum svg_mark m);
/* Is it a failure under inspection? */
bool svg_mark_fails(enum svg_mark m);
/* What the record says, in plain words; may stand in HTML text and attributes. */
void svg_record_words(struct buf *out, const struct evidence *e);
/* The shapes, once a page; svg_timeline refers to them. */
void svg_mark_shapes(struct buf *out);
/* An HTML list of the marks in use, a bit each. */
void svg_legend(struct buf *out, unsigned marks);

#endif
