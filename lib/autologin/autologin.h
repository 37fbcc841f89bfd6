/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Automatic login: a key for one user, one server and one minute.  The public
 * key is installed on the server, with every restriction that sshd can enforce.
 * Usually the pair is made for the login: then the private key is sent to the
 * client, and stored nowhere.
 */
#ifndef AUTOLOGIN_AUTOLOGIN_H
#define AUTOLOGIN_AUTOLOGIN_H

#include "base/statedir.h"
#include "farm/farm.h"

/* The key for a login.  x2gobroker-poll makes a pair while servers are
 * asked. */
struct autologin {
	struct query query;
	bool is_sent;			/* it is not to be asked; public_key is
					 * the client's */
};

/* Does the listing announce a key to the client? */
bool	autologin_is_announced(const struct x2gobroker_profile *profile);

/* Is one to be made as well?  That takes an agent, and a user who logs in to an
 * account of their own.  Reports why an announced key is not made. */
bool	autologin_is_wanted(const struct x2gobroker_profile *profile,
	    const struct x2gobroker_user *user, struct reporter *rep);

/* Is it to be the key with which the user has come to the broker? */
bool	autologin_is_own(const struct x2gobroker_profile *profile);

struct autologin *autologin_new(const struct x2gobroker_config *config,
	    struct x2gobroker_error *err);

/* The client has the private key.  line is the public one, as a line of
 * authorized_keys.  Its options are dropped, and those of every key for one
 * login are written instead. */
struct autologin *autologin_new_sent(const char *line,
	    struct x2gobroker_error *err);
/* Wipe the private key, and free all.  autologin may be NULL. */
void	autologin_free(struct autologin *autologin);

/* Install the public key on host, and on the profile's SSH proxy, for the
 * farm's user, who connects from address (may be NULL).  Reports what will keep
 * it from being removed.  Returns -1 unless it is installed on both. */
int	autologin_place(const struct autologin *autologin,
	    struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *host,
	    const char *address, struct reporter *rep,
	    struct x2gobroker_error *err);

#define INSTALL_PLACES_MAX	2	/* a server and its SSH proxy */

struct installation {
	struct connection_target target;
	const char *line;	/* of authorized_keys */
	const char *file;	/* may contain %h and the like, for the agent;
				 * NULL: its store */
	time_t expires;
};

/* Add the lines at all n places at the same time, for the farm's user, with the
 * help of the agents there, and remove expired ones.  Reports what will keep a
 * line from being removed.  Returns -1 if one of them was not added. */
int	install_keys(struct x2gobroker_farm *farm,
	    const struct installation *places, size_t n, struct reporter *rep,
	    struct x2gobroker_error *err);

/*
 * Lines in files of users, as Debian's agent adds them.  sshd no longer accepts
 * an expired line; its place in the file is remembered here, and the line is
 * removed when the next key is added.
 *
 * No process in the background does that, as it would have to outlive the
 * request and a reboot.
 */

#define STALEKEYS_DIR	"stalekeys"	/* in state-dir; base/statedir.h */

/* The fields of a row, whose time is that of its expiry. */
enum {
	STALE_SERVER,		/* "NAME:PORT" */
	STALE_USER,
	STALE_FILE, STALE_LINE,	/* as the agent was given them */
	STALE_FIELDS
};

/* Take a few of the server's lines that have expired, for the caller to remove,
 * which no other broker takes.  They stay on the list and are not taken again
 * for a minute, in case the caller fails. */
int	stalekeys_take(const char *dir, const char *server, int64_t now,
	    struct staterows *taken, struct x2gobroker_error *err);

/* Drop the lines that have been removed from the list, and add a new one (may
 * be NULL). */
int	stalekeys_update(const char *dir, const struct staterows *removed,
	    const struct staterow *new, struct x2gobroker_error *err);

#endif
