/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of the system that fail where they hardly ever do, each in a place
 * where a refusal has to follow.  Linked with --wrap for each of them.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>

#include "x2gobroker_admin.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/safefile.h"
#include "base/statedir.h"
#include "farm/farm.h"
#include "support.h"
#include "access/token.h"
#include "x2gobroker-poll/connection.h"
#include "x2gobroker-poll/parallel.h"

/* The call that fails with that errno, once, after so many that do not. */
static struct {
	const char *call;
	int after, error;
	long result;		/* instead of -1 */
} broken;

static bool
breaks(const char *call)
{
	if (broken.call == NULL || strcmp(broken.call, call) != 0 ||
	    broken.after-- > 0)
		return false;
	broken.call = NULL;
	errno = broken.error;
	return true;
}

static void
let_fail(const char *call, int after, int error)
{
	broken.call = call;
	broken.after = after;
	broken.error = error;
	broken.result = -1;
}

/* Whether it was called at all. */
static void
check_failed(const char *label)
{
	check(label, broken.call == NULL);
}

#define WRAP(type, name, params, args)					\
	type	__real_##name params;					\
	type	__wrap_##name params;					\
									\
	type								\
	__wrap_##name params						\
	{								\
		return breaks(#name) ? (type)broken.result :		\
		    __real_##name args;					\
	}

WRAP(int, fstat64, (int fd, struct stat64 *st), (fd, st))
WRAP(int, lstat64, (const char *path, struct stat64 *st), (path, st))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, flock, (int fd, int operation), (fd, operation))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, symlinkat, (const char *target, int fd, const char *name),
    (target, fd, name))
WRAP(int, fsync, (int fd), (fd))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(int, pipe2, (int *fds, int flags), (fds, flags))
WRAP(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
/* what poll(2) is called with -D_FORTIFY_SOURCE */
int	__wrap___poll_chk(struct pollfd *, nfds_t, int, size_t);

int
__wrap___poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size unused)
{
	return __wrap_poll(fds, n, ms);
}

WRAP(int, socket, (int domain, int type, int protocol),
    (domain, type, protocol))
WRAP(int, getsockopt, (int fd, int level, int name, void *p, socklen_t *len),
    (fd, level, name, p, len))
WRAP(int, posix_spawn_file_actions_init, (posix_spawn_file_actions_t *p), (p))
WRAP(int, posix_spawnattr_init, (posix_spawnattr_t *p), (p))
WRAP(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr,
    void *(*fn)(void *), void *arg), (thread, attr, fn, arg))

