/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of passwords that were tried.  Whatever is in them: a right password
 * does not count, and a wrong one does.
 */
#include "access/throttle.h"
#include "fuzz_dir.h"

#define NOW	1763930965

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x2gobroker_config config = { .http_failures = 10,
	    .http_failures_window = 600 };
	struct x2gobroker_error err = { 0 };
	struct x2gobroker_user *user;
	struct throttle throttle;

	config.state_dir = fuzz_dir();
	fuzz_dir_empty();
	fuzz_write_rows(THROTTLE_DIR, data, size);
	must(x2gobroker_user_new("alice", "192.0.2.1", &user, NULL) == 0);
	if (throttle_begin(&throttle, &config, user, "password", NOW, 0,
	    &err) == -1) {
		must(err.text[0] != '\0' && throttle.user == NULL);
		x2gobroker_user_free(user);
		return 0;
	}
	throttle_end(&throttle, false, NOW);
	/* a right password does not count */
	must(throttle_begin(&throttle, &config, user, "password", NOW, 0,
	    &err) == 0);
	throttle_end(&throttle, true, NOW);
	/* a wrong one does, for as long as the window */
	config.http_failures = 1;
	must(throttle_begin(&throttle, &config, user, "other", NOW, 0,
	    &err) == -1);
	x2gobroker_user_free(user);
	return 0;
}
