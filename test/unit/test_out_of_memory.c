/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole way from the files to the answer with one allocation after the
 * other failing.  Linked with --wrap for all that allocates; with a sanitizer
 * this shows leaks, too.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "base/buf.h"
#include "support.h"

void	*__real_malloc(size_t size);
void	*__real_calloc(size_t n, size_t size);
void	*__real_realloc(void *p, size_t size);
void	*__real_reallocarray(void *p, size_t n, size_t size);
char	*__real_strdup(const char *s);
char	*__real_strndup(const char *s, size_t len);
char	*__real_realpath(const char *path, char *real);
FILE	*__real_fdopen(int fd, const char *mode);
FILE	*__real_fmemopen(void *data, size_t size, const char *mode);
ssize_t	 __real_getline(char **line, size_t *size, FILE *fp);
ssize_t	 __real___getdelim(char **line, size_t *size, int end, FILE *fp);

void	*__wrap_malloc(size_t size);
void	*__wrap_calloc(size_t n, size_t size);
void	*__wrap_realloc(void *p, size_t size);
void	*__wrap_reallocarray(void *p, size_t n, size_t size);
char	*__wrap_strdup(const char *s);
char	*__wrap_strndup(const char *s, size_t len);
char	*__wrap_realpath(const char *path, char *real);
FILE	*__wrap_fdopen(int fd, const char *mode);
FILE	*__wrap_fmemopen(void *data, size_t size, const char *mode);
ssize_t	 __wrap_getline(char **line, size_t *size, FILE *fp);
ssize_t	 __wrap___getdelim(char **line, size_t *size, int end, FILE *fp);
struct passwd	*__wrap_getpwnam(const char *name);
struct group	*__wrap_getgrgid(gid_t gid);
int	 __wrap_getgrouplist(const char *name, gid_t primary, gid_t *gids,
	    int *n);

/* The allocation that fails, counted down while it is positive; and whether
 * those behind it fail, too. */
static int countdown;
static bool and_all_later, has_failed;

static bool
must_fail(void)
{
	if (countdown == 0)
		return false;
	if (countdown > 1) {
		countdown--;
		return false;
	}
	if (!and_all_later)
		countdown = 0;
	has_failed = true;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return must_fail() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return must_fail() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return must_fail() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
	return must_fail() ? NULL : __real_strndup(s, len);
}

char *
__wrap_realpath(const char *path, char *real)
{
	return must_fail() ? NULL : __real_realpath(path, real);
}

FILE *
__wrap_fdopen(int fd, const char *mode)
{
	return must_fail() ? NULL : __real_fdopen(fd, mode);
}

FILE *
__wrap_fmemopen(void *data, size_t size, const char *mode)
{
	return must_fail() ? NULL : __real_fmemopen(data, size, mode);
}

ssize_t
__wrap_getline(char **line, size_t *size, FILE *fp)
{
	return must_fail() ? -1 : __real_getline(line, size, fp);
}

/* What getline(3) is with optimisation. */
ssize_t
__wrap___getdelim(char **line, size_t *size, int end, FILE *fp)
{
	return must_fail() ? -1 : __real___getdelim(line, size, end, fp);
}

struct passwd *
__wrap_getpwnam(const char *name unused)
{
	static struct passwd pw = { .pw_gid = 1 };

	return &pw;
}

struct group *
__wrap_getgrgid(gid_t gid)
{
	static char name[20], *members[] = { NULL };
	static struct group group = { .gr_name = name, .gr_mem = members };

	snprintf(name, sizeof(name), "group%u", (unsigned int)gid);
	return &group;
}

int
__wrap_getgrouplist(const char *name unused, gid_t primary, gid_t *gids,
    int *n)
{
	int i, room = *n;

	*n = 70;	/* more than fit at first */
	for (i = 0; i < room && i < *n; i++)
		gids[i] = primary + (gid_t)i;
	return room < *n ? -1 : *n;
}

#define U	"f7e8c1a2-0b3d-4c5e-8f90-123456789abc"
#define WRAP(command) "bash -l -c 'echo \"X2GODATABEGIN:" U "\"; "	\
		"export PATH=\"/usr/local/bin:/usr/bin:/bin\";"		\
		"export TERM=\"dumb\"; " command			\
		"; echo \"X2GODATAEND:" U "\";'"

/* Rules stand last in their files, so that a file which ends too soon has
 * none.  group3 is alice's. */
