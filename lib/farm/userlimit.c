/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each request that asks servers takes a place: a file of state-dir that it
 * locks.  A user has a file for each place, so even a stopped process takes
 * nothing from other users, and the kernel frees the place of one that ends.
 */
#include <sys/file.h>

#include <fcntl.h>
#include <sha2.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/statedir.h"
#include "farm/farm.h"

#define WAIT_MS		3000	/* for clients that share a user */
#define PAUSE_MS	20	/* the longest one before another attempt */
#define NAME_SIZE	(SHA256_DIGEST_STRING_LENGTH + 16)

/* Lock one of n files of that name.  -1: all are locked.  -2: errno says why
 * there is no such file. */
static int
take_place(int dir, const char *digest, int n)
{
	char name[NAME_SIZE];
	int fd, i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s.%d", digest, i);
		fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
		if (fd == -1)
			return -2;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int
userlimit_take(const struct x2gobroker_config *config, const char *user,
    int *place, struct x2gobroker_error *err)
{
	int64_t deadline = clock_ms() + WAIT_MS;
	char digest[SHA256_DIGEST_STRING_LENGTH];
	cleanup_free char *path = NULL;
	cleanup_fd int dir = -1;
	int fd;

	if (*place != -1 || user == NULL || config->requests_per_user == 0 ||
	    (dir = statedir_open_dir(config->state_dir, USERLIMIT_DIR,
	    &path, NULL)) == -1)
		return 0;
	SHA256Data((const uint8_t *)user, strlen(user), digest);
	while ((fd = take_place(dir, digest, config->requests_per_user)) ==
	    -1) {
		if (clock_left(deadline) == 0)
			return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
			    "%d other requests of this user are being "
			    "answered; more are refused (requests-per-user in "
			    "x2gobroker.conf(5))", config->requests_per_user);
		usleep(1000 * (1 + arc4random_uniform(PAUSE_MS)));
	}
	*place = fd >= 0 ? fd : -1;
	return 0;
}
