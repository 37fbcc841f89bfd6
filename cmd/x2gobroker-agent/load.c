/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/param.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "load.h"

#define MHZ_UNKNOWN	1000	/* for a processor of unknown frequency */
#define LOAD_MAX	1000000000	/* percent; more processes than pids */
#define KB_MAX		(1L << 50)	/* more than any host has */
#define CPU_MAX_KHZ	"/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"
#define START_FIELD	22	/* starttime, in proc(5) */
#define YOUNG_S		660	/* brokers remember choices for 600 */
#define YOUNG_MAX	1000	/* lines of young sessions */
#define SESSIONS_MAX	1000000	/* of a host; sums do not overflow */
#define HOST_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789._-"

/*
 * Processors and memory.  The formulas are those of Debian's agent, so that
 * servers with either agent can be compared.  Where that one finds no
 * processor, this one assumes one.
 */

int
load_parse_average(const char *text, struct load *load)
{
	double one, five, fifteen, percent;

	if (sscanf(text, "%lf %lf %lf", &one, &five, &fifteen) != 3)
		return -1;
	percent = (one + five + fifteen) * 100 / 3 + 1;
	/* written so that NaN is refused, too */
	if (!(percent < (double)LOAD_MAX))
		return -1;
	load->loadavg = percent > 1 ? (long)percent : 1;
	return 0;
}

/* Memory available without swapping, as fs/proc/meminfo.c of Linux computes it.
 * All in kB. */
static double
estimate(long free_kb, long file, long reclaimable, long low)
{
	double cache = (double)file, slab = (double)reclaimable;

	return (double)(free_kb - low) + cache - MIN(cache / 2, (double)low) +
	    slab - MIN(slab / 2, (double)low);
}

void
load_parse_memory(FILE *meminfo, long min_free_kb, struct load *load)
{
	static const char *const names[] = { "MemAvailable", "MemFree",
	    "Active(file)", "Inactive(file)", "SReclaimable" };
	long kb[5] = { 0 }, n;
	char line[128], name[32];
	double mine;
	size_t i;

	while (fgets(line, sizeof(line), meminfo) != NULL)
		for (i = 0; i < 5; i++)
			if (sscanf(line, "%31[^:]: %ld", name, &n) == 2 &&
			    strcmp(name, names[i]) == 0 && n >= 0 &&
			    n <= KB_MAX)
				kb[i] = n;
	mine = estimate(kb[1], kb[2] + kb[3], kb[4], min_free_kb);
	load->mem_avail = kb[0] / 1000;
	load->my_mem_avail = mine > 0 ? (long)(mine / 1000) : 0;
}

/* "model name : Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz" */
static long
named_mhz(const char *line)
{
	const char *cpu, *at;
	double ghz;

	if (strncmp(line, "model name", 10) != 0 ||
	    (cpu = strstr(line, "CPU")) == NULL ||
	    (at = strstr(cpu, "@ ")) == NULL)
		return 0;
	ghz = strtod(at + 2, NULL);
	return ghz > 0 && ghz < 1000 ? (long)(ghz * 1000) : 0;
}

/* "cpu MHz : 2596.132", rounded up */
static long
current_mhz(const char *line)
{
	const char *colon = strchr(line, ':');
	double mhz;

	if (strncmp(line, "cpu MHz", 7) != 0 || colon == NULL)
		return 0;
	mhz = strtod(colon + 1, NULL);
	return mhz > 0 && mhz < 1e6 ? (long)mhz + (mhz > (double)(long)mhz) :
	    0;
}

/* Use the frequency in the name, or, if there is none, as in virtual machines,
 * the current frequency. */
void
load_parse_cpus(FILE *cpuinfo, struct load *load)
{
	long mhz, named = 0, current = 0, named_last = 0, current_last = 0;
	cleanup_free char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, cpuinfo) != -1) {
		if ((mhz = named_mhz(line)) > 0) {
			named++;
			named_last = mhz;
		} else if ((mhz = current_mhz(line)) > 0) {
			current++;
			current_last = mhz;
		}
	}
	load->cpus = named > 0 ? named : current;
	load->mhz = named > 0 ? named_last : current_last;
}

/* Read a file that contains a single number.  Returns 0 if there is none. */
static long
read_number(const char *path)
{
	cleanup_file FILE *fp = fopen(path, "re");
	long n;

	return fp != NULL && fscanf(fp, "%ld", &n) == 1 && n > 0 ? n : 0;
}