#define WRAP_POINTER(type, name, params, args)				\
	type	*__real_##name params;					\
	type	*__wrap_##name params;					\
									\
	type *								\
	__wrap_##name params						\
	{								\
		return breaks(#name) ? NULL : __real_##name args;	\
	}

int	__wrap_asprintf(char **out, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
int	__wrap___asprintf_chk(char **out, int flag, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

int
__wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = breaks("asprintf") ? -1 : vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

/* The same in a build with optimisation. */
int
__wrap___asprintf_chk(char **out, int flag unused, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = breaks("asprintf") ? -1 : vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

ssize_t	__real_getline(char **line, size_t *size, FILE *fp);
ssize_t	__wrap_getline(char **line, size_t *size, FILE *fp);
ssize_t	__real___getdelim(char **line, size_t *size, int end, FILE *fp);
ssize_t	__wrap___getdelim(char **line, size_t *size, int end, FILE *fp);

ssize_t
__wrap_getline(char **line, size_t *size, FILE *fp)
{
	return breaks("getline") ? -1 : __real_getline(line, size, fp);
}

/* The same in a build with optimisation. */
ssize_t
__wrap___getdelim(char **line, size_t *size, int end, FILE *fp)
{
	return breaks("getline") ? -1 : __real___getdelim(line, size, end, fp);
}

WRAP_POINTER(DIR, fdopendir, (int fd), (fd))
WRAP_POINTER(void, malloc, (size_t size), (size))
WRAP_POINTER(void, calloc, (size_t n, size_t size), (n, size))
WRAP_POINTER(char, strdup, (const char *text), (text))

int	__real_openat64(int dir, const char *path, int flags, ...);
int	__wrap_openat64(int dir, const char *path, int flags, mode_t mode);
int	__real_open64(const char *path, int flags, ...);
int	__wrap_open64(const char *path, int flags, mode_t mode);
int	__real_scandir64(const char *path, struct dirent64 ***entries,
	    int (*filter)(const struct dirent64 *),
	    int (*compare)(const struct dirent64 **,
	    const struct dirent64 **));
int	__wrap_scandir64(const char *path, struct dirent64 ***entries,
	    int (*filter)(const struct dirent64 *),
	    int (*compare)(const struct dirent64 **,
	    const struct dirent64 **));
int	__real_getaddrinfo(const char *name, const char *service,
	    const struct addrinfo *hints, struct addrinfo **out);
int	__wrap_getaddrinfo(const char *name, const char *service,
	    const struct addrinfo *hints, struct addrinfo **out);
void	__real_freeaddrinfo(struct addrinfo *list);
void	__wrap_freeaddrinfo(struct addrinfo *list);

int
__wrap_openat64(int dir, const char *path, int flags, mode_t mode)
{
	return breaks("openat64") ? -1 :
	    __real_openat64(dir, path, flags, mode);
}

int
__wrap_open64(const char *path, int flags, mode_t mode)
{
	return breaks("open64") ? -1 : __real_open64(path, flags, mode);
}

int
__wrap_scandir64(const char *path, struct dirent64 ***entries,
    int (*filter)(const struct dirent64 *),
    int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
	return breaks("scandir64") ? -1 : __real_scandir64(path, entries,
	    filter, compare);
}

/* What a name means, or NULL: what it means here. */
static struct addrinfo *resolved;

int
__wrap_getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	if (breaks("getaddrinfo"))
		return EAI_SYSTEM;
	if (resolved == NULL)
		return __real_getaddrinfo(name, service, hints, out);
	*out = resolved;
	return 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	if (list != resolved)
		__real_freeaddrinfo(list);
}

static char dir[100], drained[100], keys_dir[100];

static int
setup(void **state)
{
	broken.call = NULL;
	resolved = NULL;
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(dir, sizeof(dir), "%s", make_dir("dir"));
	snprintf(drained, sizeof(drained), "%s", test_path("dir/drained"));
	test_config.drain_file = drained;
	test_config.cookie_directory = dir;
	test_config.my_cookie = "let-me-in";
	test_config.my_cookie_file = "";
	test_config.authids_dir = "/nonexistent";
	test_config.auth_timeout = 60;
	snprintf(keys_dir, sizeof(keys_dir), "%s", test_path("keys"));
	test_config.keys_dir = keys_dir;
	return 0;
}

/*
 * Files
 */

#define KEY	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAA" \
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAA root\n"

static int
open_a_file(struct x2gobroker_error *err)
{
	FILE *fp = safefile_open(write_file("file", "x"), err);

	if (fp == NULL)
		return -1;
	fclose(fp);
	return 0;
}

/* A link on the way, so that it is walked as it is written, too. */
static int
check_a_link(struct x2gobroker_error *err)
{
	unlink(test_path("link"));
	assert_int_equal(symlink(dir, test_path("link")), 0);
	return safefile_check_dir(test_path("link"), err);
}

static const struct statedir_type one_state = { "state", " ", 1 };

static int
add_a_row(struct x2gobroker_error *err)
{
	const struct staterow row = { .seconds = 1, .fields = { "text" } };
	struct statedir all;
	int result;

	if (statedir_open(&all, dir, &one_state, err) == -1)
		return -1;
	result = statedir_add(&all, &row, err);
	statedir_close(&all);
	return result;
}

static int
drain_a_server(struct x2gobroker_error *err)
{
	bool changed;

	unlink(drained);
	return x2gobroker_drain(&test_config, "ts01", &changed, err);
}

static int
read_the_drained(struct x2gobroker_error *err)
{
	struct x2gobroker_drained *list;

	write_file("dir/drained", "ts01\n");
	if (x2gobroker_drained_load(&test_config, &list, err) == -1)
		return -1;
	x2gobroker_drained_free(list);
	return 0;
}

static int
add_a_host_key(struct x2gobroker_error *err)
{
	return knownhosts_add(test_path("dir/known_hosts"), "a b c", err);
}

static int
open_a_token(struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("root", NULL);
	struct token token;
	int result;

	result = token_open(&token, &test_config, user, "let-me-in", 1000,
	    err);
	if (result == 0)
		token_close(&token);
	x2gobroker_user_free(user);
	return result;
}

/* Answered to the end, or refused. */
static int
list_with_a_token(struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("root", NULL);
	struct x2gobroker_profiles *profiles;
	struct problems said;
	char *answer;

	profiles = load_text("", &said);
	test_config.require_cookie = true;
	answer = answer_to("x --task listsessions --authid let-me-in",
	    profiles, user, err);
	test_config.require_cookie = false;
	check("answer", (err->code == X2GOBROKER_OK) == (strcmp(answer,
	    "Access denied\n") != 0));
	free(answer);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return err->code == X2GOBROKER_OK ? 0 : -1;
}

static int
add_a_key(struct x2gobroker_error *err)
{
	struct problems said = { .n = 0 };
	size_t n;

	/* in a directory that is made for it */
	unlink(test_path("keys/root.pub"));
	unlink(test_path("keys/.lock"));
	rmdir(keys_dir);
	return x2gobroker_keys_add(&test_config, "root", KEY, "key", collect,
	    &said, &n, err);
}

static int
remove_a_key(struct x2gobroker_error *err)
{
	struct problems said = { .n = 0 };
	size_t n;

	mkdir(keys_dir, 0755);
	write_file("keys/root.pub", KEY);
	return x2gobroker_keys_remove(&test_config, "root", NULL, NULL,
	    collect, &said, &n, err);
}

/* "ALIVE", of a client of root's. */
static int
note_an_event(struct x2gobroker_error *err)
{
	const struct x2gobroker_client client = { .user = "root",
	    .session = "root-50-1", .event = "ALIVE", .seen = 1000 };
	enum x2gobroker_order order;

	test_config.state_dir = dir;
	return connected_note(&test_config, &client, &order, err);
}

static int
list_the_connected(struct x2gobroker_error *err)
{
	struct x2gobroker_connected *all;

	test_config.state_dir = dir;
	if (x2gobroker_connected_load(&test_config, &all, err) == -1)
		return -1;
	x2gobroker_connected_free(all);
	return 0;
}

static int
check_profiles(struct x2gobroker_error *err)
{
	struct x2gobroker_profiles *profiles;
	struct problems said;

	test_config.profiles_dir = dir;
	test_config.backends[BACKEND_INIFILE].enable = true;
	test_config.session_profiles = "/nonexistent/profiles.conf";
	profiles = load_profiles(&said);
	x2gobroker_profiles_free(profiles);
	if (said.n == 0)
		return 0;
	*err = said.list[0];
	return -1;
}

/* Each row: what is tried, the call of it that fails, after how many that do
 * not, how, and what is said. */
static void
what_cannot_be_looked_at_is_not_used(void **state unused)
{
	static const struct {
		const char *label;
		int (*try)(struct x2gobroker_error *);
		const char *call;
		int after, error;
		struct problem said;
	} rows[] = {
#define SAYS(text)	{ X2GOBROKER_ERR_SYSTEM, 0, text }
		{ "file", open_a_file, "lstat64", 0, EIO,
		    SAYS("cannot be looked up") },
		{ "file", open_a_file, "lstat64", 1, EIO,
		    SAYS("cannot be looked up") },
		{ "file", open_a_file, "fstat64", 0, EIO,
		    SAYS("cannot be looked up") },
		{ "link", check_a_link, "strdup", 0, ENOMEM,
		    { X2GOBROKER_ERR_NOMEM, 0, "memory" } },
		{ "state", add_a_row, "mkdir", 0, EACCES,
		    SAYS("cannot be created") },
		{ "state", add_a_row, "open64", 0, EMFILE,
		    SAYS("cannot be opened") },
		{ "state", add_a_row, "fstat64", 0, EIO,
		    SAYS("cannot be opened") },
		{ "state", add_a_row, "asprintf", 0, ENOMEM,
		    { X2GOBROKER_ERR_NOMEM, 0, "memory" } },
		{ "state", add_a_row, "openat64", 0, EMFILE,
		    SAYS("cannot be listed") },
		{ "event", note_an_event, "symlinkat", 0, ENOSPC,
		    SAYS("an event cannot be stored") },
		{ "who", list_the_connected, "fdopendir", 0, ENOMEM,
		    SAYS("cannot be listed") },
		{ "state", add_a_row, "fdopendir", 0, ENOMEM,
		    SAYS("cannot be listed") },
		{ "state", add_a_row, "symlinkat", 0, ENOSPC,
		    SAYS("cannot be created") },
		{ "drain", drain_a_server, "open64", 0, EMFILE,
		    SAYS("cannot be opened") },
		{ "drain", drain_a_server, "fchmod", 0, EPERM,
		    SAYS("cannot be") },
		{ "drain", drain_a_server, "openat64", 0, EACCES,
		    SAYS("cannot be used as a lock") },
		{ "drain", drain_a_server, "flock", 0, ENOLCK,
		    SAYS("cannot be locked") },
		{ "drained", read_the_drained, "read", 0, EIO,
		    SAYS("cannot be read") },
		{ "host key", add_a_host_key, "strdup", 0, ENOMEM,
		    { X2GOBROKER_ERR_NOMEM, 0, "memory" } },
		{ "host key", add_a_host_key, "asprintf", 0, ENOMEM,
		    { X2GOBROKER_ERR_NOMEM, 0, "memory" } },
		{ "host key", add_a_host_key, "mkdir", 0, EACCES,
		    SAYS("cannot be created") },
		{ "host key", add_a_host_key, "open64", 1, EACCES,
		    SAYS("cannot be written") },
		{ "host key", add_a_host_key, "write", 0, ENOSPC,
		    SAYS("cannot be written") },
		{ "token", open_a_token, "open64", 0, EMFILE,
		    SAYS("cannot be opened") },
		{ "token", open_a_token, "fstat64", 0, EIO,
		    SAYS("cannot be opened") },
		{ "request", list_with_a_token, "write", 0, ENOSPC,
		    SAYS("cannot be written") },
		{ "key", add_a_key, "open64", 0, EMFILE,
		    SAYS("cannot be opened") },
		{ "key", add_a_key, "fchmod", 0, EPERM,
		    SAYS("its mode cannot be set") },
		{ "key", add_a_key, "flock", 0, ENOLCK,
		    SAYS("cannot be locked") },
		{ "key", add_a_key, "scandir64", 0, EIO,
		    SAYS("cannot be listed") },
		{ "key", add_a_key, "write", 0, ENOSPC,
		    SAYS("cannot be written") },
		{ "no key", remove_a_key, "read", 0, EIO,
		    SAYS("cannot be read") },
		{ "no key", remove_a_key, "unlink", 0, EACCES,
		    SAYS("cannot be removed") },
		{ "no key", remove_a_key, "fsync", 0, EIO,
		    SAYS("cannot be removed") },
		{ "profiles", check_profiles, "scandir64", 0, EIO,
		    SAYS("cannot be listed") },
#undef SAYS
	};
	struct x2gobroker_error err;
	char label[80];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(label, sizeof(label), "%s: %s", rows[i].label,
		    rows[i].call);
		memset(&err, 0, sizeof(err));
		if (rows[i].try(&err) == -1)
			fail_msg("[%s] %s: %s", label, err.file, err.text);
		let_fail(rows[i].call, rows[i].after, rows[i].error);
		check(label, rows[i].try(&err) == -1);
		check_failed(label);
		check_problem(label, &err, &rows[i].said);
	}
}

/* A write that is short is no write of a line; to a host that is known, it may
 * have come nevertheless. */
static void
a_short_write_has_failed(void **state unused)
{
	struct x2gobroker_error err;

	let_fail("write", 0, 0);
	broken.result = 3;
	assert_int_equal(add_a_host_key(&err), -1);
	assert_non_null(strstr(err.text, strerror(ENOSPC)));
}

static void
a_token_is_not_looked_for_without_memory(void **state unused)
{
	struct x2gobroker_user *user = make_user("root", NULL);
	struct x2gobroker_error err;
	struct token token;
	int after, result;

	for (after = 0;; after++) {
		let_fail("asprintf", after, ENOMEM);
		result = token_open(&token, &test_config, user, "let-me-in",
		    1000, &err);
		if (broken.call != NULL)
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	}
	broken.call = NULL;
	assert_true(after > 0);
	assert_int_equal(result, 0);
	token_close(&token);
	x2gobroker_user_free(user);
}

/*
 * An agent on this host
 */

static int
run_agent(struct buf *out, struct x2gobroker_error *err)
{
	const char *path = write_file("agent", "#!/bin/sh\necho OK\n");
	const char *argv[] = { path, "alice", "status", NULL };

	assert_int_equal(chmod(path, 0755), 0);
	return local_run(argv, clock_ms() + 20000, 1000, NULL, out, err);
}

static void
an_agent_that_cannot_be_run_is_not_asked(void **state unused)
{
	static const struct {
		const char *call;
		int after, error;
		const char *said;
	} rows[] = {
		{ "pipe2", 0, EMFILE, "cannot start the agent on this" },
		{ "pipe2", 1, EMFILE, "cannot start the agent on this" },
		{ "posix_spawn_file_actions_init", 0, ENOMEM,
		    "cannot start the agent on this host" },
		{ "posix_spawnattr_init", 0, ENOMEM,
		    "cannot start the agent on this host" },
		{ "poll", 0, ENOMEM, "out of memory" },
		/* of the two, what it says on stderr counts for nothing */
		{ "calloc", 0, ENOMEM, "out of memory" },
	};
	struct x2gobroker_error err;
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		let_fail(rows[i].call, rows[i].after, rows[i].error);
		check(rows[i].call, run_agent(&out, &err) == -1);
		check_failed(rows[i].call);
		check(rows[i].call, strstr(err.text, rows[i].said) != NULL);
		buf_free(&out);
		memset(&out, 0, sizeof(out));
	}
	/* a signal is none */
	let_fail("poll", 0, EINTR);
	assert_int_equal(run_agent(&out, NULL), 0);
	check_failed("EINTR");
	buf_free(&out);
}

/* One that says nothing on stderr, so that what is read is its answer. */
static void
an_answer_that_cannot_be_read_is_none(void **state unused)
{
	struct x2gobroker_error err;
	struct buf out = { 0 };
	int after;

	for (after = 0; after < 3; after++) {
		let_fail("read", after, EIO);
		if (run_agent(&out, &err) == -1)
			break;
		buf_free(&out);
		memset(&out, 0, sizeof(out));
	}
	assert_true(after < 3);
	assert_non_null(strstr(err.text, "the agent on this host could not be "
	    "read from: "));
	buf_free(&out);
}

/*
 * Servers
 */

static void
ignore_job(void *arg unused, size_t i unused)
{
}

static void
without_threads_nobody_is_asked(void **state unused)
{
	const struct parallel jobs = { .n = 1, .deadline = clock_ms() + 1000,
	    .run = ignore_job };

	let_fail("pthread_create", 0, 0);
	broken.result = EAGAIN;
	assert_int_equal(parallel_run(&jobs), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_connection_that_cannot_be_made_is_none(void **state unused)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct x2gobroker_error err;
	int fd, listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(address);
	static const struct {
		const char *call, *said;
		int error;
	} rows[] = {
		{ "socket", "cannot connect", EMFILE },
		{ "getaddrinfo", "cannot be resolved", EIO },
	};
	size_t i;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address,
	    &len), 0);
	for (i = 0; i < LENGTH(rows); i++) {
		let_fail(rows[i].call, 0, rows[i].error);
		check(rows[i].call, tcp_connect("127.0.0.1",
		    ntohs(address.sin_port), clock_ms() + 20000, &err) == -1);
		check_failed(rows[i].call);
		check(rows[i].call, strstr(err.text, rows[i].said) != NULL);
		check(rows[i].call, strstr(err.text,
		    strerror(rows[i].error)) != NULL);
	}
	/* loopback is connected at once, or after a poll(2) */
	let_fail("getsockopt", 0, EIO);
	fd = tcp_connect("127.0.0.1", ntohs(address.sin_port),
	    clock_ms() + 20000, NULL);
	assert_int_equal(fd != -1, broken.call != NULL);
	if (fd != -1)
		close(fd);
	close(listener);
}