static int
make_files(void **state)
{
	char text[400];

	if (make_test_dir(state) == -1)
		return -1;
	make_dir("profiles.d");
	write_file("profiles.conf", "[DEFAULT]\nwidth=1024\nuser=BROKER_USER\n"
	    "[one]\nname=\"One, two\"\nhost=a, b:22, c (192.0.2.1), d, e, f\n"
	    "acl-groups-allow=group5,\n  group6\n[two]\nhost=a\ncommand=KDE\n"
	    "acl-clients-allow=192.0.2.0/24\n"
	    "[hidden]\nhost=a\nacl-groups-allow=ALL\nacl-groups-deny=group3\n");
	write_file("profiles.d/more.conf", "[three]\nhost=a\n"
	    "[hidden too]\nhost=a\nacl-users-allow=bob\n");
	write_file("profiles.d/some.conf", "[four]\nhost=a\n[hidden three]\n"
	    "host=a\nacl-groups-allow=ALL\nacl-groups-deny=group70\n");
	snprintf(text, sizeof(text), "[global]\nprofiles-dir='%s'\n"
	    "default-portscan-x2goservers=no\n"
	    "[broker_inifile]\nsession-profiles=%s\n",
	    test_path("profiles.d"), test_path("profiles.conf"));
	write_file("test.conf", text);
	return 0;
}

/* One request from the first step to the last. */
struct way {
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct x2gobroker_error err;
	bool reported;
	bool granted;
	char *text;		/* of the answer; NULL: not that far */
};

static void
note_report(void *arg, const struct x2gobroker_error *problem)
{
	struct way *way = arg;

	if (problem->code == X2GOBROKER_ERR_NOMEM ||
	    problem->code == X2GOBROKER_ERR_SYSTEM)
		way->reported = true;
}

/* Returns -1 where a step failed. */
static int
go(struct way *way, const char *config, const char *command)
{
	const char *text;
	size_t len;

	if (x2gobroker_request_parse(command, &way->request, &way->err) ==
	    -1 || x2gobroker_config_load(config, note_report, way,
	    &way->config, &way->err) == -1 ||
	    x2gobroker_user_new("alice", "192.0.2.7", &way->user, &way->err) ==
	    -1 || x2gobroker_answer_new(way->request, &way->answer,
	    &way->err) == -1 || x2gobroker_profiles_load(way->config,
	    note_report, way, &way->profiles, &way->err) == -1)
		return -1;
	way->granted = x2gobroker_answer_task(way->answer, way->profiles,
	    way->user, &way->err) == 0;
	if (x2gobroker_answer_text(way->answer, &text, &len, &way->err) == -1)
		return -1;
	countdown = 0;
	way->text = strdup(text);
	return way->granted ? 0 : -1;
}

static void
finish(struct way *way)
{
	countdown = 0;
	x2gobroker_answer_free(way->answer);
	x2gobroker_request_free(way->request);
	x2gobroker_user_free(way->user);
	x2gobroker_profiles_free(way->profiles);
	x2gobroker_config_free(way->config);
	free(way->text);
}

/* Whether text lists a profile that all does not list. */
static bool
lists_more(const char *text, const char *all)
{
	bool found = true;
	char *line;

	for (; found && (text = strstr(text, "\n[")) != NULL; text++) {
		line = strndup(text, strcspn(text + 1, "\n") + 2);
		assert_non_null(line);
		found = strstr(all, line) != NULL;
		free(line);
	}
	return !found;
}

/* Whatever fails is told, and the answer has nothing that it has not else. */
static void
check_way(int n, const struct way *way, int result, const char *all)
{
	bool list = strstr(all, "START_USER_SESSIONS") != NULL;

	if (way->text != NULL && list && lists_more(way->text, all))
		fail_msg("allocation %d fails:\n%s", n, way->text);
	if (result == 0 && !list && strcmp(way->text, all) != 0)
		fail_msg("allocation %d fails:\n%s", n, way->text);
	if (result == -1 && way->text != NULL &&
	    strstr(way->text, "Access denied") == NULL)
		fail_msg("allocation %d fails, and is granted:\n%s", n,
		    way->text);
	if (result == -1 && way->err.text[0] == '\0')
		fail_msg("allocation %d fails in silence", n);
	/* groups that cannot be looked up deny without another word */
	if (result == 0 && !way->reported && strcmp(way->text, all) != 0 &&
	    strstr(way->text, "[three]") == NULL)
		fail_msg("allocation %d fails, and nobody says so:\n%s", n,
		    way->text);
}

static void
check_every_allocation(const char *command)
{
	const char *config = test_path("test.conf");
	struct way all = { 0 };
	int n;

	assert_int_equal(go(&all, config, command), 0);
	assert_null(strstr(all.text, "hidden"));
	for (n = 1, has_failed = true; has_failed; n++) {
		struct way way = { 0 };
		int result;

		has_failed = false;
		countdown = n;
		result = go(&way, config, command);
		countdown = 0;
		check_way(n, &way, result, all.text);
		if (!has_failed)
			assert_string_equal(way.text, all.text);
		finish(&way);
		assert_true(n < 10000);
	}
	assert_true(n > 20);
	finish(&all);
}

