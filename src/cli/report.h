/* Talking to the person: errors in words and as exit codes, terminals, signals, the end of
 * output. */
#ifndef PINWATCH_CLI_REPORT_H
#define PINWATCH_CLI_REPORT_H

#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "emit/text.h"

struct run_summary;

/* Says the error on standard error, hostile bytes made harmless; returns its exit code. */
int report_error(const char *command, const struct error *err);
/* Likewise for a sentence that is no error's; does not end anything. */
void report_note(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Why a run is partial (exit code 4), for whoever does not see the footer: a line for each source
 * that is stale or has more bad lines than it may, or one for an input that could not be read to
 * its end. */
void report_partial(const char *command, const struct run_summary *run);

/* Writes the buffer, frees it. Errors of the stream are seen by report_finish. */
void report_buf(FILE *out, struct buf *b);
/* Flushes standard output. Whatever kept results from being written is said and turns `code` into
 * EXIT_INPUT. (A reader that went away ends the program by SIGPIPE, quietly.) Returns the code. */
int report_finish(const char *command, int code);

enum report_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
/* The word of --color, checked by args. */
enum report_colour report_colour_word(const char *word);
/* Colour and width for a stream: auto is on for a terminal, unless NO_COLOR is set or TERM is dumb.
 * Width is the terminal's, else COLUMNS, else none. */
struct text_style report_style(FILE *stream, enum report_colour colour, bool local);
/* Likewise for a page of prose on standard output, which is never wider than one likes to read. */
struct text_style report_page_style(enum report_colour colour, bool local);

/* Catches SIGINT and SIGTERM; what it points at turns nonzero once one came. The second one ends
 * the program. */
const volatile sig_atomic_t *report_signals(void);
/* The wall clock. */
struct instant report_now(void);

#endif
