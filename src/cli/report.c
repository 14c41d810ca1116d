#include "cli/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "model/summary.h"

#define NARROWEST 60
#define MAX_NAME 80
#define PAGE_WIDTH 110

static volatile sig_atomic_t interrupted;

static enum exit_code report_code(const struct error *err)
{
	switch (err->code) {
	case ERROR_USAGE:
	case ERROR_CONFIG:
		return EXIT_USAGE;
	default:
		return EXIT_INPUT;
	}
}

/* Error messages may have several lines; everything else in them is made safe. */
static void say(const char *command, struct sv message)
{
	struct buf b;

	buf_init(&b, 65536);
	buf_printf(&b, "pinwatch%s%s: ", command[0] != '\0' ? " " : "", command);
	while (message.p != NULL) {
		text_safe(&b, sv_cut(message, '\n', &message), 0);
		buf_char(&b, '\n');
	}
	report_buf(stderr, &b);
}

int report_error(const char *command, const struct error *err)
{
	fflush(stdout);
	say(command, sv_cstr(err->message));
	return (int)report_code(err);
}

void report_note(const char *command, const char *fmt, ...)
{
	char message[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	say(command, sv_cstr(message));
}

void report_partial(const char *command, const struct run_summary *run)
{
	bool said = false;

	for (size_t i = 0; i < run->n_sources; i++) {
		const struct source_summary *s = &run->sources[i];

		said |= s->stale || s->over_budget;
		if (s->stale)
			report_note(command,
				    "source %.*s is stale: silent for longer than its "
				    "silence_after before the newest event",
				    SV_ARG(sv_first(s->name, MAX_NAME)));
		if (s->over_budget)
			report_note(command,
				    "source %.*s: %llu of %llu records rejected, more than its "
				    "bad_line_budget allows; `pinwatch scan -v` shows them",
				    SV_ARG(sv_first(s->name, MAX_NAME)),
				    (unsigned long long)s->rejected + s->overlong,
				    (unsigned long long)s->records);
	}
	if (!said)
		report_note(command, "an input could not be read to its end; the account that "
				     "`pinwatch scan` ends with names it");
}

void report_buf(FILE *out, struct buf *b)
{
	if (b->n > 0)
		fwrite(b->p, 1, b->n, out);
	buf_free(b);
}

int report_finish(const char *command, int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	report_note(command,
		    "not all results could be written to standard output%s%s; make room, or send "
		    "them elsewhere",
		    errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	return EXIT_INPUT;
}

enum report_colour report_colour_word(const char *word)
{
	return strcmp(word, "always") == 0  ? COLOUR_ALWAYS
	       : strcmp(word, "never") == 0 ? COLOUR_NEVER
					    : COLOUR_AUTO;
}

struct text_style report_style(FILE *stream, enum report_colour colour, bool local)
{
	struct text_style style = { .local = local };
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	const char *columns = getenv("COLUMNS");
	bool terminal = isatty(fileno(stream)) == 1;
	struct winsize size;

	style.colour = colour == COLOUR_ALWAYS || (colour == COLOUR_AUTO && terminal &&
						   (no_color == NULL || no_color[0] == '\0') &&
						   term != NULL && strcmp(term, "dumb") != 0);
	if (terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	else if (columns != NULL)
		style.width = strtoul(columns, NULL, 10);
	if (style.width > 0 && style.width < NARROWEST)
		style.width = NARROWEST;
	return style;
}

struct text_style report_page_style(enum report_colour colour, bool local)
{
	struct text_style style = report_style(stdout, colour, local);

	if (style.width == 0 || style.width > PAGE_WIDTH)
		style.width = PAGE_WIDTH;
	return style;
}

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

const volatile sig_atomic_t *report_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &interrupted;
}

struct instant report_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct instant){ (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec };
}
