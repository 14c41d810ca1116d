/* Targets: the fields of an observation that a format file can fill, under their canonical
 * names. */
#ifndef PINWATCH_PARSE_TARGET_H
#define PINWATCH_PARSE_TARGET_H

#include "parse/derive.h"

/* What a target belongs to: observation kinds by their bit, and the items of posture lists. */
#define IN_TLS (1u << OBS_TLS_ATTEMPT)
#define IN_ACTIVITY (1u << OBS_APP_ACTIVITY)
#define IN_POSTURE (1u << OBS_POSTURE)
#define IN_LEASE (1u << OBS_LEASE)
#define IN_ANY (IN_TLS | IN_ACTIVITY | IN_POSTURE | IN_LEASE)
#define IN_APP (1u << 8)
#define IN_PROFILE (1u << 9)

enum target_width {
	AS_SV,
	AS_NS, /* struct instant, struct span */
	AS_ADDR,
	AS_U16,
	AS_U32,
	AS_INT, /* int and every enumeration */
	AS_I64,
	AS_BOOL, /* a tri-state into bool */
	AS_TEXTS,
};

struct target {
	const char *name;
	unsigned in;
	enum cell_type type;
	enum target_width width;
	size_t offset;		/* in struct observation, installed_app or profile */
	const char *derivation; /* makes the value of plain text; NULL: the text itself */
	int64_t min, max;	/* of a number */
};

/* NULL when no such target belongs to any of `in`. */
const struct target *target_find(struct sv name, unsigned in);
/* For messages: the known name nearest to it, or NULL. */
const char *target_nearest(struct sv name, unsigned in);
/* Writes a cell of target->type. False when a number is out of the target's range. */
static inline bool target_store(const struct target *t, void *object, const struct cell *cell)
{
	void *at = (char *)object + t->offset;

	switch (t->width) {
	case AS_SV:
		memcpy(at, &cell->text, sizeof(cell->text));
		return true;
	case AS_NS:
		memcpy(at, &cell->time, sizeof(cell->time));
		return true;
	case AS_ADDR:
		memcpy(at, &cell->addr, sizeof(cell->addr));
		return true;
	case AS_BOOL:
		*(bool *)at = cell->number == TRI_TRUE;
		return true;
	case AS_TEXTS:
		return false; /* lists go another way */
	default:
		break;
	}
	if (cell->number < t->min || cell->number > t->max)
		return false;
	if (t->width == AS_U16) {
		uint16_t n = (uint16_t)cell->number;
		memcpy(at, &n, sizeof(n));
	} else if (t->width == AS_I64) {
		memcpy(at, &cell->number, sizeof(cell->number));
	} else { /* AS_INT, AS_U32; enumerations are as wide as int */
		uint32_t n = (uint32_t)cell->number;
		memcpy(at, &n, sizeof(n));
	}
	return true;
}

#endif
