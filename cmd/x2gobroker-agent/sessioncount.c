/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "sessioncount.h"
#include "base/cleanup.h"

#define START_FIELD	22	/* starttime, in proc(5) */

struct census {
	int proc;		/* the directory */
	unsigned int sessions;
	unsigned int lines;
	double now;		/* seconds since the host has begun */
	double ticks;		/* in a second */
	struct buf started;
	uid_t uid;		/* whose name was looked up last */
	char name[256];		/* "": none that can be said */
};

/* X2Go calls its session agent x2goagent; nxagent is what it is made of, and
 * what other versions start. */
int
sessioncount_is_session(const char *comm)
{
	size_t len = strcspn(comm, "\n");

	return (len == 9 && memcmp(comm, "x2goagent", 9) == 0) ||
	    (len == 7 && memcmp(comm, "nxagent", 7) == 0);
}

/* The second field is a name in parentheses, in which anything can be. */
long long
sessioncount_parse_start(const char *text)
{
	const char *p = strrchr(text, ')');
	char *end;
	long long start;
	int field;

	if (p == NULL)
		return -1;
	for (field = 2; field < START_FIELD; field++)
		if ((p = strchr(p + 1, ' ')) == NULL)
			return -1;
	start = strtoll(p, &end, 10);
	return end != p && (*end == ' ' || *end == '\n') && start >= 0 ?
	    start : -1;
}

/* The beginning of a file below /proc, as a string. */
static bool
read_start(const struct census *census, const char *pid, const char *name,
    char *text, size_t size)
{
	cleanup_fd int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	if ((fd = openat(census->proc, path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (n = read(fd, text, size - 1)) == -1)
		return false;
	text[n] = '\0';
	return true;
}

/* A name that could be misread in a line is none. */
static const char *
name_of(struct census *census, uid_t uid)
{
	const struct passwd *pw;
	const char *p;

	if (uid == census->uid)
		return census->name;
	census->uid = uid;
	census->name[0] = '\0';
	if ((pw = getpwuid(uid)) == NULL ||
	    strlen(pw->pw_name) >= sizeof(census->name))
		return census->name;
	for (p = pw->pw_name; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ':')
			return census->name;
	snprintf(census->name, sizeof(census->name), "%s", pw->pw_name);
	return census->name;
}

/* One that is not there any more has just ended. */
static void
look_at_session(struct census *census, const char *pid)
{
	const char *name;
	char text[1024];
	long long start;
	struct stat st;
	double age;

	census->sessions++;
	if (census->lines == CENSUS_LINES ||
	    fstatat(census->proc, pid, &st, 0) == -1 ||
	    !account_is_person(st.st_uid) ||
	    !read_start(census, pid, "stat", text, sizeof(text)) ||
	    (start = sessioncount_parse_start(text)) == -1)
		return;
	age = census->now - (double)start / census->ticks;
	if (age >= CENSUS_YOUNG_S || *(name = name_of(census,
	    st.st_uid)) == '\0')
		return;
	buf_printf(&census->started, "started:%s:%d\n", name,
	    age > 0 ? (int)age : 0);
	census->lines++;
}

/* With hidepid= of proc(5) there is only what is one's own. */
static bool
sees_others(const struct census *census)
{
	char comm[32];

	return read_start(census, "1", "comm", comm, sizeof(comm));
}

static void
count(struct census *census, DIR *dir)
{
	const struct dirent *entry;
	char comm[32];

	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    read_start(census, entry->d_name, "comm", comm,
		    sizeof(comm)) && sessioncount_is_session(comm))
			look_at_session(census, entry->d_name);
}

void
sessioncount_put(struct buf *out)
{
	struct census census = { .uid = (uid_t)-1 };
	DIR *dir = opendir("/proc");
	struct timespec now;

	if (dir == NULL)
		return;
	census.proc = dirfd(dir);
	clock_gettime(CLOCK_BOOTTIME, &now);
	census.now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	census.ticks = (double)sysconf(_SC_CLK_TCK);
	if (sees_others(&census)) {
		count(&census, dir);
		buf_printf(out, "sessions:%u\n", census.sessions);
		if (census.started.len > 0)
			buf_put(out, census.started.data, census.started.len);
	}
	buf_free(&census.started);
	closedir(dir);
}
