#include <stdio.h>

#include "base/roff.h"
#include "conf/assign.h"
#include "conf/conf.h"
#include "conf/options.h"

/* "duration, default 10m, from 1s to 1d", "one of inside, outside", … */
static void write_facts(struct buf *out, const struct option *o)
{
	if (o->type == OPTION_WORD)
		for (const struct option_word *w = o->words; w->word != NULL; w++)
			buf_printf(out, "%s%s", w == o->words ? "one of " : ", ", w->word);
	else
		buf_str(out, option_type_name(o->type));
	if (o->type == OPTION_SIZE)
		buf_str(out, ", KiB, MiB or GiB");
	if (o->type == OPTION_DURATION)
		buf_str(out, ", in d, h, m, s or ms");
	if (o->min != 0 || o->max != 0) {
		buf_str(out, "; from ");
		option_format_number(o, o->min, out);
		buf_str(out, " to ");
		option_format_number(o, o->max, out);
	}
	if (o->required)
		buf_str(out, "; required");
	else if (o->fallback != NULL)
		buf_printf(out, "; default %s", o->fallback);
	else
		buf_printf(out, "; unset: %s", o->unset);
}

void conf_reference(struct buf *out)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const char *example = option_example(o);
		buf_printf(out, "%s%s\n    %s\n    ", i > 0 ? "\n" : "", o->path, o->description);
		write_facts(out, o);
		if (example != NULL && o->fallback == NULL)
			buf_printf(out, "\n    for example %s", example);
		buf_char(out, '\n');
	}
}

static void man_option(struct buf *out, const struct option *o)
{
	struct buf facts;

	buf_init(&facts, 1024);
	write_facts(&facts, o);
	buf_str(out, ".TP\n.B ");
	roff_text(out, sv_cstr(o->path));
	buf_str(out, "\n");
	roff_text(out, sv_cstr(o->description));
	buf_str(out, ".\n.br\n");
	roff_text(out, buf_view(&facts));
	buf_str(out, ".\n");
	buf_free(&facts);
}

static const char man_head[] =
    ".TH PINWATCH.YAML 5 \"\" \"pinwatch " PINWATCH_VERSION "\" \"File formats\"\n"
    ".SH NAME\n"
    "pinwatch.yaml \\- configuration of pinwatch\n"
    ".SH DESCRIPTION\n"
    "One YAML file. A name with dots stands in nested sections:\n"
    ".B analytic.TimeWindow\n"
    "is\n"
    ".B TimeWindow\n"
    "below\n"
    ".BR analytic: .\n"
    "Unknown keys are errors. Relative paths count from the file's folder.\n"
    "Anchors, aliases and tags are not supported.\n"
    ".PP\n"
    "On the command line,\n"
    ".BI \\-\\-set\\  path = value\n"
    "overrides the file; a source's options are reached as\n"
    ".BI sources. NAME . option\n"
    "or\n"
    ".BI sources[ N ]. option\\fR,\n"
    "lists are written in brackets.\n"
    ".B pinwatch check\\-config\n"
    "prints every option with the value in force and where it was said.\n"
    ".SH OPTIONS\n";

static const char man_tail[] =
    ".SH LIST FILES\n"
    "A list file is a YAML list of entries; entries may also stand in the configuration.\n"
    ".PP\n"
    ".nf\n"
    "\\- app: com.acme.bank          # AllowedAppList: exact or prefix.*\n"
    "  destinations: [bank.test]   # optional: exact host, .suffix, CIDR\n"
    "  owner: mobile\\-security\n"
    "  reason: pins by design\n"
    "  ticket: SEC\\-1234\n"
    "  expires: 2027\\-03\\-31         # the last day, UTC\n"
    "\\- destination: .vendor.test   # AllowedDestinationList\n"
    "  apps: [com.vendor.*]        # optional\n"
    ".fi\n"
    ".PP\n"
    "The suffix .vendor.test covers vendor.test and every host below it.\n"
    ".SH SEE ALSO\n"
    ".BR pinwatch (1)\n";

void conf_reference_man(struct buf *out)
{
	buf_str(out, man_head);
	for (size_t i = 0; i < option_count; i++)
		man_option(out, &option_table[i]);
	buf_str(out, man_tail);
}
