#include "cli/man.h"

#include "base/roff.h"
#include "cli/tables.h"

/* Paragraphs wrapped by hand: an empty line begins the next one. */
static void paragraphs(struct buf *out, struct sv text)
{
	size_t at;

	while ((at = sv_find(text, SV("\n\n"))) != SIZE_MAX) {
		roff_text(out, sv_first(text, at));
		buf_str(out, "\n.PP\n");
		text = sv_skip(text, at + 2);
	}
	roff_text(out, text);
	buf_char(out, '\n');
}

/* The first form without the program's name, further ones below it with. */
static void usage(struct buf *out, const struct args_command *c)
{
	struct sv rest = sv_cstr(c->usage);

	buf_str(out, ".B pinwatch ");
	roff_text(out, sv_cstr(c->name));
	buf_char(out, ' ');
	for (;;) {
		roff_text(out, sv_trim(sv_cut(rest, '\n', &rest)));
		buf_char(out, '\n');
		if (rest.p == NULL)
			return;
		buf_str(out, ".br\n.B ");
	}
}

static void option(struct buf *out, const struct arg *o)
{
	buf_str(out, ".TP\n");
	if (o->letter != 0)
		buf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
	buf_str(out, "\\fB\\-\\-");
	roff_text(out, sv_cstr(o->name));
	buf_str(out, "\\fR");
	if (o->value != NULL) {
		buf_str(out, " \\fI");
		roff_text(out, sv_cstr(o->value));
		buf_str(out, "\\fR");
	}
	buf_char(out, '\n');
	roff_text(out, sv_cstr(o->help));
	if (o->words != NULL) {
		buf_str(out, " (one of: ");
		roff_text(out, sv_cstr(o->words));
		buf_char(out, ')');
	}
	buf_char(out, '\n');
}

static void command(struct buf *out, const struct command *c)
{
	buf_str(out, ".SS \"");
	roff_text(out, sv_cstr(c->name));
	buf_str(out, " \\- ");
	roff_text(out, sv_cstr(c->summary));
	buf_str(out, "\"\n");
	usage(out, c->args);
	buf_str(out, ".PP\n");
	paragraphs(out, sv_cstr(c->args->about));
	for (const struct arg *o = c->args->args; o->name != NULL; o++)
		option(out, o);
	buf_str(out, ".PP\nExamples:\n.PP\n.nf\n.RS\n");
	roff_text(out, sv_cstr(c->args->examples));
	buf_str(out, ".RE\n.fi\n");
}

static const char head[] =
    ".TH PINWATCH 1 \"\" \"pinwatch " PINWATCH_VERSION "\" \"User commands\"\n"
    ".SH NAME\n"
    "pinwatch \\- find apps that pin certificates behind a TLS\\-inspecting gateway\n"
    ".SH SYNOPSIS\n"
    ".B pinwatch\n"
    ".I COMMAND\n"
    "[\\fIOPTION\\fR]... [\\fIFILE\\fR]...\n"
    ".br\n"
    ".B pinwatch\n"
    "\\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR | \\fB\\-\\-man\\fR\n"
    ".SH DESCRIPTION\n"
    "Reads the logs of a TLS\\-inspecting gateway, network sensors, device agents, device\n"
    "management and address leases of supervised iPhones, joins them by event time, and judges\n"
    "for every app and destination whether the app pins it (MITRE ATT&CK AN1726, technique\n"
    "T1521.003), or whether there is an ordinary reason why its TLS fails under inspection.\n"
    ".PP\n"
    "What a file is is told by its content. Gzip and zstd are unpacked as they are read;\n"
    ".B \\-\n"
    "is standard input. Options may stand anywhere;\n"
    ".B \\-\\-\n"
    "ends them. Results go to standard output, everything else to standard error.\n"
    ".SH COMMANDS\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nFindings at or above the severity given to\n.BR \\-\\-fail\\-on ;\nfor\n"
    ".B score\nbelow\n.BR \\-\\-min\\-f1 .\n"
    ".TP\n.B 2\nUsage or configuration error.\n"
    ".TP\n.B 3\nInput unreadable, unrecognised, or no record could be parsed.\n"
    ".TP\n.B 4\nDone, but partly: a source's share of unparseable records went beyond its\n"
    "budget, or a configured source is missing or was silent for too long.\n"
    ".TP\n.B 130\nInterrupted; results so far were written whole.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B NO_COLOR\nIf set and not empty, no colour unless\n.B \\-\\-color always\nis given.\n"
    ".TP\n.B COLUMNS\nWidth of tables where standard output is no terminal.\n"
    ".TP\n.B TZ\nThe zone of\n.BR \\-\\-local .\n"
    ".SH FILES\n"
    ".TP\n.I pinwatch.yaml\nThe configuration, see\n.BR pinwatch.yaml (5).\n"
    "None is read unless it is named.\n"
    ".SH SEE ALSO\n"
    ".BR pinwatch.yaml (5)\n"
    ".PP\n"
    "MITRE ATT&CK detection strategy DET0646:\n"
    "https://attack.mitre.org/detectionstrategies/DET0646\n";

void man_page(struct buf *out)
{
	buf_str(out, head);
	for (const struct command *c = command_table; c->name != NULL; c++)
		if (c->args != NULL)
			command(out, c);
	buf_str(out, tail);
}
