/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl setup: ask what is wanted, show the plan, and carry it out.
 */
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "../terminal.h"
#include "steps.h"
#include "wholefile.h"

#define DEFAULT_GROUP	"x2gousers"
#define ANSWER_MAX	256

/* Answers to questions, asked if there was no option. */
struct answers {
	char group[ANSWER_MAX], host[ANSWER_MAX];
};

/*
 * What is wanted
 */

static bool
are_hosts(const char *list)
{
	char *copy = strdup(list), *rest = copy, *word;
	bool good = copy != NULL && *list != '\0';

	while (good && (word = strsep(&rest, ",")) != NULL)
		good = steps_is_host(word);
	free(copy);
	return good;
}

static int
check_options(const struct ctl *ctl)
{
	bool way = ctl->shared || ctl->group != NULL;
	const char *wrong = NULL;

	if (ctl->undo && (way || ctl->host != NULL || ctl->servers != NULL))
		wrong = "--undo undoes all that setup did, and takes no other "
		    "options";
	else if (!ctl->undo && !way && (ctl->yes || !terminal_can_ask()))
		wrong = "--shared or --group GROUP is needed; setup asks only "
		    "at a terminal, and without --yes";
	else if (ctl->group != NULL && !steps_is_name(ctl->group))
		wrong = "--group GROUP: letters, digits and _ . - only";
	else if (ctl->host != NULL && !steps_is_host(ctl->host))
		wrong = "--host HOST: the name or address of an X2Go server";
	else if (ctl->servers != NULL && !are_hosts(ctl->servers))
		wrong = "--servers HOST,...: names or addresses of X2Go "
		    "servers, each with an optional :PORT";
	else if (ctl->servers != NULL && ctl->host != NULL)
		wrong = "--host and --servers exclude each other";
	if (wrong == NULL)
		return 0;
	ctl_complain("%s; see x2gobrokerctl help setup", wrong);
	return -1;
}

static int
check_servers(const struct setup *setup)
{
	if (setup->ctl->servers == NULL || (setup->ways & WAY_SHARED) != 0)
		return 0;
	ctl_complain("--servers needs --shared: users who run the broker under "
	    "their own accounts cannot use its service key");
	return -1;
}

static int
ask_way(struct setup *setup, struct answers *answers)
{
	char answer[ANSWER_MAX];

	fprintf(stderr, "How do users reach the session broker?\n\n"
	    "  1  Through one account that they share, each with a key of "
	    "their own.\n"
	    "     They need no account on this host.\n"
	    "  2  Through their own accounts.  Members of a group get the "
	    "broker, and\n"
	    "     nothing else, when they log in to this host over SSH.\n\n");
	do {
		if (!terminal_ask_text("1 or 2?", "", answer,
		    sizeof(answer)))
			return -1;
	} while (strcmp(answer, "1") != 0 && strcmp(answer, "2") != 0);
	setup->ways = answer[0] == '1' ? WAY_SHARED : WAY_GROUP;
	if (setup->ways == WAY_SHARED)
		return 0;
	do {
		if (!terminal_ask_text("Which group?", DEFAULT_GROUP,
		    answers->group, sizeof(answers->group)))
			return -1;
	} while (!steps_is_name(answers->group));
	setup->group = answers->group;
	return 0;
}

static int
ask_host(struct setup *setup, struct answers *answers)
{
	char here[HOST_NAME_MAX + 1] = "";

	gethostname(here, sizeof(here) - 1);
	if (!steps_is_host(here))
		snprintf(here, sizeof(here), "localhost");
	if (setup->ctl->yes || !terminal_can_ask()) {
		snprintf(answers->host, sizeof(answers->host), "%s", here);
		return 0;
	}
	do {
		if (!terminal_ask_text("There is no session profile yet.  "
		    "For which X2Go server is the first one?", here,
		    answers->host, sizeof(answers->host)))
			return -1;
	} while (!steps_is_host(answers->host));
	return 0;
}

