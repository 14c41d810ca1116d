#include "serve/admit.h"

#include "scan/capture.h"
#include "scan/recognise.h"

bool admit_formats(const struct conf *c, const struct format_set *formats, struct error *err)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		const struct conf_source *s = &c->sources[i];

		if (sv_empty(s->format) || sv_eq(s->format, SV("auto")) ||
		    recognise_name(formats, s->format.p, err) != NULL)
			continue;
		err->code = ERROR_CONFIG;
		error_prefix(err, "%s:%u: source `%.*s`", s->file, s->line, SV_ARG(s->name));
		return false;
	}
	return true;
}

static bool is_loopback(const struct addr *a)
{
	static const struct cidr all[] = {
		{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 } }, 104 },
		{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } }, 128 },
	};

	return cidr_holds(&all[0], a) || cidr_holds(&all[1], a);
}

bool admit_doors(const struct conf *c, struct error *err)
{
	struct sv where = sv_empty(c->file) ? SV("--set") : c->file;
	char ip[ADDR_TEXT_SIZE];

	if (sv_empty(c->tls_certificate) != sv_empty(c->tls_key))
		return error_set(err, ERROR_CONFIG, 0,
				 "%.*s: serve.tls_certificate and serve.tls_key: one is given "
				 "without the other; give both",
				 SV_ARG(where));
	if (!sv_empty(c->tls_certificate) || c->tls_self_made || is_loopback(&c->listen.ip))
		return true;
	addr_format(&c->listen.ip, ip);
	return error_set(err, ERROR_CONFIG, 0,
			 "%.*s: serve.listen: %s is not loopback, and passwords and tokens do not "
			 "go there in the clear: give serve.tls_certificate and serve.tls_key, or "
			 "set serve.tls_self_made, or listen on 127.0.0.1",
			 SV_ARG(where), addr_known(&c->listen.ip) ? ip : "[::]");
}

bool admit_conf(const struct conf *c, const struct format_set *formats, struct error *err)
{
	bool ok = admit_formats(c, formats, err) && admit_doors(c, err);

	for (size_t i = 0; ok && i < c->n_sources; i++)
		ok = capture_filter_check(&c->sources[i], err);
	return ok;
}
