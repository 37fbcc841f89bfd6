/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl setup --undo: what setup has done and nobody has changed since
 * is taken back, the last thing first.
 */
#include <stdio.h>
#include <string.h>

#include "../terminal.h"
#include "setup.h"

static const struct kind *const kinds[] = {
	&kind_account, &kind_dir, &kind_file, &kind_group, &kind_mode,
	&kind_password, &kind_shell, &kind_sshd,
};

/* NULL: a later version has written it. */
static const struct kind *
find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static enum back
take_back(const struct record *record, bool now)
{
	const struct kind *kind = find_kind(record->kind);
	char what[WHY_SIZE] = "";
	enum back back;

	if (kind == NULL) {
		ctl_complain("%s: setup of another version has done something "
		    "(%s) that this one does not know", record->name,
		    record->kind);
		return BACK_FAILED;
	}
	back = kind->back(record, now, what);
	if (back == BACK_DONE && now)
		printf("%s%s: done\n", kind->noun, record->name);
	else if (back == BACK_DONE)
		printf("  %s%s: %s\n", kind->noun, record->name, what);
	else if (back == BACK_LEFT)
		printf("%s%s%s: left as it is: %s\n", now ? "" : "  ",
		    kind->noun, record->name, what);
	else if (back == BACK_FAILED)
		ctl_complain("%s%s: not done: %s", kind->noun, record->name,
		    what);
	return back;
}

/* How many there are to take back; 0 where there is nothing to ask about. */
static size_t
show(const struct manifest *manifest)
{
	size_t i = manifest_count(manifest), n = 0;

	if (i > 0)
		printf("To be taken back, in this order:\n\n");
	while (i-- > 0)
		n += take_back(manifest_get(manifest, i), false) == BACK_DONE;
	if (manifest_count(manifest) > 0)
		printf("\n");
	return n;
}

/* What is left is still in the manifest: it may go another time. */
static int
take_all_back(struct manifest *manifest)
{
	size_t i = manifest_count(manifest);
	bool reload = false;
	int result = EXIT_YES;
	enum back back;

	while (i-- > 0) {
		const struct record *record = manifest_get(manifest, i);
		bool sshd = strcmp(record->kind, kind_sshd.name) == 0;

		back = take_back(record, true);
		reload = reload || (sshd && back == BACK_DONE);
		if (back == BACK_FAILED)
			result = EXIT_NO;
		if ((back == BACK_DONE || back == BACK_GONE) &&
		    manifest_drop(manifest, i) == -1)
			return EXIT_NO;
	}
	if (reload)
		printf("\nNow have sshd read its configuration again: %s\n",
		    setup_reload_command());
	return result;
}

int
setup_undo(const struct ctl *ctl)
{
	struct manifest *manifest;
	int result = EXIT_NO;

	if (manifest_open(false, &manifest) == -1)
		return EXIT_NO;
	if (show(manifest) == 0) {
		printf("Nothing to do.\n");
		result = EXIT_YES;
	} else if (ctl->dry_run)
		result = EXIT_YES;
	else if (!ctl->yes && !terminal_can_ask())
		ctl_complain("nothing was done: nobody is there to be asked; "
		    "--yes does it without a question");
	else if (!ctl->yes && !terminal_ask("Is that to be done?"))
		ctl_complain("nothing was done");
	else
		result = take_all_back(manifest);
	manifest_close(manifest);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}
