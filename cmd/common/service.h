/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of a broker: one request, one answer.  It always sends an answer,
 * because a client that gets none is worse off than one that is refused.
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <x2gobroker.h>

/* Reset the signals, limits and timers that the process inherited.  If the
 * caller's limits are too low to work with, call service_refuse().  From here
 * on the request must end within half a minute; see service_write_answer().
 * setuid: the program file gave us privileges. */
void	service_protect(bool setuid);

/* As startup_take_variable(), which cannot fail here. */
char	*service_take_variable(const char *name);

/* Reset the rest: descriptors, umask, working directory and environment.  Take
 * what is needed from the environment before. */
void	service_sanitise(void);

/* Read the configuration (path NULL: the default one), and use its log file and
 * the counters in its state-dir.  Extend the half minute, if servers may take
 * longer to answer. */
int	service_load_config(const char *path,
	    struct x2gobroker_config **config, struct x2gobroker_error *err);

/* Set the refusal that is sent if the request ends early; until then it is a
 * bare "Access denied".  text must live as long as the process. */
void	service_set_refusal(const char *text, size_t len);

/* Send the refusal to the client and the reason, a short sentence, to syslog,
 * and exit.  Allocates nothing and may be called by a signal handler. */
void	service_refuse(const char *why) __attribute__((noreturn));

/* Grant the login check, if user may log in now. */
int	service_answer_login_check(const struct x2gobroker_config *config,
	    struct x2gobroker_answer *answer, struct x2gobroker_user *user,
	    struct x2gobroker_error *err);

/* Have the answer decided with the profiles of config, give up all privileges,
 * and have it written. */
int	service_answer_task(const struct x2gobroker_config *config,
	    struct x2gobroker_answer *answer, struct x2gobroker_user *user,
	    struct x2gobroker_error *err);

/* Send the answer.  No refusal is sent into the middle of it, and the time
 * limit no longer applies, because a client's line may be slow.  -1: the client
 * is gone, which has been logged. */
int	service_write_answer(const char *text, size_t len);

#endif