/* What a name resolves to may be of a kind that is none of ours. */
static void
addresses_of_a_name_are_compared(void **state unused)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct addrinfo last = { .ai_family = AF_INET6,
	    .ai_addr = (struct sockaddr *)&six }, middle = {
	    .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&four,
	    .ai_next = &last }, list = { .ai_family = AF_UNIX,
	    .ai_next = &middle };
	static const struct {
		const char *text;
		int found;
	} rows[] = {
		{ "192.0.2.1", 1 }, { "2001:db8::1", 1 }, { "192.0.2.2", 0 },
		{ "2001:db8::2", 0 }, { "::1", 0 }, { "127.0.0.1", 0 },
	};
	struct address address;
	size_t i;

	four.sin_addr.s_addr = htonl(0xc0000201);
	six.sin6_addr.s6_addr[0] = 0x20;
	six.sin6_addr.s6_addr[1] = 0x01;
	six.sin6_addr.s6_addr[2] = 0x0d;
	six.sin6_addr.s6_addr[3] = 0xb8;
	six.sin6_addr.s6_addr[15] = 1;
	resolved = &list;
	for (i = 0; i < LENGTH(rows); i++) {
		assert_true(address_parse(rows[i].text, strlen(rows[i].text),
		    &address));
		check(rows[i].text, address_of_host("lab", 3, &address) ==
		    rows[i].found);
	}
	let_fail("getaddrinfo", 0, EIO);
	assert_int_equal(address_of_host("lab", 3, &address), -1);
	check_failed("getaddrinfo");
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_looked_at_is_not_used),
		TEST(a_short_write_has_failed),
		TEST(a_token_is_not_looked_for_without_memory),
		TEST(an_agent_that_cannot_be_run_is_not_asked),
		TEST(an_answer_that_cannot_be_read_is_none),
		TEST(without_threads_nobody_is_asked),
		TEST(a_connection_that_cannot_be_made_is_none),
		TEST(addresses_of_a_name_are_compared),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