static void
read_cpus(struct load *load)
{
	cleanup_file FILE *fp = fopen("/proc/cpuinfo", "re");

	if (fp != NULL)
		load_parse_cpus(fp, load);
	/* processors other than Intel's and AMD's give neither */
	if (load->cpus < 1 && (load->cpus = sysconf(_SC_NPROCESSORS_ONLN)) < 1)
		load->cpus = 1;
	if (load->mhz < 1 && (load->mhz = read_number(CPU_MAX_KHZ) / 1000) < 1)
		load->mhz = MHZ_UNKNOWN;
}

int
load_read(struct load *load, struct x2gobroker_error *err)
{
	cleanup_file FILE *average = fopen("/proc/loadavg", "re");
	cleanup_file FILE *memory = NULL;
	char line[128];

	memset(load, 0, sizeof(*load));
	if (average == NULL || fgets(line, sizeof(line), average) == NULL)
		return error_errno(err, "/proc/loadavg", "cannot read it");
	if (load_parse_average(line, load) == -1)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, "/proc/loadavg",
		    0, "unexpected contents");
	if ((memory = fopen("/proc/meminfo", "re")) == NULL)
		return error_errno(err, "/proc/meminfo", "cannot open it");
	load_parse_memory(memory, read_number("/proc/sys/vm/min_free_kbytes"),
	    load);
	read_cpus(load);
	return 0;
}

void
load_put(const struct load *load, struct buf *out)
{
	buf_printf(out, "loadavgXX:%ld\nmemAvail:%ld\nmyMemAvail:%ld\n"
	    "numCPU:%ld\ntypeCPU:%ld\n", load->loadavg, load->mem_avail,
	    load->my_mem_avail, load->cpus, load->mhz);
}

/*
 * Sessions, counted as processes.  This takes a millisecond; the session
 * database takes a tenth of a second, and may be out of date.
 */

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
bool
load_is_session(const char *comm)
{
	size_t len = strcspn(comm, "\n");

	return parse_item_is(comm, len, "x2goagent") ||
	    parse_item_is(comm, len, "nxagent");
}

/* The second field is a name in parentheses, which can contain anything. */
long long
load_parse_start(const char *text)
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

	if (uid == sessions->uid)
		return sessions->name;
	sessions->uid = uid;
	sessions->name[0] = '\0';
	if ((pw = getpwuid(uid)) != NULL && account_is_name(pw->pw_name))
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
	if (sessions->lines == YOUNG_MAX ||
	    fstatat(sessions->proc, pid, &st, 0) == -1 ||
	    !account_is_person(st.st_uid) ||
	    !read_start(sessions, pid, "stat", text, sizeof(text)) ||
	    (start = load_parse_start(text)) == -1)
		return;
	age = sessions->now - (double)start / sessions->ticks;
	if (age >= YOUNG_S || *(name = name_of(sessions,
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
		    sizeof(comm)) && load_is_session(comm))
			add_session(sessions, entry->d_name);
}

void
load_put_sessions(struct buf *out)
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

/*
 * All servers of the session database
 */

struct share {
	const char *host;
	int sessions, percent;
};

/* Parse a line of the form "HOST" or "HOST SESSIONS" in place. */
static bool
parse_share(char *line, struct share *share)
{
	char *number = line + strspn(line, HOST_CHARS);

	*share = (struct share){ .host = line };
	if (number == line || *number == '\0')
		return number != line;
	if (*number != ' ')
		return false;
	*number++ = '\0';
	return parse_digits(number + strspn(number, " "), 0, SESSIONS_MAX,
	    &share->sessions);
}

/* As strings, like Debian's agent. */
static int
compare_shares(const void *a, const void *b)
{
	const struct share *left = a, *right = b;
	char left_text[16], right_text[16];
	int result;

	snprintf(left_text, sizeof(left_text), "%d:", left->percent);
	snprintf(right_text, sizeof(right_text), "%d:", right->percent);
	result = strcmp(left_text, right_text);
	return result != 0 ? result : strcmp(left->host, right->host);
}

int
load_put_servers(char *text, struct buf *out)
{
	cleanup_free struct share *shares = NULL;
	size_t size = 1, n = 0, i;
	long long all = 0;
	const char *p;
	char *line;

	for (p = text; p != NULL && *p != '\0'; p++)
		size += *p == '\n';
	if ((shares = calloc(size, sizeof(*shares))) == NULL)
		return -1;
	while ((line = strsep(&text, "\n")) != NULL)
		if (parse_share(line, &shares[n]))
			all += shares[n++].sessions;
	for (i = 0; i < n && all > 0; i++)
		shares[i].percent = (int)((double)shares[i].sessions /
		    (double)all * 100);
	qsort(shares, n, sizeof(*shares), compare_shares);
	for (i = 0; i < n; i++)
		buf_printf(out, "%d:%s\n", shares[i].percent,
		    shares[i].host);
	return 0;
}
