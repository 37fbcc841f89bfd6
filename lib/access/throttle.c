/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row for each password that is being checked, and for each that was wrong:
 *
 *	SECONDS PID ADDRESS HASH USER
 *
 * PID is 0 once the password was wrong.  A call is noted before it is made, so
 * calls at the same time count as well; one whose process has died counts as a
 * wrong password.
 *
 * Clients repeat a request by themselves, so the same wrong password counts
 * once.  HASH has 16 bits: enough to recognise it, too few to find it.
 */
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/throttle.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/statedir.h"

#define CALL_SECONDS	30	/* longer than x2gobroker-pam(8) runs */
#define CALLS_MAX	32	/* at a time, so that wrong passwords, which */
#define CALLS_ADDRESS	24	/* take seconds, leave room for right ones */
#define CALLS_USER	2
#define ADDRESS_FACTOR	10	/* many people can share an address */
#define STEP_MS		20	/* between two looks, at first */
#define STEP_MAX_MS	320	/* many who wait must not be the load */
#define FUTURE_SECONDS	5	/* the clock may have been set back a little */

enum field { PID, ADDRESS, HASH, USER, NFIELDS };

static const struct statedir_type type = { THROTTLE_DIR, " ", NFIELDS };

enum verdict { WAIT, GO, TOO_MANY_OF_USER, TOO_MANY_OF_ADDRESS };

/* What a password is counted for; some directories ignore the case of names. */
static int
set_key(struct throttle *throttle, const struct x2gobroker_user *user,
    const char *password, struct x2gobroker_error *err)
{
	char digest[SHA256_DIGEST_STRING_LENGTH], *p;
	cleanup_buf struct buf text = { 0 };

	strlcpy(throttle->address, "-", sizeof(throttle->address));
	if (user->address_text != NULL)
		address_customer(&user->address, throttle->address);
	buf_printf(&text, "%s\n%s", user->name, password);
	if (text.failed || (throttle->user = strdup(user->name)) == NULL)
		return error_nomem(err);
	for (p = throttle->user; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	SHA256Data((const uint8_t *)text.data, text.len, digest);
	snprintf(throttle->hash, sizeof(throttle->hash), "%.4s", digest);
	snprintf(throttle->pid, sizeof(throttle->pid), "%ld", (long)getpid());
	return 0;
}

static bool
is_older(const struct staterow *row, const struct staterow *limit)
{
	return row->seconds < limit->seconds;
}

static bool
is_newer(const struct staterow *row, const struct staterow *limit)
{
	return row->seconds > limit->seconds;
}

static int
open_dir(const struct throttle *throttle, struct statedir *all, time_t now,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = throttle->config;
	const struct staterow
	    oldest = { .seconds = now - config->http_failures_window },
	    newest = { .seconds = now + FUTURE_SECONDS };

	if (statedir_open(all, config->state_dir, &type, err) == -1)
		return -1;
	statedir_remove_all(all, is_older, &oldest);
	statedir_remove_all(all, is_newer, &newest);
	return 0;
}

static bool
is_same(const struct staterow *a, const struct staterow *b, enum field field)
{
	return strcmp(a->fields[field], b->fields[field]) == 0;
}

static bool
is_call(const struct staterow *row, int64_t now)
{
	return strcmp(row->fields[PID], "0") != 0 &&
	    row->seconds >= now - CALL_SECONDS;
}

/* Whether a row before number n is about the same password. */
static bool
is_repeated(const struct staterows *rows, size_t n)
{
	const struct staterow *row = &rows->list[n];
	size_t i;

	for (i = 0; i < n; i++)
		if (is_same(&rows->list[i], row, HASH) &&
		    is_same(&rows->list[i], row, ADDRESS) &&
		    is_same(&rows->list[i], row, USER))
			return true;
	return false;
}

static enum verdict
decide(const struct staterows *rows, const struct staterow *new, int failures)
{
	int calls = 0, of_user = 0, of_address = 0, bad_user = 0,
	    bad_address = 0;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		const struct staterow *row = &rows->list[i];
		bool same_user = is_same(row, new, USER);
		bool same_address = is_same(row, new, ADDRESS);

		if (is_call(row, new->seconds)) {
			calls++;
			of_user += same_user;
			of_address += same_address;
		}
		if ((!same_user && !same_address) || is_repeated(rows, i))
			continue;
		bad_user += same_user;
		bad_address += same_address && !is_call(row, new->seconds);
	}
	if (bad_user >= failures)
		return TOO_MANY_OF_USER;
	if (bad_address >= failures * ADDRESS_FACTOR)
		return TOO_MANY_OF_ADDRESS;
	return calls >= CALLS_MAX || of_address >= CALLS_ADDRESS ||
	    of_user >= CALLS_USER ? WAIT : GO;
}

