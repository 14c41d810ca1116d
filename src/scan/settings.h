/* The configuration as the stages read it. */
#ifndef PINWATCH_SCAN_SETTINGS_H
#define PINWATCH_SCAN_SETTINGS_H

#include "conf/conf.h"
#include "model/settings.h"

/* Borrows from the configuration; arrays land in the arena. */
void settings_from_conf(struct settings *s, const struct conf *c, struct arena *a);

#endif
