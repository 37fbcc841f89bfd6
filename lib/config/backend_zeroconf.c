/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend zeroconf: one profile for this host, written as an administrator
 * would write it.
 */
#include <stddef.h>

#include "config/backend.h"
#include "config/profile.h"

static void
load_zeroconf(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	struct buf text = { 0 };

	buf_printf(&text, "[localhost]\nname=LOCALHOST\nhost=localhost\n"
	    "user=\nrootless=false\ncommand=%s\n",
	    profiles_config(profiles)->desktop_shell);
	profiles_add_text(profiles, &text, "[broker_zeroconf]", rep);
	buf_free(&text);
}

const struct backend backend_zeroconf = {
	.name = "zeroconf",
	.settings = offsetof(struct x2gobroker_config, zeroconf),
	.load = load_zeroconf,
};
