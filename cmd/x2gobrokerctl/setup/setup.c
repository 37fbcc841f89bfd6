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
#include "step.h"

#define DEFAULT_GROUP	"x2gousers"
#define ANSWER_MAX	256

/*
 * What is wanted
 */

static bool
are_hosts(const char *list)
{
	char *copy = strdup(list), *rest = copy, *word;
	bool good = copy != NULL && *list != '\0';

	while (good && (word = strsep(&rest, ",")) != NULL)
		good = plan_is_host(word);
	free(copy);
	return good;
}

static int
check_options(const struct ctl *ctl)
{
	bool way = ctl->shared || ctl->group != NULL || ctl->http;
	const char *wrong = NULL;

	if (ctl->undo && (way || ctl->host != NULL || ctl->servers != NULL))
		wrong = "--undo undoes all that setup did, and takes no other "
		    "options";
	else if (!ctl->undo && !way && (ctl->yes || !terminal_can_ask()))
		wrong = "--shared, --group GROUP or --http is needed; setup "
		    "asks only at a terminal, and without --yes";
	else if (ctl->http && ctl->config_file != NULL)
		wrong = "--http and -C exclude each other: the unit reads the "
		    "default file";
	else if (ctl->group != NULL && !plan_is_name(ctl->group))
		wrong = "--group GROUP: letters, digits and _ . - @ only; for "
		    "another group, write the lines of x2gobroker(8) to "
		    "sshd_config";
	else if (ctl->host != NULL && !plan_is_host(ctl->host))
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

/* Ask until the answer is good. */
static const char *
ask(struct setup *setup, const char *question, const char *initial,
    bool (*is_good)(const char *answer))
{
	char answer[ANSWER_MAX];

	do {
		if (!terminal_ask_text(question, initial, answer,
		    sizeof(answer)))
			return NULL;
	} while (!is_good(answer));
	return step_text(setup, "%s", answer);
}

static bool
is_way(const char *answer)
{
	return *answer >= '1' && *answer <= '3' && answer[1] == '\0';
}

/* Without an option.  -1: no answer. */
static int
ask_way(struct setup *setup)
{
	const char *answer;

	fprintf(stderr, "How do users reach the session broker?\n\n"
	    "  1  Through one account that they share, each with a key of "
	    "their own.\n"
	    "     They need no account on this host.\n"
	    "  2  Through their own accounts.  Members of a group get the "
	    "broker, and\n"
	    "     nothing else, when they log in to this host over SSH.\n"
	    "  3  Over HTTPS, through a web server on this host, with the "
	    "passwords of\n"
	    "     their own accounts.\n\n");
	if ((answer = ask(setup, "1, 2 or 3?", "", is_way)) == NULL)
		return -1;
	setup->shared = *answer == '1';
	setup->http = *answer == '3';
	if (*answer != '2')
		return 0;
	setup->group = ask(setup, "Which group?", DEFAULT_GROUP, plan_is_name);
	return setup->group != NULL ? 0 : -1;
}

static int
resolve_host(struct setup *setup)
{
	char here[HOST_NAME_MAX + 1] = "";

	setup->host = setup->ctl->host;
	if (setup->has_profiles || setup->host != NULL ||
	    setup->ctl->servers != NULL)
		return 0;
	gethostname(here, sizeof(here) - 1);
	if (!plan_is_host(here))
		strlcpy(here, "localhost", sizeof(here));
	setup->host = setup->ctl->yes || !terminal_can_ask() ?
	    step_text(setup, "%s", here) :
	    ask(setup, "There is no session profile yet.  "
	    "For which X2Go server is the first one?", here, plan_is_host);
	return setup->host != NULL ? 0 : -1;
}

static int
resolve_setup(struct setup *setup)
{
	const struct ctl *ctl = setup->ctl;

	setup->shared = ctl->shared;
	setup->group = ctl->group;
	setup->http = ctl->http;
	if (!ctl->shared && ctl->group == NULL && !ctl->http &&
	    ask_way(setup) == -1)
		return -1;
	if (ctl->servers != NULL && !setup->shared && !setup->http) {
		ctl_complain("--servers needs --shared or --http: users who "
		    "run the broker under their own accounts cannot use its "
		    "service key");
		return -1;
	}
	if (plan_find_site(setup) == -1 || resolve_host(setup) == -1)
		return -1;
	return plan_add_steps(setup);
}

/*
 * The plan
 */

/* Print the rest of a line, and lines below. */
static void
show_step(const struct step *step)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,=";
	const char *const *arg, *text = step->content, *quote;
	size_t len;

	printf("  %s%s: %s\n", step->kind->noun, step->name, step->plan);
	for (arg = step->argv; *arg != NULL; arg++) {
		quote = **arg == '\0' || (*arg)[strspn(*arg, plain)] != '\0' ?
		    "'" : "";
		printf("%s%s%s%s%s", arg == step->argv ? "      " : " ", quote,
		    *arg, quote, arg[1] == NULL ? "\n" : "");
	}
	for (; text != NULL && *text != '\0'; text += len + (text[len] != 0)) {
		len = strcspn(text, "\n");
		if (!step->brief || (len > 0 && *text != '#'))
			printf("      + %.*s\n", (int)len, text);
	}
}