static void
one_failed_allocation_never_grants(void **state unused)
{
	and_all_later = false;
	check_every_allocation(WRAP("x --user alice --task listsessions"));
	check_every_allocation(WRAP("x --task selectsession --sid three "
	    "--login alice"));
	check_every_allocation("x --task selectsession --sid two");
	check_every_allocation("x --task clientevent --event ALIVE");
}

static void
memory_that_stays_out_never_grants(void **state unused)
{
	and_all_later = true;
	check_every_allocation(WRAP("x --user alice --task listsessions"));
	check_every_allocation(WRAP("x --task selectsession --sid three "
	    "--login alice"));
	check_every_allocation("x --task selectsession --sid two");
	check_every_allocation("x --task clientevent --event ALIVE");
}

static void
what_is_hidden_stays_so(void **state unused)
{
	static const char *const rows[] = { "hidden", "hidden too",
	    "hidden three" };
	const char *config = test_path("test.conf");
	char command[100];
	size_t i;
	int n;

	for (i = 0; i < 2 * LENGTH(rows); i++) {
		and_all_later = i % 2 == 1;
		snprintf(command, sizeof(command), "x --task selectsession "
		    "--sid \"%s\"", rows[i / 2]);
		for (n = 1, has_failed = true; has_failed; n++) {
			struct way way = { 0 };

			has_failed = false;
			countdown = n;
			if (go(&way, config, command) != -1)
				fail_msg("[%s] allocation %d fails: %s",
				    rows[i / 2], n, way.text);
			finish(&way);
		}
	}
}

/* What is missing for want of memory is told, or all of it is missing. */
static void
check_loading(const struct x2gobroker_config *config, size_t count)
{
	int n, result;

	and_all_later = false;
	for (n = 1, has_failed = true; has_failed; n++) {
		struct way way = { 0 };

		has_failed = false;
		countdown = n;
		result = x2gobroker_profiles_load(config, note_report, &way,
		    &way.profiles, &way.err);
		countdown = 0;
		if (has_failed && result == 0 && !way.reported)
			fail_msg("allocation %d fails: %zu profiles", n,
			    x2gobroker_profiles_count(way.profiles));
		if (result == -1)
			check_problem("load", &way.err, &(const struct problem){
			    X2GOBROKER_ERR_NOMEM, 0, "out of memory" });
		assert_int_equal(result == 0, way.profiles != NULL);
		if (!has_failed)
			assert_int_equal(x2gobroker_profiles_count(
			    way.profiles), count);
		finish(&way);
	}
	assert_true(n > 10);
}

static void
profiles_that_are_missing_are_told(void **state unused)
{
	struct x2gobroker_config *config;

	assert_int_equal(x2gobroker_config_load(test_path("test.conf"), NULL,
	    NULL, &config, NULL), 0);
	check_loading(config, 7);
	x2gobroker_config_free(config);
}

static void
a_missing_zeroconf_profile_is_told(void **state unused)
{
	const struct x2gobroker_config config = {
	    .backends[BACKEND_ZEROCONF].enable = true,
	    .backend = BACKEND_ZEROCONF, .desktop_shell = "KDE" };

	check_loading(&config, 1);
}

/* Groups that were set in part could miss the one that denies. */
static void
groups_are_set_all_or_not_at_all(void **state unused)
{
	static const char *const groups[] = { "a", "b", "c" };
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	struct problems problems;
	int n, result;

	and_all_later = false;
	profiles = load_text("[p]\nhost=a\nacl-groups-deny=c,group3\n"
	    "acl-groups-allow=ALL\n", &problems);
	for (n = 1, has_failed = true; has_failed; n++) {
		user = make_user("alice", NULL);
		has_failed = false;
		countdown = n;
		result = x2gobroker_user_set_groups(user, groups, 3, NULL);
		if (result == 0)
			result = x2gobroker_user_set_key(user, "ssh-ed25519",
			    "AAAA", NULL);
		countdown = 0;
		assert_int_equal(result == -1, has_failed);
		if (x2gobroker_acl_check(x2gobroker_profiles_get(profiles, 0),
		    user, NULL) == X2GOBROKER_ALLOW)
			fail_msg("allocation %d fails, and opens a door", n);
		x2gobroker_user_free(user);
	}
	x2gobroker_profiles_free(profiles);
}

static void
a_buffer_remembers_that_it_failed(void **state unused)
{
	struct buf buf = { 0 };

	and_all_later = false;
	countdown = 1;
	buf_puts(&buf, "lost");
	assert_true(buf.failed);
	buf_puts(&buf, "not half of it");
	assert_null(buf.data);
	buf_free(&buf);
	buf_puts(&buf, "kept");
	countdown = 1;
	buf_printf(&buf, "%2000s", "lost");
	buf_putc(&buf, '!');
	assert_true(buf.failed);
	assert_string_equal(buf.data, "kept");
	buf_free(&buf);
}

