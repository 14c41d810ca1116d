/* The manual page pinwatch(1), made of the commands' own tables and help texts, so that it cannot
 * fall behind them. (pinwatch.yaml(5) is made of the option table, in conf/.)
 */
#ifndef PINWATCH_CLI_MAN_H
#define PINWATCH_CLI_MAN_H

#include "base/buf.h"

/* Appends it as roff. */
void man_page(struct buf *out);

#endif