/* Also whether the program of systemd that does it is there. */
static enum look
look_at(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *program = step->argv[0];
	char state[STATE_SIZE];
	enum look look;

	if (step->kind->look != NULL)
		look = step->kind->look(setup, step, why);
	else
		look = step->kind->state(step->name, state) ? LOOK_DONE :
		    LOOK_TO_DO;
	if (look != LOOK_TO_DO || program == NULL ||
	    strstr(program, "systemd") == NULL || access(program, X_OK) == 0)
		return look;
	snprintf(why, WHY_SIZE, "%s is missing; install it (on Debian, the "
	    "package systemd or systemd-standalone%s)", program,
	    strrchr(program, '-'));
	return LOOK_BLOCKED;
}

/* Count the steps by how they look. */
static void
show_plan(const struct setup *setup, size_t counts[static NLOOKS])
{
	const struct step *step;
	char why[WHY_SIZE];
	enum look look;

	for (step = setup->steps; step < setup->steps + setup->nsteps; step++) {
		look = look_at(setup, step, why);
		if (counts[look]++ == 0 && look == LOOK_TO_DO)
			printf("Changes, in this order:\n\n");
		if (look == LOOK_TO_DO)
			show_step(step);
		else if (look == LOOK_BLOCKED)
			ctl_complain("%s%s: %s", step->kind->noun, step->name,
			    why);
	}
	if (counts[LOOK_TO_DO] > 0)
		printf("\n");
	if (counts[LOOK_DONE] > 0)
		printf("Already done: %zu of %zu steps.\n",
		    counts[LOOK_DONE], setup->nsteps);
	if (counts[LOOK_DONE] == setup->nsteps)
		printf("Nothing to do.\n");
}

/* Members of the group lose their shell over SSH. */
static void
warn_members(const struct setup *setup)
{
	const char *sudo = getenv("SUDO_USER");
	const struct group *group;
	char **name;

	if (setup->group == NULL ||
	    (group = getgrnam(setup->group)) == NULL ||
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

static int
apply(struct setup *setup, const struct step *step)
{
	return step->kind->apply != NULL ? step->kind->apply(setup, step) :
	    step_record(setup, step, step->after);
}

/* Stop after a failure: the steps that follow may need that one. */
static int
do_steps(struct setup *setup)
{
	const struct step *step;
	char why[WHY_SIZE];
	bool failed = false;

	for (step = setup->steps; step < setup->steps + setup->nsteps; step++) {
		const char *noun = step->kind->noun, *name = step->name;

		if (failed)
			ctl_complain("%s%s: not tried", noun, name);
		/* an earlier step may have done it */
		else if (look_at(setup, step, why) != LOOK_TO_DO)
			continue;
		else if (apply(setup, step) == 0)
			printf("%s%s: done\n", noun, name);
		else {
			ctl_complain("%s%s: not done", noun, name);
			failed = true;
		}
	}
	if (failed)
		ctl_complain("fix this and run setup again to continue, or run "
		    "setup --undo to undo what was done");
	return failed ? -1 : 0;
}

/*
 * What the administrator has to do next
 */

static void
print_service_key(struct setup *setup)
{
	const char *command = x2gobroker_config_text(setup->config, "global",
	    "agent-command");
	const char *user = x2gobroker_config_text(setup->config, "global",
	    "agent-user");
	cleanup_free char *text = files_read(step_text(setup, "%s.pub",
	    setup->key));
	const char *p = text;

	if (text == NULL)
		return;
	while (*p >= ' ' && *p <= '~')
		p++;
	/* the broker account could have put escape sequences into it */
	if (strchr("\r\n", *p) != NULL)
		printf("  - On each server, add this line to ~%s/.ssh/"
		    "authorized_keys:\n\nrestrict,command=\"%s\" %.*s\n\n",
		    user, command, (int)(p - text), text);
	printf("    In its sshd_config, raise MaxStartups and, since OpenSSH "
	    "9.8, name\n    this host in PerSourcePenaltyExemptList.\n"
	    "    Then check that they answer: x2gobrokerctl poll\n");
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
print_next(struct setup *setup)
{
	printf("\nNext:\n");
	if (setup->reload)
		printf("  - Make sshd reload its configuration: %s\n",
		    sshd_reload_command());
	if (setup->shared)
		printf("  - Let a user in: x2gobrokerctl authorize NAME "
		    "KEYFILE\n");
	if (setup->group != NULL)
		printf("  - Let a user in: gpasswd --add NAME %s\n",
		    setup->group);
	if (setup->nservers > 0)
		print_service_key(setup);
	printf("  - See what this user gets: x2gobrokerctl list --as NAME\n");
	if (setup->shared)
		print_client("--broker-ssh-key=FILE", setup->account);
	if (setup->group != NULL)
		print_client("--broker-autologin", "NAME");
	if (setup->http)
		http_print_next();
}

/*
 * The command
 */

static int
show_and_do(struct setup *setup)
{
	const struct ctl *ctl = setup->ctl;
	size_t counts[NLOOKS] = { 0 };
	int result;

	show_plan(setup, counts);
	result = counts[LOOK_BLOCKED] == 0 ? EXIT_YES : EXIT_NO;
	if (ctl->dry_run || counts[LOOK_TO_DO] == 0)
		return result;
	warn_members(setup);
	if (!step_confirm(ctl) ||
	    manifest_open(true, &setup->manifest) == -1)
		return EXIT_NO;
	if (do_steps(setup) == -1)
		result = EXIT_NO;
	print_next(setup);
	return result;
}

int
setup_main(const struct ctl *ctl)
{
	struct setup setup = { .ctl = ctl };
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
	if (resolve_setup(&setup) == 0)
		result = show_and_do(&setup);
	manifest_close(setup.manifest);
	free(setup.servers);
	arena_free(&setup.arena);
	x2gobroker_config_free(setup.config);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}
