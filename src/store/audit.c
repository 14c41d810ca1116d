#include "store/audit.h"

#include "store/statements.h"

bool audit_write(struct store *s, const struct audit_who *who, const char *action, struct sv target,
		 struct sv before, struct sv after, struct error *err)
{
	return statement_do(s,
			    "INSERT INTO audit(at,actor,via,address,action,target,before,after) "
			    "VALUES(?,?,?,?,?,?,?,?)",
			    err, "ivvvtvVV", who->at, who->actor, who->via, who->address, action,
			    target, before, after);
}

bool changes_write(struct store *s, int64_t at, const char *kind, struct sv target, struct sv data,
		   struct error *err)
{
	return statement_do(s, "INSERT INTO changes(at,kind,target,data) VALUES(?,?,?,?)", err,
			    "itvv", at, kind, target, data);
}
