/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks are run without a shell and with fixed arguments; the request is on
 * their stdin.  What they say is checked like the answer of a server.
 */
#include <string.h>

#include "access/user.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"
#include "base/spawn.h"
#include "base/utf8.h"
#include "farm/farm.h"
#include "tasks/hook.h"
#include "tasks/task.h"

#define OUTPUT_MAX	65536	/* bytes; more servers have no profile */
#define MESSAGE_MAX	200	/* bytes of stderr */
#define REASON_MAX	200
#define NAME_SIZE	(HOST_TEXT_MAX + 16)

struct hook {
	const char *key, *path, *word;	/* its argument */
	const struct host *hosts;	/* that it may choose; or NULL */
	size_t n;
	const struct x2gobroker_profile *profile;
	struct hook_choice *choice;
};

/*
 * The request
 */

static void
put_line(struct buf *buf, const char *key, const char *value)
{
	buf_printf(buf, "%s=%s\n", key, value != NULL ? value : "");
}

static void
begin_request(struct buf *buf, const char *word, const char *task,
    const struct x2gobroker_user *user)
{
	put_line(buf, "hook", word);
	put_line(buf, "task", task);
	put_line(buf, "user", user->name);
	put_line(buf, "address", x2gobroker_user_address(user));
}

static void
name_host(const struct x2gobroker_profile *profile, const struct host *host,
    char name[static NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%s:%d", host->name,
	    farm_port(profile, host));
}

/*
 * The answer
 */

static int
invalid(const struct hook *hook, const char *why, const char *line,
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, hook->path, 0,
	    "%s: its answer is not valid: %s%.100s", hook->key, why, line);
}

static bool
has_host(const struct hook_choice *choice, const struct host *host)
{
	size_t i;

	for (i = 0; i < choice->n; i++)
		if (memcmp(&choice->hosts[i], host, sizeof(*host)) == 0)
			return true;
	return false;
}

static int
add_server(const struct hook *hook, const char *wanted,
    struct x2gobroker_error *err)
{
	struct hook_choice *choice = hook->choice;
	char name[NAME_SIZE];
	size_t i;

	for (i = 0; i < hook->n; i++) {
		name_host(hook->profile, &hook->hosts[i], name);
		if (strcmp(name, wanted) == 0)
			break;
	}
	if (i == hook->n)
		return invalid(hook, "not a server of the profile: ", wanted,
		    err);
	if (has_host(choice, &hook->hosts[i]))
		return invalid(hook, "a server twice: ", wanted, err);
	if (choice->hosts == NULL && (choice->hosts = calloc(hook->n,
	    sizeof(*choice->hosts))) == NULL)
		return error_nomem(err);
	choice->hosts[choice->n++] = hook->hosts[i];
	return 0;
}

static int
read_line(const struct hook *hook, const char *line,
    struct x2gobroker_error *err)
{
	if (hook->hosts == NULL)
		return invalid(hook, "more than one line: ", line, err);
	if (strncmp(line, "server=", 7) == 0)
		return add_server(hook, line + 7, err);
	if (strcmp(line, "in-order") != 0 || hook->choice->in_order)
		return invalid(hook, "", line, err);
	hook->choice->in_order = true;
	return 0;
}

/* 1: the hook refuses; -1: what it says is not an answer. */
static int
read_answer(const struct hook *hook, struct buf *output,
    struct x2gobroker_error *err)
{
	char *rest = output->data, *line, reason[REASON_MAX];
	int result = 0;

	if (output->len == 0 || rest[output->len - 1] != '\n' ||
	    memchr(rest, '\0', output->len) != NULL)
		return invalid(hook, "no line of text", "", err);
	rest[output->len - 1] = '\0';
	line = strsep(&rest, "\n");
	if (strncmp(line, "refuse ", 7) == 0 && rest == NULL) {
		utf8_escape(reason, sizeof(reason), line + 7);
		error_set(err, X2GOBROKER_ERR_DENIED, hook->path, 0,
		    "%s refuses: %s", hook->key, reason);
		return 1;
	}
	if (strcmp(line, "allow") != 0)
		return invalid(hook, "neither allow nor refuse REASON: ", line,
		    err);
	while (result == 0 && (line = strsep(&rest, "\n")) != NULL)
		result = read_line(hook, line, err);
	return result;
}

