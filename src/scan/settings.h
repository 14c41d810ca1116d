/* The configuration as the stages read it. */
#ifndef PINWATCH_SCAN_SETTINGS_H
#define PINWATCH_SCAN_SETTINGS_H

#include "conf/conf.h"
#include "model/settings.h"

/* Borrows from the configuration; arrays land in the arena. */
void settings_from_conf(struct settings *s, const struct conf *c, struct arena *a);
/* A copy that borrows from nothing but the arena. */
void settings_copy(struct settings *out, const struct settings *s, struct arena *a);
/* Puts a list's entries behind those that `out`, which has room for them, holds already, and counts
 * them. */
void settings_allow(struct settings *s, struct allowance *out, const struct allow_list *list,
		    bool is_app_list, struct arena *a);

#endif
