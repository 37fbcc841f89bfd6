/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl setup --undo: undo what setup did, the last change first,
 * except for what somebody else has changed since.
 */
#include <stdio.h>
#include <string.h>

#include "../terminal.h"
#include "steps.h"

static const struct kind *const kinds[] = {
	&kind_account, &kind_dir, &kind_file, &kind_group, &kind_mode,
	&kind_password, &kind_sshd,
};

/* NULL: written by a later version. */
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
undo_record(const struct record *record, bool now)
{
	const struct kind *kind = find_kind(record->kind);
	char what[WHY_SIZE] = "";
	enum back back;

	if (kind == NULL) {
		ctl_complain("%s: changed by another version of setup, in a "
		    "way (%s) that this version does not know", record->name,
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

/* Print what to undo, and forget changes that no longer exist.  How many can be
 * undone. */
static size_t
show_undo(struct manifest *manifest, bool dry_run)
{
	size_t i = manifest_count(manifest), n = 0;
	enum back back;

	if (i > 0)
		printf("Changes to undo, in this order:\n\n");
	while (i-- > 0) {
		back = undo_record(manifest_get(manifest, i), false);
		n += back == BACK_DONE;
		if (back == BACK_GONE && !dry_run)
			manifest_drop(manifest, i);
	}
	if (manifest_count(manifest) > 0)
		printf("\n");
	return n;
}

/* What is left stays in the manifest, for another --undo. */
static int
undo_all(struct manifest *manifest)
{
	size_t i = manifest_count(manifest);
	bool reload = false;
	int result = EXIT_YES;
	enum back back;

	while (i-- > 0) {
		const struct record *record = manifest_get(manifest, i);
		bool sshd = strcmp(record->kind, kind_sshd.name) == 0;

		back = undo_record(record, true);
		reload = reload || (sshd && back == BACK_DONE);
		if (back == BACK_FAILED)
			result = EXIT_NO;
		if ((back == BACK_DONE || back == BACK_GONE) &&
		    manifest_drop(manifest, i) == -1)
			return EXIT_NO;
	}
	if (reload)
		printf("\nNow make sshd reload its configuration: %s\n",
		    sshd_reload_command());
	return result;
}

int
undo_main(const struct ctl *ctl)
{
	struct manifest *manifest;
	int result = EXIT_NO;

	if (manifest_open(false, &manifest) == -1)
		return EXIT_NO;
	if (show_undo(manifest, ctl->dry_run) == 0) {
		printf("Nothing to do.\n");
		result = EXIT_YES;
	} else if (ctl->dry_run)
		result = EXIT_YES;
	else if (!ctl->yes && !terminal_can_ask())
		ctl_complain("nothing changed: not a terminal; use --yes to "
		    "skip the confirmation");
	else if (!ctl->yes && !terminal_ask("Proceed?"))
		ctl_complain("nothing changed");
	else
		result = undo_all(manifest);
	manifest_close(manifest);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}