static int
refuse(enum verdict verdict, struct x2gobroker_error *err)
{
	if (verdict == WAIT)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "too many passwords are being checked at the moment");
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "login throttled: too many wrong passwords %s; see http-failures "
	    "in x2gobroker.conf(5)", verdict == TOO_MANY_OF_USER ?
	    "for this user" : "from this address");
}

/* One look at the rows; a call that may be made is added to them.  If another
 * process adds one in between, decide anew. */
static int
try(const struct throttle *throttle, time_t now, enum verdict *verdict,
    struct x2gobroker_error *err)
{
	const struct staterow row = { .seconds = now, .fields = {
	    throttle->pid, throttle->address, throttle->hash,
	    throttle->user } };
	struct statedir all;
	int result;

	if (open_dir(throttle, &all, now, err) == -1)
		return -1;
	for (;;) {
		*verdict = decide(&all.rows, &row,
		    throttle->config->http_failures);
		result = *verdict == GO ? statedir_add(&all, &row, err) : 0;
		if (result != 1 ||
		    (result = statedir_read_more(&all, err)) == -1)
			break;
	}
	statedir_close(&all);
	return result;
}

int
throttle_begin(struct throttle *throttle,
    const struct x2gobroker_config *config, const struct x2gobroker_user *user,
    const char *password, time_t now, int wait_ms,
    struct x2gobroker_error *err)
{
	int64_t start = clock_ms();
	unsigned int step = STEP_MS;
	enum verdict verdict = WAIT;

	*throttle = (struct throttle){ .config = config };
	if (set_key(throttle, user, password, err) == -1)
		return -1;
	for (;;) {
		int64_t waited = clock_ms() - start;

		if (try(throttle, now + waited / 1000, &verdict, err) == -1)
			break;
		if (verdict == GO)
			return 0;
		if (verdict != WAIT || waited >= wait_ms) {
			refuse(verdict, err);
			break;
		}
		usleep(step * 1000);
		if (step < STEP_MAX_MS)
			step *= 2;
	}
	free(throttle->user);
	throttle->user = NULL;
	return -1;
}

static bool
is_same_password(const struct staterow *row, const struct staterow *key)
{
	return is_same(row, key, PID) && is_same(row, key, HASH) &&
	    is_same(row, key, ADDRESS) && is_same(row, key, USER);
}

/* If this fails, the call goes on to count, as a wrong password in the end. */
void
throttle_end(struct throttle *throttle, bool wrong, time_t now)
{
	struct staterow row = { .seconds = now, .fields = { "0",
	    throttle->address, throttle->hash, throttle->user } };
	struct statedir all;

	if (open_dir(throttle, &all, now, NULL) == 0) {
		if (!wrong || statedir_put(&all, &row, is_same_password,
		    NULL) == 0) {
			row.fields[PID] = throttle->pid;
			statedir_remove_all(&all, is_same_password, &row);
		}
		statedir_close(&all);
	}
	free(throttle->user);
	throttle->user = NULL;
}
