/* What a configuration has to fulfil beyond what conf/ can see, before anything is begun with it:
 * for the daemon's start and reload, and for check-config. Reads files' names, never the files. */
#ifndef PINWATCH_SERVE_ADMIT_H
#define PINWATCH_SERVE_ADMIT_H

#include "base/error.h"
#include "conf/conf.h"
#include "parse/parser.h"

/* Every source's `format` is one of these. */
bool admit_formats(const struct conf *c, const struct format_set *formats, struct error *err);
/* Certificate and key come together, and nothing but TLS is spoken off loopback. */
bool admit_doors(const struct conf *c, struct error *err);
/* All that the daemon asks: both of these, and filters that compile. */
bool admit_conf(const struct conf *c, const struct format_set *formats, struct error *err);

#endif
