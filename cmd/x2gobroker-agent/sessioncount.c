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

struct sessions {
	int proc;		/* the directory */
	unsigned int count;
	unsigned int lines;
	double now;		/* seconds since the boot */
	double ticks;		/* per second */
	struct buf started;
	uid_t uid;		/* looked up last */
	char name[256];		/* of uid; "": none that can be printed */
};

/* X2Go's session agent is x2goagent; other versions start nxagent, which it is
 * based on. */
int
sessioncount_is_session(const char *comm)
{
	size_t len = strcspn(comm, "\n");

	return (len == 9 && memcmp(comm, "x2goagent", 9) == 0) ||
	    (len == 7 && memcmp(comm, "nxagent", 7) == 0);
}

/* The second field is a name in parentheses, which can contain anything. */
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

/* Read the beginning of a file below /proc as a string. */
static bool
read_start(const struct sessions *sessions, const char *pid, const char *name,
    char *text, size_t size)
{
	cleanup_fd int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	if ((fd = openat(sessions->proc, path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (n = read(fd, text, size - 1)) == -1)
		return false;
	text[n] = '\0';
	return true;
}

/* Returns "" for a name that could be misread in a line. */
static const char *
name_of(struct sessions *sessions, uid_t uid)
{
	const struct passwd *pw;
	const char *p;

	if (uid == sessions->uid)
		return sessions->name;
	sessions->uid = uid;
	sessions->name[0] = '\0';
	if ((pw = getpwuid(uid)) == NULL ||
	    strlen(pw->pw_name) >= sizeof(sessions->name))
		return sessions->name;
	for (p = pw->pw_name; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ':')
			return sessions->name;
	strlcpy(sessions->name, pw->pw_name, sizeof(sessions->name));
	return sessions->name;
}

/* A process that cannot be read has just ended. */
static void
add_session(struct sessions *sessions, const char *pid)
{
	const char *name;
	char text[1024];
	long long start;
	struct stat st;
	double age;

	sessions->count++;
	if (sessions->lines == SESSIONCOUNT_LINES ||
	    fstatat(sessions->proc, pid, &st, 0) == -1 ||
	    !account_is_person(st.st_uid) ||
	    !read_start(sessions, pid, "stat", text, sizeof(text)) ||
	    (start = sessioncount_parse_start(text)) == -1)
		return;
	age = sessions->now - (double)start / sessions->ticks;
	if (age >= SESSIONCOUNT_YOUNG_S || *(name = name_of(sessions,
	    st.st_uid)) == '\0')
		return;
	buf_printf(&sessions->started, "started:%s:%d\n", name,
	    age > 0 ? (int)age : 0);
	sessions->lines++;
}

/* With hidepid= of proc(5), only the user's own processes are visible. */
static bool
sees_others(const struct sessions *sessions)
{
	char comm[32];

	return read_start(sessions, "1", "comm", comm, sizeof(comm));
}

static void
count_processes(struct sessions *sessions, DIR *dir)
{
	const struct dirent *entry;
	char comm[32];

	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    read_start(sessions, entry->d_name, "comm", comm,
		    sizeof(comm)) && sessioncount_is_session(comm))
			add_session(sessions, entry->d_name);
}

void
sessioncount_put(struct buf *out)
{
	struct sessions sessions = { .uid = (uid_t)-1 };
	DIR *dir = opendir("/proc");
	struct timespec now;

	if (dir == NULL)
		return;
	sessions.proc = dirfd(dir);
	clock_gettime(CLOCK_BOOTTIME, &now);
	sessions.now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	sessions.ticks = (double)sysconf(_SC_CLK_TCK);
	if (sees_others(&sessions)) {
		count_processes(&sessions, dir);
		buf_printf(out, "sessions:%u\n", sessions.count);
		if (sessions.started.len > 0)
			buf_put(out, sessions.started.data,
			    sessions.started.len);
	}
	buf_free(&sessions.started);
	closedir(dir);
}