static int
resolve_setup(struct setup *setup, struct answers *answers)
{
	const struct ctl *ctl = setup->ctl;

	setup->ways = (ctl->shared ? WAY_SHARED : 0) |
	    (ctl->group != NULL ? WAY_GROUP : 0);
	setup->group = ctl->group;
	if (setup->ways == 0 && ask_way(setup, answers) == -1)
		return -1;
	if (check_servers(setup) == -1 || steps_find_site(setup) == -1)
		return -1;
	setup->host = ctl->host;
	if (!setup->has_profiles && ctl->host == NULL && ctl->servers == NULL) {
		if (ask_host(setup, answers) == -1)
			return -1;
		setup->host = answers->host;
	}
	return steps_prepare(setup);
}

/*
 * The plan
 */

static bool
is_wanted(const struct setup *setup, const struct step *step)
{
	const char *name = setup->text[step->name];

	return (step->ways & setup->ways) != 0 && *name != '\0' &&
	    (step->wanted == NULL || step->wanted(setup));
}

struct plan {
	size_t done, to_do, blocked;
};

static void
show_step(const struct setup *setup, const struct step *step, struct plan *plan)
{
	const char *name = setup->text[step->name];
	char why[WHY_SIZE] = "";

	switch (step->kind->look(setup, step, why)) {
	case LOOK_DONE:
		plan->done++;
		break;
	case LOOK_TO_DO:
		if (plan->to_do++ == 0)
			printf("Changes, in this order:\n\n");
		printf("  %s%s: ", step->kind->noun, name);
		step->kind->show(setup, step);
		break;
	case LOOK_BLOCKED:
		plan->blocked++;
		ctl_complain("%s%s: %s", step->kind->noun, name, why);
		break;
	}
}

static struct plan
show_plan(const struct setup *setup)
{
	struct plan plan = { 0 };
	size_t i;

	for (i = 0; i < setup_nsteps; i++)
		if (is_wanted(setup, &setup_steps[i]))
			show_step(setup, &setup_steps[i], &plan);
	if (plan.to_do > 0)
		printf("\n");
	if (plan.done > 0)
		printf("Already done: %zu of %zu steps.\n",
		    plan.done, plan.done + plan.to_do + plan.blocked);
	if (plan.to_do == 0 && plan.blocked == 0)
		printf("Nothing to do.\n");
	return plan;
}

/* Members of the group lose their shell over SSH. */
static void
warn_members(const struct setup *setup)
{
	const char *sudo = getenv("SUDO_USER");
	const struct group *group;
	char **name;

	if ((setup->ways & WAY_GROUP) == 0 ||
	    (group = getgrnam(setup->text[TEXT_GROUP])) == NULL ||
	    group->gr_mem[0] == NULL)
		return;
	printf("Members of %s get the broker over SSH, and no shell:",
	    group->gr_name);
	for (name = group->gr_mem; *name != NULL; name++)
		printf(" %s%s", *name, sudo != NULL &&
		    strcmp(sudo, *name) == 0 ? " (THAT IS YOU)" : "");
	printf("\n");
}

/*
 * Carrying it out
 */

/* -1: failed, with a message printed. */
static int
do_step(struct setup *setup, const struct step *step)
{
	const char *name = setup->text[step->name];
	char why[WHY_SIZE] = "";

	/* an earlier step may have done it */
	if (step->kind->look(setup, step, why) != LOOK_TO_DO)
		return 0;
	if (step->kind->apply(setup, step) == -1) {
		ctl_complain("%s%s: not done", step->kind->noun, name);
		return -1;
	}
	printf("%s%s: done\n", step->kind->noun, name);
	return 0;
}

/* Stop after a failure: the steps that follow may need that one. */
static int
do_steps(struct setup *setup)
{
	size_t i;

	for (i = 0; i < setup_nsteps; i++)
		if (is_wanted(setup, &setup_steps[i]) &&
		    do_step(setup, &setup_steps[i]) == -1)
			break;
	if (i == setup_nsteps)
		return 0;
	for (i++; i < setup_nsteps; i++)
		if (is_wanted(setup, &setup_steps[i]))
			ctl_complain("%s%s: not tried",
			    setup_steps[i].kind->noun,
			    setup->text[setup_steps[i].name]);
	ctl_complain("fix this and run setup again to continue, or run setup "
	    "--undo to undo what was done");
	return -1;
}

