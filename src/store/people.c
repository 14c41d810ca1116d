#include "store/people.h"

#include "store/statements.h"

bool people_name_ok(struct sv name)
{
	static const char first[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (name.n == 0 || name.n > PEOPLE_MAX_NAME ||
	    memchr(first, name.p[0], sizeof(first) - 1) == NULL)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (memchr(first, name.p[i], sizeof(first) - 1) == NULL &&
		    memchr("._-@", name.p[i], 4) == NULL)
			return false;
	return true;
}

static struct store_user user_of(sqlite3_stmt *q)
{
	return (struct store_user){
		.name = column_text(q, 0),
		.role = column_text(q, 1),
		.password = column_text(q, 2),
		.created_by = column_text(q, 3),
		.created_at = sqlite3_column_int64(q, 4),
		.changed_at = sqlite3_column_int64(q, 5),
		.tokens = (uint64_t)sqlite3_column_int64(q, 6),
	};
}

bool people_user(struct store *s, struct sv name, struct arena *a, struct store_user *out)
{
	struct error err;
	sqlite3_stmt *q = statement_once(
	    s,
	    "SELECT name,role,password,created_by,created_at,changed_at,0 FROM users WHERE name=?",
	    &err, "v", name);
	bool there = q != NULL && sqlite3_step(q) == SQLITE_ROW;

	if (there) {
		*out = user_of(q);
		out->name = arena_sv(a, out->name);
		out->role = arena_sv(a, out->role);
		out->password = arena_sv(a, out->password);
		out->created_by = arena_sv(a, out->created_by);
	}
	sqlite3_finalize(q);
	return there;
}

/* To the end of a reading statement. */
static bool done(struct store *s, sqlite3_stmt *q, int code, struct error *err)
{
	bool ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);

	sqlite3_finalize(q);
	return ok;
}

bool people_users(struct store *s, int64_t now, void (*take)(void *arg, const struct store_user *u),
		  void *arg, struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT name,role,password,created_by,created_at,changed_at,"
			   "(SELECT count(*) FROM tokens t WHERE t.user=name AND expires_at>?) "
			   "FROM users ORDER BY name",
			   err, "i", now);
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_user u = user_of(q);

		take(arg, &u);
	}
	return done(s, q, code, err);
}

bool people_put_user(struct store *s, const struct store_user *u, struct error *err)
{
	return statement_do(s, "INSERT OR REPLACE INTO users VALUES(?,?,?,?,?,?)", err, "vvVivi",
			    u->name, u->role, u->password, u->created_at, u->created_by,
			    u->changed_at);
}

bool people_end_sessions(struct store *s, struct sv user, struct error *err)
{
	return statement_do(s, "DELETE FROM sessions WHERE user=?", err, "v", user);
}

bool people_remove_user(struct store *s, struct sv name, struct error *err)
{
	return statement_do(s, "DELETE FROM tokens WHERE user=?", err, "v", name) &&
	       people_end_sessions(s, name, err) &&
	       statement_do(s, "DELETE FROM users WHERE name=?", err, "v", name);
}

bool people_put_token(struct store *s, const struct store_token *t, const char *hash,
		      struct error *err)
{
	return statement_do(s,
			    "INSERT INTO tokens(id,user,role,hash,label,created_at,created_by,"
			    "expires_at) VALUES(?,?,?,?,?,?,?,?)",
			    err, "vvvtvivi", t->id, t->user, t->role, hash, t->label, t->created_at,
			    t->created_by, t->expires_at);
}

bool people_tokens(struct store *s, struct sv user,
		   void (*take)(void *arg, const struct store_token *t), void *arg,
		   struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT id,user,role,label,created_by,created_at,expires_at FROM tokens"
			   " WHERE user=? ORDER BY created_at,id",
			   err, "v", user);
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_token t = {
			.id = column_text(q, 0),
			.user = column_text(q, 1),
			.role = column_text(q, 2),
			.label = column_text(q, 3),
			.created_by = column_text(q, 4),
			.created_at = sqlite3_column_int64(q, 5),
			.expires_at = sqlite3_column_int64(q, 6),
		};
		take(arg, &t);
	}
	return done(s, q, code, err);
}

bool people_remove_token(struct store *s, struct sv user, struct sv id, bool *there,
			 struct error *err)
{
	bool ok = statement_do(s, "DELETE FROM tokens WHERE user=? AND id=?", err, "vv", user, id);

	*there = ok && sqlite3_changes(s->db) > 0;
	return ok;
}

bool people_put_session(struct store *s, const char *hash, struct sv user, struct sv address,
			int64_t now, int64_t expires_at, struct error *err)
{
	return statement_do(
	    s, "INSERT INTO sessions(hash,user,address,created_at,expires_at) VALUES(?,?,?,?,?)",
	    err, "tvvii", hash, user, address, now, expires_at);
}

bool people_remove_session(struct store *s, const char *hash, struct error *err)
{
	return statement_do(s, "DELETE FROM sessions WHERE hash=?", err, "t", hash);
}

static bool known(sqlite3_stmt *q, struct arena *a, struct store_known *out)
{
	bool there = q != NULL && sqlite3_step(q) == SQLITE_ROW;

	if (there)
		*out = (struct store_known){ arena_sv(a, column_text(q, 0)),
					     arena_sv(a, column_text(q, 1)),
					     arena_sv(a, column_text(q, 2)),
					     sqlite3_column_int64(q, 3) };
	sqlite3_finalize(q);
	return there;
}

bool people_by_token(struct store *s, const char *hash, int64_t now, struct arena *a,
		     struct store_known *out)
{
	struct error err;

	return known(statement_once(s,
				    "SELECT u.name,u.role,t.role,t.expires_at FROM tokens t JOIN "
				    "users u ON u.name=t.user WHERE t.hash=? AND t.expires_at>?",
				    &err, "ti", hash, now),
		     a, out);
}

bool people_by_session(struct store *s, const char *hash, int64_t now, struct arena *a,
		       struct store_known *out)
{
	struct error err;

	return known(statement_once(s,
				    "SELECT u.name,u.role,'',n.expires_at FROM sessions n JOIN "
				    "users u ON u.name=n.user WHERE n.hash=? AND n.expires_at>?",
				    &err, "ti", hash, now),
		     a, out);
}
