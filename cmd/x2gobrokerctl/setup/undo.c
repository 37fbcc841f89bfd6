/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl setup --undo: undo what setup did, the last change first,
 * except for what somebody else has changed since.
 */
#include <stdio.h>
#include <string.h>

#include "step.h"

static const struct kind *const kinds[] = {
	&kind_account, &kind_dir, &kind_file, &kind_group, &kind_mode,
	&kind_passing, &kind_password, &kind_sshd, &kind_unit,
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

struct job {
	const struct kind *kind;
	const struct record *record;
};

/* For step_call_as(). */
static int
call_back(const void *arg)
{
	const struct job *job = arg;

	return (int)job->kind->back(job->record);
}

/* Undo the record, or only look.  left: why it is BACK_LEFT. */
static enum back
try_record(const struct kind *kind, const struct record *record, bool now,
    const char **left)
{
	const struct job job = { kind, record };
	const struct passwd *pw = NULL;
	char state[STATE_SIZE] = "";
	int result;

	if (!kind->state(record->name, state))
		return BACK_GONE;
	*left = "it was changed since";
	if (strcmp(state, record->after) != 0)
		return BACK_LEFT;
	*left = "the account that owns its directory no longer exists";
	if (*record->account != '\0' &&
	    (pw = getpwnam(record->account)) == NULL)
		return BACK_LEFT;
	*left = kind->left;
	if (!now)
		return BACK_DONE;
	result = step_call_as(pw, call_back, &job);
	return result == BACK_DONE || result == BACK_GONE ||
	    result == BACK_LEFT ? (enum back)result : BACK_FAILED;
}

static enum back
undo_record(const struct record *record, bool now)
{
	const struct kind *kind = find_kind(record->kind);
	bool back_to = *record->before != '\0';
	const char *left;
	enum back back;

	if (kind == NULL) {
		ctl_complain("%s: changed by another version of setup, in a "
		    "way (%s) that this version does not know", record->name,
		    record->kind);
		return BACK_FAILED;
	}
	back = try_record(kind, record, now, &left);
	if (back == BACK_DONE && now)
		printf("%s%s: done\n", kind->noun, record->name);
	else if (back == BACK_DONE)
		printf("  %s%s: %s%s\n", kind->noun, record->name, back_to ?
		    "change it back to " : kind->undo, record->before);
	else if (back == BACK_LEFT)
		printf("%s%s%s: left as it is: %s\n", now ? "" : "  ",
		    kind->noun, record->name, left);
	else if (back == BACK_FAILED)
		ctl_complain("%s%s: not done", kind->noun, record->name);
	return back;
}

/* Undo all records or, unless now, print what to undo.  Count the results.
 * What no longer exists is forgotten; what is left stays in the manifest, for
 * another --undo. */
static void
undo_all(struct manifest *manifest, bool now, bool dry_run,
    size_t counts[static NBACKS])
{
	const struct record *record;
	bool reload = false;
	size_t i = manifest->n;
	enum back back;

	while (i-- > 0) {
		record = &manifest->records[i];
		back = undo_record(record, now);
		counts[back]++;
		reload = reload || (now && back == BACK_DONE &&
		    strcmp(record->kind, kind_sshd.name) == 0);
		if ((back == BACK_GONE || (now && back == BACK_DONE)) &&
		    !dry_run && manifest_drop(manifest, i) == -1)
			counts[BACK_FAILED]++;
	}
	if (reload)
		printf("\nNow make sshd reload its configuration: %s\n",
		    sshd_reload_command());
}

int
undo_main(const struct ctl *ctl)
{
	size_t plan[NBACKS] = { 0 }, done[NBACKS] = { 0 };
	struct manifest *manifest;
	int result = EXIT_YES;

	if (manifest_open(false, &manifest) == -1)
		return EXIT_NO;
	if (manifest != NULL) {
		printf("Changes to undo, in this order:\n\n");
		undo_all(manifest, false, ctl->dry_run, plan);
		printf("\n");
	}
	if (plan[BACK_DONE] == 0)
		printf("Nothing to do.\n");
	else if (!ctl->dry_run && step_confirm(ctl)) {
		undo_all(manifest, true, false, done);
		result = done[BACK_FAILED] == 0 ? EXIT_YES : EXIT_NO;
	} else if (!ctl->dry_run)
		result = EXIT_NO;
	manifest_close(manifest);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}