static void
words_of_a_command_line_are_refused(void **state unused)
{
	char *argv[] = { (char[]){ "--task=selectsession" },
	    (char[]){ "--sid" }, (char[]){ "a" }, (char[]){ "--user=b" } };
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	int n, result;

	and_all_later = false;
	for (n = 1, has_failed = true; has_failed; n++) {
		has_failed = false;
		countdown = n;
		result = x2gobroker_request_from_argv(4, argv, &request, &err);
		countdown = 0;
		assert_int_equal(result == -1, has_failed);
		if (has_failed)
			assert_string_equal(err.text, "out of memory");
		assert_int_equal(x2gobroker_request_kind(request), has_failed ?
		    X2GOBROKER_REQUEST_NONE : X2GOBROKER_REQUEST_TASK);
		x2gobroker_request_free(request);
	}
}

static void
a_form_is_refused(void **state unused)
{
	static const char body[] = "task=selectsession&sid=a+\xc3\xbc&user=b"
	    "&password=c%20d&authid=&pubkey=e";
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	int n, result;

	and_all_later = false;
	for (n = 1, has_failed = true; has_failed; n++) {
		has_failed = false;
		countdown = n;
		result = x2gobroker_request_from_form(body, strlen(body),
		    &request, &err);
		countdown = 0;
		assert_int_equal(result == -1, has_failed);
		if (has_failed)
			assert_string_equal(err.text, "out of memory");
		x2gobroker_request_free(request);
	}
	assert_true(n > 10);
}

/* A file with so much in it that each part of it takes memory of its own. */
static void
a_large_file_is_read_as_a_whole_or_not(void **state unused)
{
	enum { LENGTH = 17000, KEYS = 1200, SECTIONS = 40 };
	const char *path = test_path("large.conf");
	FILE *fp = fopen(path, "w");
	struct x2gobroker_profiles *profiles;
	struct way way;
	struct reporter rep;
	struct inifile *ini;
	int i, n, result;

	assert_non_null(fp);
	fprintf(fp, "[DEFAULT]\nlong = %0*d\n", LENGTH, 1);
	for (i = 0; i < KEYS; i++)
		fprintf(fp, "k%d = v\n", i);
	for (i = 0; i < SECTIONS; i++)
		fprintf(fp, "[s%d]\nhost = ts%d\nbroker-host-weights = "
		    "ts%d:2\n", i, i, i);
	assert_int_equal(fclose(fp), 0);
	for (n = 1, has_failed = true; has_failed; n++) {
		fp = fopen(path, "r");
		assert_non_null(fp);
		rep = (struct reporter){ 0 };
		has_failed = false;
		countdown = n;
		result = inifile_read(fp, path, &rep, &ini);
		countdown = 0;
		fclose(fp);
		if (has_failed) {
			assert_int_equal(result, -1);
			assert_null(ini);
			assert_true(rep.nomem);
		}
	}
	assert_int_equal(result, 0);
	assert_int_equal(ini->nsections, SECTIONS + 1);
	assert_int_equal(ini->sections[0].nkeys, KEYS + 1);
	assert_true(n > 8);
	inifile_free(ini);

	test_config.backends[BACKEND_INIFILE].enable = true;
	test_config.session_profiles = path;
	test_config.profiles_dir = "/nonexistent/profiles.d";
	for (n = 1, has_failed = true; has_failed; n++) {
		has_failed = false;
		countdown = n;
		way = (struct way){ 0 };
		result = x2gobroker_profiles_load(&test_config, note_report,
		    &way, &profiles, NULL);
		countdown = 0;
		/* all of the file, or none of it, and that is said */
		if (result == 0 && (!way.reported ||
		    x2gobroker_profiles_count(profiles) != 0))
			assert_int_equal(x2gobroker_profiles_count(profiles),
			    SECTIONS);
		assert_true(has_failed || (result == 0 && !way.reported));
		x2gobroker_profiles_free(profiles);
	}
	assert_true(n > 16);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_failed_allocation_never_grants),
		cmocka_unit_test(memory_that_stays_out_never_grants),
		cmocka_unit_test(what_is_hidden_stays_so),
		cmocka_unit_test(profiles_that_are_missing_are_told),
		cmocka_unit_test(a_missing_zeroconf_profile_is_told),
		cmocka_unit_test(groups_are_set_all_or_not_at_all),
		cmocka_unit_test(a_large_file_is_read_as_a_whole_or_not),
		cmocka_unit_test(a_buffer_remembers_that_it_failed),
		cmocka_unit_test(words_of_a_command_line_are_refused),
		cmocka_unit_test(a_form_is_refused),
	};

	return cmocka_run_group_tests(tests, make_files, remove_test_dir);
}