/*
 * The program
 */

static int
check_end(const struct hook *hook, const struct spawn *child,
    struct x2gobroker_error *err)
{
	char text[SPAWN_TEXT_SIZE], message[2 * MESSAGE_MAX];

	if (spawn_exit_status(child) == 0)
		return 0;
	utf8_escape(message, sizeof(message), child->message.len > 0 ?
	    child->message.data : "");
	return error_set(err, X2GOBROKER_ERR_SYSTEM, hook->path, 0, "%s %s%s%s",
	    hook->key, spawn_describe(child, text), *message != '\0' ? ": " :
	    "", message);
}

/* As read_answer(). */
static int
run(const struct hook *hook, int seconds, const struct buf *request,
    struct x2gobroker_error *err)
{
	static const char *const env[] = { "LANG=C.UTF-8",
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    NULL };
	const char *const argv[] = { hook->path, hook->word, NULL };
	const struct spawn_options options = {
		.argv = argv, .env = env, .input = request->data,
		.input_len = request->len, .output_max = OUTPUT_MAX,
		.message_max = MESSAGE_MAX,
		.deadline = clock_ms() + (int64_t)seconds * 1000,
	};
	cleanup_spawn struct spawn child = { 0 };
	/* only root and the broker account can have written it */
	cleanup_file FILE *file = safefile_open(hook->path, err);

	if (file == NULL)
		return -1;
	if (request->failed)
		return error_nomem(err);
	if (spawn_run(&child, &options) == -1)
		return error_errno(err, hook->path, "%s cannot be started",
		    hook->key);
	if (check_end(hook, &child, err) == -1)
		return -1;
	return read_answer(hook, &child.output, err);
}

/* Run it, and do what hook-failure says where it fails. */
static int
ask(struct x2gobroker_answer *answer, const struct hook *hook,
    const struct x2gobroker_config *config, const struct buf *request,
    struct x2gobroker_error *err)
{
	int result = run(hook, config->hook_timeout, request, err);

	if (result == -1 && config->hook_failure == HOOK_IGNORE) {
		report(&answer->reporter, X2GOBROKER_WARNING, err->file,
		    err->line, "%s (ignored: hook-failure = ignore)",
		    err->text);
		if (hook->choice != NULL) {
			free(hook->choice->hosts);
			*hook->choice = (struct hook_choice){ 0 };
		}
		result = 0;
	}
	return result == 0 ? 0 : -1;
}

int
hook_login(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config, const struct x2gobroker_user *user,
    const char *task, struct x2gobroker_error *err)
{
	const struct hook hook = { .key = "login-hook", .word = "login",
	    .path = config->login_hook };
	cleanup_buf struct buf request = { 0 };

	if (*hook.path == '\0')
		return 0;
	begin_request(&request, hook.word, task, user);
	return ask(answer, &hook, config, &request, err);
}

int
hook_select(struct x2gobroker_answer *answer,
    const struct x2gobroker_profile *profile, const struct host *hosts,
    size_t n, bool (*is_usable)(void *arg, const struct host *host), void *arg,
    struct hook_choice *choice, struct x2gobroker_error *err)
{
	const struct hook hook = { .key = "select-hook", .word = "select",
	    .path = profile->config->select_hook, .hosts = hosts, .n = n,
	    .profile = profile, .choice = choice };
	cleanup_buf struct buf request = { 0 };
	const char *address;
	char name[NAME_SIZE];
	size_t i;

	if (*hook.path == '\0' || n == 0)
		return 0;
	begin_request(&request, hook.word, answer->task->name, answer->user);
	put_line(&request, "profile", profile->id);
	for (i = 0; i < n; i++) {
		address = host_for_client(&hosts[i]);
		name_host(profile, &hosts[i], name);
		if (is_usable(arg, &hosts[i]))
			buf_printf(&request, "server=%s %s\n", name,
			    address != NULL ? address : hosts[i].name);
	}
	return ask(answer, &hook, profile->config, &request, err);
}