/*
 * What the administrator has to do next
 */

/* The broker account could have put escape sequences into it. */
static bool
is_printable(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] >= ' ' && text[len - 1] <= '~')
		len--;
	return len == 0;
}

static void
print_service_key(const struct setup *setup)
{
	const char *command = x2gobroker_config_text(setup->config, "global",
	    "agent-command");
	const char *user = x2gobroker_config_text(setup->config, "global",
	    "agent-user");
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s.pub", setup->text[TEXT_KEY]);
	if ((text = wholefile_read(path, &len)) == NULL)
		return;
	len = strcspn(text, "\r\n");
	if (is_printable(text, len))
		printf("  - On each server, add this line to ~%s/.ssh/"
		    "authorized_keys:\n\nrestrict,command=\"%s\" %.*s\n\n",
		    user, command, (int)len, text);
	printf("    Then check that they answer: x2gobrokerctl poll\n");
}

static void
print_client(const char *option, const char *name)
{
	char here[HOST_NAME_MAX + 1] = "";

	gethostname(here, sizeof(here) - 1);
	printf("  - Users start their client: x2goclient %s "
	    "--broker-url=ssh://%s@%s:22%s\n", option, name, here,
	    X2GOBROKER_PROGRAM);
}

static void
print_next(const struct setup *setup)
{
	printf("\nNext:\n");
	if (setup->reload)
		printf("  - Make sshd reload its configuration: %s\n",
		    sshd_reload_command());
	if ((setup->ways & WAY_SHARED) != 0)
		printf("  - Let a user in: x2gobrokerctl authorize NAME "
		    "KEYFILE\n");
	if ((setup->ways & WAY_GROUP) != 0)
		printf("  - Let a user in: gpasswd --add NAME %s\n",
		    setup->text[TEXT_GROUP]);
	if ((setup->ways & WAY_SERVERS) != 0)
		print_service_key(setup);
	printf("  - See what this user gets: x2gobrokerctl list --as NAME\n");
	if ((setup->ways & WAY_SHARED) != 0)
		print_client("--broker-ssh-key=FILE",
		    setup->text[TEXT_ACCOUNT]);
	if ((setup->ways & WAY_GROUP) != 0)
		print_client("--broker-autologin", "NAME");
}

/*
 * The command
 */

static int
show_and_do(struct setup *setup)
{
	const struct ctl *ctl = setup->ctl;
	struct plan plan = show_plan(setup);
	int result;

	if (ctl->dry_run || plan.to_do == 0)
		return plan.blocked == 0 ? EXIT_YES : EXIT_NO;
	warn_members(setup);
	fflush(stdout);
	if (!ctl->yes && !terminal_can_ask()) {
		ctl_complain("nothing changed: not a terminal; use --yes to "
		    "skip the confirmation");
		return EXIT_NO;
	}
	if (!ctl->yes && !terminal_ask("Proceed?")) {
		ctl_complain("nothing changed");
		return EXIT_NO;
	}
	if (manifest_open(true, &setup->manifest) == -1)
		return EXIT_NO;
	result = do_steps(setup);
	print_next(setup);
	return result == 0 && plan.blocked == 0 ? EXIT_YES : EXIT_NO;
}

int
setup_main(const struct ctl *ctl)
{
	struct setup setup = { .ctl = ctl };
	struct answers answers;
	int result = EXIT_NO;

	if (check_options(ctl) == -1)
		return EXIT_USAGE;
	if (geteuid() != 0) {
		ctl_complain("setup reads and changes files of root: run it "
		    "as root");
		return EXIT_NO;
	}
	umask(022);
	if (ctl->undo)
		return undo_main(ctl);
	if (ctl_load_config(ctl, &setup.config) == -1)
		return EXIT_NO;
	if (resolve_setup(&setup, &answers) == 0)
		result = show_and_do(&setup);
	steps_free(&setup);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}
