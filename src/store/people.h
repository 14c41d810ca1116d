/* Who may: local users, their tokens and their sessions.
 *
 * The database holds no secret that lets anybody in: passwords as Argon2id strings, tokens and
 * sessions as SHA-256. A token's role is at most its user's, whatever was said when it was made.
 * Removing a user ends tokens and sessions. Writing calls stand in a transaction. Times are ns of
 * the wall clock.
 */
#ifndef PINWATCH_STORE_PEOPLE_H
#define PINWATCH_STORE_PEOPLE_H

#include "store/store.h"

#define PEOPLE_MAX_NAME 64
#define PEOPLE_HASH_SIZE 65 /* SHA-256 in hexadecimal */

struct store_user {
	struct sv name, role, password; /* password empty: none can log in with one */
	struct sv created_by;
	int64_t created_at, changed_at;
	uint64_t tokens; /* that have not expired, where listed */
};

struct store_token {
	struct sv id, user, role, label, created_by;
	int64_t created_at, expires_at;
};

/* Who a token or session says somebody is. */
struct store_known {
	struct sv user, role, token_role; /* token_role empty: a session */
	int64_t expires_at;
};

/* Letters, digits, `.`, `_`, `-` and `@`, at most PEOPLE_MAX_NAME, begins with a letter or
 * digit. */
bool people_name_ok(struct sv name);

/* False where there is none. Texts are copied into the arena. */
bool people_user(struct store *s, struct sv name, struct arena *a, struct store_user *out);
/* By name; now: for counting tokens. Views die with the call. */
bool people_users(struct store *s, int64_t now, void (*take)(void *arg, const struct store_user *u),
		  void *arg, struct error *err);
/* New, or changed. */
bool people_put_user(struct store *s, const struct store_user *u, struct error *err);
/* With all tokens and sessions. */
bool people_remove_user(struct store *s, struct sv name, struct error *err);
/* Ends all sessions of a user. */
bool people_end_sessions(struct store *s, struct sv user, struct error *err);

bool people_put_token(struct store *s, const struct store_token *t, const char *hash,
		      struct error *err);
bool people_tokens(struct store *s, struct sv user,
		   void (*take)(void *arg, const struct store_token *t), void *arg,
		   struct error *err);
/* *there: was there one of this user's? */
bool people_remove_token(struct store *s, struct sv user, struct sv id, bool *there,
			 struct error *err);

bool people_put_session(struct store *s, const char *hash, struct sv user, struct sv address,
			int64_t now, int64_t expires_at, struct error *err);
bool people_remove_session(struct store *s, const char *hash, struct error *err);

/* By a token's or session's hash; false where nobody is known by it or it has expired. */
bool people_by_token(struct store *s, const char *hash, int64_t now, struct arena *a,
		     struct store_known *out);
bool people_by_session(struct store *s, const char *hash, int64_t now, struct arena *a,
		       struct store_known *out);

#endif
